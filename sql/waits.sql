-- The waits return when an instance ends, or with the current status after the
-- timeout; they refuse to wait for their own transaction.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE FUNCTION wait_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer((input #>> '{}')::interval);
	RETURN '"rang"';
END $$;
CREATE FUNCTION wait_hold(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION wait_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no luck';
END $$;

-- until it ends, in whatever way
SELECT df_start_singleton('wait_timer', 'wait a', '"200 ms"');
SELECT runtime_status, output, last_updated_time - created_time >= interval '200 ms' AS waited FROM df_wait_for_completion('wait a');
SELECT df_start_singleton('wait_fail', 'wait b');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('wait b');
SELECT df_start_singleton('wait_hold', 'wait c');
SELECT df_terminate('wait c');
SELECT runtime_status FROM df_wait_for_completion('wait c');
-- at once when it has ended, and without a limit
SELECT runtime_status, output FROM df_wait_for_completion('wait a', '0');
SELECT runtime_status, output FROM df_wait_for_completion('wait a', NULL);
SELECT df_start_singleton('wait_timer', 'wait a', '"100 ms"');
SELECT runtime_status, output FROM df_wait_for_completion('wait a', NULL);
-- columns are those of df_get_status
SELECT w.instance_id, w IS NOT DISTINCT FROM g AS same FROM df_wait_for_completion('wait a') w, df_get_status('wait a') g;

-- at the time-out the present status
SELECT df_start_singleton('wait_hold', 'wait d', '"d"');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'wait d') $$);
SELECT clock_timestamp() AS began \gset
SELECT runtime_status, input, output FROM df_wait_for_completion('wait d', '100 ms');
SELECT clock_timestamp() - :'began' BETWEEN interval '100 ms' AND interval '20 s' AS waited;
SELECT runtime_status FROM df_wait_for_completion('wait d', '0');
SELECT runtime_status FROM df_wait_for_completion('wait d', '-1 s');
-- wrong input
SELECT error_of($$ SELECT df_wait_for_completion(NULL) $$);
SELECT error_of($$ SELECT df_wait_for_completion('wait unknown', '10 ms') $$);
SELECT error_of($$ SELECT df_wait_for_any('{wait a,wait unknown}') $$);
SELECT error_of($$ SELECT df_wait_for_any(NULL) $$);
SELECT error_of($$ SELECT df_wait_for_any('{}') $$);
SELECT error_of($$ SELECT df_wait_for_any(ARRAY['wait a', NULL]) $$);

-- the first of several
SELECT df_start_singleton('wait_timer', 'wait e', '"100 ms"');
SELECT instance_id, runtime_status, output FROM df_wait_for_any('{wait d,wait e}') ORDER BY 1;
SELECT instance_id, runtime_status FROM df_wait_for_any('{wait d,wait e,wait b}') ORDER BY 1;
SELECT df_start_singleton('wait_hold', 'wait f');
SELECT instance_id, runtime_status IN ('Pending', 'Running') AS active FROM df_wait_for_any('{wait d,wait f}', '50 ms') ORDER BY 1;
SELECT instance_id, runtime_status FROM df_wait_for_any('{wait a}') ORDER BY 1;

-- the procedure tells the same as JSON, and may be called in a transaction
CALL df_wait('wait a') \gset
SELECT :'status'::jsonb ->> 'instance_id' AS id, :'status'::jsonb ->> 'runtime_status' AS status, :'status'::jsonb -> 'output' AS output;
SELECT string_agg(k, ', ' ORDER BY k COLLATE "C") AS keys FROM jsonb_object_keys(:'status') k;
SELECT w IS NOT DISTINCT FROM g AS same, w.created_time < w.last_updated_time AS times
FROM df_get_status('wait a') g, jsonb_populate_record(NULL::df_status, :'status') w;
SELECT df_start_singleton('wait_timer', 'wait e', '"200 ms"');
CALL df_wait('wait e', '30 s') \gset
SELECT :'status'::jsonb ->> 'runtime_status' AS status, :'status'::jsonb -> 'output' AS output;
CALL df_wait('wait d', '50 ms') \gset
SELECT :'status'::jsonb ->> 'runtime_status' AS status;
BEGIN;
SELECT 1;
CALL df_wait('wait a') \gset
SELECT :'status'::jsonb ->> 'runtime_status' AS status;
SELECT runtime_status FROM df_wait_for_completion('wait a');
COMMIT;
DO $$
DECLARE
	s jsonb;
BEGIN
	PERFORM df_start_singleton('wait_timer', 'wait e', '"50 ms"');
	COMMIT;
	CALL df_wait('wait e', NULL, s);
	RAISE WARNING '%', s ->> 'runtime_status';
END $$;
CALL df_wait(NULL);
\echo :LAST_ERROR_SQLSTATE

-- a transaction that has written might wait for itself: an error at once
CREATE TABLE wait_table (i int);
BEGIN;
SELECT df_start_singleton('wait_hold', 'wait own');
SELECT df_wait_for_completion('wait own');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
SELECT df_raise_event('wait d', 'go');
SELECT df_wait_for_any('{wait d}');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
INSERT INTO wait_table VALUES (1);
CALL df_wait('wait d');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
-- also for one that has ended, and after a savepoint
BEGIN;
SAVEPOINT s;
INSERT INTO wait_table VALUES (1);
RELEASE SAVEPOINT s;
SELECT df_wait_for_completion('wait a');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT error_of($$ WITH w AS (INSERT INTO wait_table VALUES (1) RETURNING i) SELECT df_wait_for_completion('wait a') FROM w $$);
-- a start that is refused has written nothing
BEGIN;
SELECT df_start_singleton('wait_hold', 'wait d');
SELECT runtime_status FROM df_wait_for_completion('wait d', '10 ms');
COMMIT;
-- a step cannot wait for its own end
CREATE FUNCTION wait_self(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN (df_wait_for_completion(input #>> '{}')).output;
END $$;
CREATE FUNCTION wait_by_activity(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('wait_self', to_jsonb(df_instance_id()));
END $$;
SELECT df_start_singleton('wait_by_activity', 'wait g');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message
FROM df_wait_for_completion('wait g');

-- in a read-only transaction waits work
BEGIN READ ONLY;
SELECT runtime_status FROM df_wait_for_completion('wait a');
COMMIT;

-- interruptible
SET statement_timeout = '200 ms';
SELECT df_wait_for_completion('wait d', '1 hour');
\echo :LAST_ERROR_SQLSTATE
SELECT df_wait_for_any('{wait d,wait f}', NULL);
\echo :LAST_ERROR_SQLSTATE
CALL df_wait('wait d');
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;

-- at every isolation level the end is seen
SELECT df_start_singleton('wait_timer', 'wait e', '"100 ms"');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM wait_table;
SELECT runtime_status FROM df_wait_for_completion('wait e', '20 s');
COMMIT;
SELECT df_start_singleton('wait_timer', 'wait e', '"100 ms"');
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM wait_table;
SELECT runtime_status FROM df_wait_for_completion('wait e', '20 s');
COMMIT;

SELECT df_terminate('wait d'), df_terminate('wait f');
DROP TABLE wait_table;
DROP FUNCTION wait_timer, wait_hold, wait_fail, wait_self, wait_by_activity;
