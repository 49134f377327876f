-- CALL df_run runs the caller's own pending work in the session, returns only
-- when nothing is ready, and is refused where it could not commit.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE run_log (n int GENERATED ALWAYS AS IDENTITY, what text, pid int DEFAULT pg_backend_pid());
CREATE FUNCTION run_log(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO run_log (what) VALUES (input #>> '{}');
	RETURN input;
END $$;
CREATE FUNCTION run_three(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('run_log', '"one"');
	PERFORM df_call_activity('run_log', '"two"');
	PERFORM df_call_activity('run_log', '"three"');
	RETURN '"done"';
END $$;
CREATE FUNCTION run_hold(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('run_log', '"before"');
	RETURN df_wait_for_external_event('go', (input #>> '{}')::interval, '"timed out"');
END $$;

-- no workers in this database from here on
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET durable_singleton.enabled = off', current_database()); END $$;
CALL workers_leave();
CALL until($$ NOT EXISTS (SELECT FROM df_stat_workers WHERE database = current_database()) $$);
SELECT df_start_singleton('run_three', 'run a');
SELECT runtime_status FROM df_wait_for_completion('run a', '100 ms');

-- step by step
CALL df_run(1);
SELECT what FROM run_log ORDER BY n;
SELECT runtime_status FROM df_get_status('run a');
CALL df_run(max_steps => 1);
SELECT what FROM run_log ORDER BY n;
SELECT runtime_status FROM df_get_status('run a');
CALL df_run();
SELECT what FROM run_log ORDER BY n;
SELECT runtime_status, output FROM df_get_status('run a');
-- in this very session
SELECT bool_and(pid = pg_backend_pid()) AS own FROM run_log;
TRUNCATE run_log;
-- nothing to do
CALL df_run();
CALL df_run(1);

-- all that is ready, and no waiting for what is not
SELECT count(*) FILTER (WHERE df_start_singleton('run_three', 'run many ' || n)) FROM generate_series(1, 20) n;
SELECT df_start_singleton('run_hold', 'run hold');
SELECT df_start_singleton('run_three', 'run later', start_at => '2200-01-01');
CALL df_run();
SELECT runtime_status, count(*) FROM df_instances WHERE instance_id LIKE 'run many %' GROUP BY 1;
SELECT count(*) FROM run_log;
SELECT runtime_status, waiting_for FROM df_instances WHERE instance_id = 'run hold';
SELECT runtime_status FROM df_get_status('run later');
SELECT df_raise_event('run hold', 'go', '"went"');
SELECT runtime_status FROM df_get_status('run hold');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('run hold');
TRUNCATE run_log;
-- timers that are due
SELECT df_start_singleton('run_hold', 'run timeout', '"10 ms"');
CALL df_run();
CALL until($$ (SELECT next_wake_time < clock_timestamp() FROM df_instances WHERE instance_id = 'run timeout')
	OR (SELECT runtime_status = 'Completed' FROM df_instances WHERE instance_id = 'run timeout') $$);
CALL df_run();
SELECT runtime_status, output FROM df_get_status('run timeout');
TRUNCATE run_log;

-- a start that is rolled back, a failure, a terminate
CREATE FUNCTION run_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		PERFORM df_call_activity('run_log');
		PERFORM df_call_activity('run_nowhere');
	EXCEPTION WHEN undefined_function THEN
		PERFORM df_call_activity('run_log', '"caught"');
	END;
	RAISE EXCEPTION 'no luck';
END $$;
BEGIN;
SELECT df_start_singleton('run_three', 'run rolled back');
ROLLBACK;
SELECT df_start_singleton('run_fail', 'run fail');
SELECT df_start_singleton('run_three', 'run terminated');
SELECT df_terminate('run terminated');
CALL df_run();
SELECT instance_id, runtime_status, failure ->> 'message' AS message FROM df_instances
WHERE instance_id IN ('run rolled back', 'run fail', 'run terminated') ORDER BY 1;
SELECT what FROM run_log ORDER BY n;
TRUNCATE run_log;

-- the session's own state is its own: steps neither see nor leave any
CREATE FUNCTION run_state(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	SET work_mem = '9MB';
	PERFORM set_config('run.custom', 'leaked', false);
	RETURN NULL;
END $$;
CREATE FUNCTION run_stateful(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('run_state');
END $$;
SET work_mem = '5MB';
CREATE TEMP TABLE run_temp AS SELECT 1 AS i;
PREPARE run_plan AS SELECT 'prepared';
SELECT pg_advisory_lock(6005);
SELECT df_start_singleton('run_stateful', 'run state');
CALL df_run();
SELECT runtime_status FROM df_get_status('run state');
SHOW work_mem;
SELECT nullif(current_setting('run.custom', true), '') AS custom;
SELECT * FROM run_temp;
EXECUTE run_plan;
SELECT pg_advisory_unlock(6005);
RESET work_mem;
DEALLOCATE run_plan;
DROP TABLE run_temp;

-- only the caller's own work
CREATE ROLE regress_ds_user LOGIN;
SELECT df_grant_usage('regress_ds_user');
GRANT INSERT ON run_log TO regress_ds_user;
SELECT current_user AS superuser \gset
SELECT df_start_singleton('run_three', 'run own');
\c - regress_ds_user
SELECT df_start_singleton('run_three', 'run of a user');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('run of a user');
SELECT df_start_singleton('run_three', 'run of a user');
\c - :superuser
SET client_min_messages = warning;
SELECT runtime_status FROM df_get_status('run own');
CALL df_run();
SELECT runtime_status FROM df_get_status('run own');
SELECT runtime_status FROM df_get_status('run of a user');
-- a role that was taken on is none that logged in: its steps could go back
\set VERBOSITY terse
SET SESSION AUTHORIZATION regress_ds_user;
CALL df_run();
\echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
SET ROLE regress_ds_user;
CALL df_run();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
\set VERBOSITY default
SELECT runtime_status FROM df_get_status('run of a user');

-- where it cannot commit
BEGIN;
CALL df_run();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
DO $$ BEGIN CALL df_run(); END $$;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
DO $$ BEGIN CALL df_run(); END $$;
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION run_function() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL df_run(); END $$;
SELECT run_function();
\echo :LAST_ERROR_SQLSTATE
SELECT error_of('CALL df_run()');
-- inside a step
CREATE FUNCTION run_run(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN CALL df_run(); RETURN NULL; END $$;
SELECT df_start_singleton('run_run', 'run run');
CALL df_run();
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_get_status('run run');
SELECT runtime_status FROM df_get_status('run of a user');
-- no step, and less
SELECT df_start_singleton('run_three', 'run none');
CALL df_run(0);
SELECT runtime_status FROM df_get_status('run none');
CALL df_run(-1);
\echo :LAST_ERROR_SQLSTATE
SET default_transaction_read_only = on;
CALL df_run();
\echo :LAST_ERROR_SQLSTATE
RESET default_transaction_read_only;

-- the workers come back and find what waits for them
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET durable_singleton.enabled', current_database()); END $$;
SELECT df_terminate('run later');
SELECT df_start_singleton('run_three', 'run wake');
SELECT runtime_status, output FROM df_wait_for_completion('run wake');

SELECT df_revoke_usage('regress_ds_user');
DROP OWNED BY regress_ds_user;
DROP ROLE regress_ds_user;
DROP TABLE run_log;
DROP FUNCTION run_log, run_three, run_hold, run_fail, run_state, run_stateful, run_function, run_run;
