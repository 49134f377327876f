-- Fan-out and fan-in: one task for each row of a query, run in parallel by
-- several workers.  When the last task has ended, the results are added up.
--
--	psql -f examples/fan_out_fan_in.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_fleet CASCADE;
CREATE SCHEMA df_example_fleet;

CREATE TABLE df_example_fleet.truck (name text PRIMARY KEY, kilometres int);
CREATE TABLE df_example_fleet.inspection (truck text PRIMARY KEY, cost int, inspector int);
INSERT INTO df_example_fleet.truck SELECT 'truck ' || n, n * 1000 FROM generate_series(1, 20) n;

-- The activity: inspects one truck and returns the cost.
CREATE FUNCTION df_example_fleet.inspect(truck text, kilometres int) RETURNS int LANGUAGE sql
AS $$
	SELECT pg_sleep(0.1);	-- takes a while
	INSERT INTO df_example_fleet.inspection VALUES (truck, 50 + kilometres / 100, pg_backend_pid())
	RETURNING cost
$$;

CREATE FUNCTION df_example_fleet.inspect_all() RETURNS int LANGUAGE plpgsql
AS $$
DECLARE
	trucks jsonb;
	truck jsonb;
	tasks int[] := '{}';
BEGIN
	-- The table may change while the orchestrator waits.  df_record returns
	-- the first result at every replay, so each replay schedules the same
	-- tasks.
	trucks := df_record((SELECT jsonb_agg(jsonb_build_object(
		'truck', name, 'kilometres', kilometres) ORDER BY name) FROM df_example_fleet.truck));

	-- Fan out: df_schedule_activity does not wait.
	FOR truck IN SELECT * FROM jsonb_array_elements(trucks) LOOP
		tasks := tasks || df_schedule_activity('df_example_fleet.inspect', truck);
	END LOOP;

	-- Fan in: an array of the results, in the order of the tasks.
	RETURN (SELECT sum(cost::int) FROM jsonb_array_elements(df_wait_all(tasks)) cost);
END
$$;

SELECT df_start_singleton('df_example_fleet.inspect_all', 'inspections', on_conflict => 'terminate');
SELECT runtime_status, output AS total_cost, last_updated_time - created_time AS took
FROM df_wait_for_completion('inspections', '1 minute');

SELECT count(*) AS inspected, sum(cost) AS cost,
	count(DISTINCT inspector) AS worker_processes
FROM df_example_fleet.inspection;

-- Check the results.
DO $$
DECLARE
	status df_status := df_get_status('inspections');
BEGIN
	ASSERT status.runtime_status = 'Completed', 'it must complete';
	ASSERT (SELECT array_agg(truck ORDER BY truck) FROM df_example_fleet.inspection)
		= (SELECT array_agg(name ORDER BY name) FROM df_example_fleet.truck),
		'each truck must be inspected once';
	ASSERT status.output = '3100', 'the costs must be summed up';
	ASSERT (SELECT count(*) FROM df_history WHERE instance_id = 'inspections'
			AND execution_id = status.execution_id AND event_type = 'TaskCompleted') = 20,
		'history must tell of each task';
END
$$;
