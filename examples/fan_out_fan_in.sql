-- Fan-out and fan-in: a task for each row of a query, all of them side by side
-- in several workers; when the last one has ended, the results are summed up.
--
--	psql -f examples/fan_out_fan_in.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS fleet CASCADE;
CREATE SCHEMA fleet;

CREATE TABLE fleet.truck (name text PRIMARY KEY, kilometres int);
CREATE TABLE fleet.inspection (truck text PRIMARY KEY, cost int, inspector int);
INSERT INTO fleet.truck SELECT 'truck ' || n, n * 1000 FROM generate_series(1, 20) n;

-- The activity: inspects one truck and tells what that cost.
CREATE FUNCTION fleet.inspect(truck text, kilometres int) RETURNS int LANGUAGE sql
AS $$
	SELECT pg_sleep(0.1);	-- it takes its time
	INSERT INTO fleet.inspection VALUES (truck, 50 + kilometres / 100, pg_backend_pid())
	RETURNING cost
$$;

CREATE FUNCTION fleet.inspect_all() RETURNS int LANGUAGE plpgsql
AS $$
DECLARE
	trucks jsonb;
	truck jsonb;
	tasks int[] := '{}';
BEGIN
	-- The table may change while we wait.  df_record remembers what it held
	-- at first, so that each replay schedules the same tasks.
	trucks := df_record((SELECT jsonb_agg(jsonb_build_object(
		'truck', name, 'kilometres', kilometres) ORDER BY name) FROM fleet.truck));

	-- Out: df_schedule_activity does not wait.
	FOR truck IN SELECT * FROM jsonb_array_elements(trucks) LOOP
		tasks := tasks || df_schedule_activity('fleet.inspect', truck);
	END LOOP;

	-- In: an array of the results, in the order of the tasks.
	RETURN (SELECT sum(cost::int) FROM jsonb_array_elements(df_wait_all(tasks)) cost);
END
$$;

SELECT df_start_singleton('fleet.inspect_all', 'inspections', on_conflict => 'terminate');
SELECT runtime_status, output AS total_cost, last_updated_time - created_time AS took
FROM df_wait_for_completion('inspections', '1 minute');

SELECT count(*) AS inspected, sum(cost) AS cost,
	count(DISTINCT inspector) AS worker_processes
FROM fleet.inspection;

-- What must have come out of it.
DO $$
DECLARE
	status df_status := df_get_status('inspections');
BEGIN
	ASSERT status.runtime_status = 'Completed', 'it must complete';
	ASSERT (SELECT array_agg(truck ORDER BY truck) FROM fleet.inspection)
		= (SELECT array_agg(name ORDER BY name) FROM fleet.truck),
		'each truck must be inspected once';
	ASSERT status.output = '3100', 'the costs must be summed up';
	ASSERT (SELECT count(*) FROM df_history WHERE instance_id = 'inspections'
			AND execution_id = status.execution_id AND event_type = 'TaskCompleted') = 20,
		'history must tell of each task';
END
$$;
