-- An eternal singleton: a round of work, a pause, and on with a new execution
-- of the same instance, so that its history does not grow.
--
--	psql -f examples/eternal_singleton.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS house CASCADE;
CREATE SCHEMA house;

CREATE TABLE house.cleaning (round int PRIMARY KEY, execution_id uuid);

CREATE FUNCTION house.clean_up(round int, execution_id uuid) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO house.cleaning VALUES (round, execution_id)
$$;

CREATE FUNCTION house.janitor(round int DEFAULT 1) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM df_call_activity('house.clean_up', jsonb_build_object(
		'round', round, 'execution_id', df_execution_id()));
	PERFORM df_set_custom_status(jsonb_build_object('rounds', round));
	PERFORM df_create_timer('200 milliseconds');
	PERFORM df_continue_as_new(jsonb_build_object('round', round + 1));
END
$$;

-- However often and from wherever it is started, there is one.
SELECT df_start_singleton('house.janitor', 'janitor', on_conflict => 'terminate');
SELECT df_start_singleton('house.janitor', 'janitor');

-- It would go on for ever: let it do three rounds.
DO $$
DECLARE
	janitor df_status;
BEGIN
	LOOP
		-- Not a sleep: it would return at once if the janitor ended.
		SELECT * INTO janitor FROM df_wait_for_completion('janitor', '100 milliseconds');
		EXIT WHEN (janitor.custom_status->>'rounds')::int >= 3
			OR janitor.runtime_status IN ('Completed', 'Failed', 'Terminated');
	END LOOP;
END
$$;
SELECT df_terminate('janitor', 'three rounds are enough');

SELECT runtime_status, output, failure FROM df_get_status('janitor');
SELECT round FROM house.cleaning ORDER BY round;

-- What must have come out of it.
DO $$
DECLARE
	janitor df_status := df_get_status('janitor');
BEGIN
	ASSERT janitor.runtime_status = 'Terminated', 'the instance must be terminated';
	ASSERT (SELECT count(*) >= 3 AND count(*) = max(round)
			AND count(*) = count(DISTINCT execution_id) FROM house.cleaning),
		'each round must be done once, in an execution of its own';
	ASSERT (SELECT count(*) FROM df_history
			WHERE execution_id = janitor.execution_id) < 10,
		'the history must be that of the last round only';
END
$$;
