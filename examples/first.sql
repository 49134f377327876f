-- A first orchestration: a pause, then two activities.
--
--	psql -f examples/first.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;

CREATE OR REPLACE FUNCTION greet(city text) RETURNS text LANGUAGE sql AS $$ SELECT 'Hello ' || city $$;
CREATE OR REPLACE FUNCTION greet_all(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  PERFORM df_create_timer('1 second');    -- or '3 months': a wait holds no process, transaction or lock
  RETURN df_call_activity('greet', '{"city": "Tokyo"}') || df_call_activity('greet', '{"city": "Seattle"}');
END $$;
SELECT df_start_singleton('greet_all', 'greeter');
SELECT df_start_singleton('greet_all', 'greeter');
SELECT output FROM df_wait_for_completion('greeter');

-- Check the results.
DO $$
BEGIN
	ASSERT (SELECT runtime_status || ' ' || output FROM df_get_status('greeter'))
		= 'Completed ["Hello Tokyo", "Hello Seattle"]', 'both activities must have run';
END
$$;
