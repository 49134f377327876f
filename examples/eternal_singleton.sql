-- An eternal singleton: a round of work, a pause, and then a new execution of
-- the same instance, so that its history does not grow.
--
--	psql -f examples/eternal_singleton.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_house CASCADE;
CREATE SCHEMA df_example_house;

CREATE TABLE df_example_house.cleaning (round int PRIMARY KEY, execution_id uuid);

CREATE FUNCTION df_example_house.clean_up(round int, execution_id uuid) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO df_example_house.cleaning VALUES (round, execution_id)
$$;

CREATE FUNCTION df_example_house.janitor(round int DEFAULT 1) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM df_call_activity('df_example_house.clean_up', jsonb_build_object(
		'round', round, 'execution_id', df_execution_id()));
	PERFORM df_set_custom_status(jsonb_build_object('rounds', round));
	PERFORM df_create_timer('200 milliseconds');
	PERFORM df_continue_as_new(jsonb_build_object('round', round + 1));
END
$$;

-- No matter how often and from where it is started, only one is active.
SELECT df_start_singleton('df_example_house.janitor', 'janitor', on_conflict => 'terminate');
SELECT df_start_singleton('df_example_house.janitor', 'janitor');

-- It would run forever; let it do three rounds.
DO $$
DECLARE
	janitor df_status;
BEGIN
	LOOP
		-- Better than a sleep: this returns immediately if the janitor ends.
		SELECT * INTO janitor FROM df_wait_for_completion('janitor', '100 milliseconds');
		EXIT WHEN (janitor.custom_status->>'rounds')::int >= 3
			OR janitor.runtime_status IN ('Completed', 'Failed', 'Terminated');
	END LOOP;
END
$$;
SELECT df_terminate('janitor', 'three rounds are enough');

SELECT runtime_status, output, failure FROM df_get_status('janitor');
SELECT round FROM df_example_house.cleaning ORDER BY round;

-- Check the results.
DO $$
DECLARE
	janitor df_status := df_get_status('janitor');
BEGIN
	ASSERT janitor.runtime_status = 'Terminated', 'the instance must be terminated';
	ASSERT (SELECT count(*) >= 3 AND count(*) = max(round)
			AND count(*) = count(DISTINCT execution_id) FROM df_example_house.cleaning),
		'each round must be done once, in an execution of its own';
	ASSERT (SELECT count(*) FROM df_history
			WHERE execution_id = janitor.execution_id) < 10,
		'the history must be that of the last round only';
END
$$;
