-- An eternal singleton: a round of work, a pause, and on with a new execution
-- of the same instance, so that its history does not grow.
--
--	psql -f examples/eternal_singleton.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP TABLE IF EXISTS cleaning;

CREATE TABLE cleaning (round int PRIMARY KEY, execution_id uuid);

CREATE OR REPLACE FUNCTION clean_up(input jsonb) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO cleaning
	VALUES ((input->>'round')::int, (input->>'execution')::uuid)
$$;

CREATE OR REPLACE FUNCTION janitor(input jsonb) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
	round int := coalesce((input->>'round')::int, 1);
BEGIN
	PERFORM df_call_activity('clean_up', jsonb_build_object(
		'round', round, 'execution', df_execution_id()));
	PERFORM df_create_timer('200 milliseconds');
	PERFORM df_continue_as_new(jsonb_build_object('round', round + 1));
END
$$;

SELECT df_start_singleton('janitor', 'janitor');

-- It would go on for ever: let it do three rounds.
DO $$
BEGIN
	FOR i IN 1..600 LOOP
		EXIT WHEN (SELECT count(*) FROM cleaning) >= 3;
		PERFORM pg_sleep(0.1);
	END LOOP;
END
$$;
SELECT df_terminate('janitor', 'three rounds are enough');

SELECT runtime_status, output, failure FROM df_get_status('janitor');
SELECT round FROM cleaning ORDER BY round;

-- What must have come out of it.
DO $$
BEGIN
	ASSERT (SELECT runtime_status FROM df_get_status('janitor')) = 'Terminated',
		'the instance must be terminated';
	ASSERT (SELECT count(*) >= 3 AND count(*) = max(round)
			AND count(*) = count(DISTINCT execution_id) FROM cleaning),
		'each round must be done once, in an execution of its own';
	ASSERT (SELECT count(*) FROM df_history WHERE instance_id = 'janitor') < 10,
		'the history must be that of the last round only';
END
$$;
