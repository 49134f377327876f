-- df_terminate ends an active instance, whatever it is doing, and interrupts
-- its running step; the reason becomes the output.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE end_log (what text);
CREATE FUNCTION end_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION end_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no luck'; END $$;
CREATE FUNCTION end_log(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO end_log VALUES (input #>> '{}');
	RETURN NULL;
END $$;
CREATE FUNCTION end_hold(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"holding"');
	PERFORM df_call_activity('end_log', '"before"');
	RETURN df_wait_for_external_event('go', '1 hour');
END $$;
CREATE FUNCTION end_locked(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO end_log VALUES ('undone');
	PERFORM pg_advisory_xact_lock(6007);
	INSERT INTO end_log VALUES ('not reached');
	RETURN NULL;
END $$;
CREATE FUNCTION end_stubborn(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO end_log VALUES ('undone');
	BEGIN
		PERFORM pg_advisory_xact_lock(6007);
	EXCEPTION WHEN query_canceled THEN
		NULL;
	END;
	INSERT INTO end_log VALUES ('undone, too');
	RETURN '"cancelled and yet done"';
END $$;
CREATE FUNCTION end_step(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('end_log', '"before"');
	BEGIN
		PERFORM df_call_activity(input #>> '{}');
	EXCEPTION WHEN query_canceled OR OTHERS THEN
		NULL;
	END;
	PERFORM df_call_activity('end_log', '"after"');
	RETURN '"done"';
END $$;

-- in each status
SELECT error_of($$ SELECT df_terminate('end unknown') $$);
SELECT error_of($$ SELECT df_terminate(NULL) $$);
SELECT df_start_singleton('end_hold', 'end Pending', start_at => '2200-01-01');
SELECT df_start_singleton('end_hold', 'end Running');
SELECT df_start_singleton('end_hold', 'end Running 2');
SELECT df_start_singleton('end_echo', 'end Completed', '"done"');
SELECT df_start_singleton('end_fail', 'end Failed');
SELECT df_start_singleton('end_hold', 'end Terminated', start_at => '2200-01-01');
SELECT df_terminate('end Terminated', 'first reason');
CALL until($$ (SELECT count(*) = 2 FROM df_instances WHERE instance_id LIKE 'end Running%' AND waiting_for = 'event go') $$);
SELECT n, (df_wait_for_completion('end ' || n)).runtime_status FROM unnest('{Completed,Failed}'::text[]) n;
SELECT df_terminate('end Pending', 'some reason');
SELECT df_terminate('end Running', reason => 'it''s "enough"');
SELECT df_terminate('end Running 2');
SELECT error_of(format($$ SELECT df_terminate('end %s', 'second reason') $$, n)) FROM unnest('{Completed,Failed,Terminated}'::text[]) n;
SELECT instance_id, runtime_status, custom_status, output, failure ->> 'message' AS failure, waiting_for, next_wake_time
FROM df_instances WHERE instance_id LIKE 'end %' ORDER BY instance_id COLLATE "C";
SELECT event_type, name, result FROM df_history WHERE instance_id = 'end Running' ORDER BY seq;
-- it stays so: an event is refused, a start starts over
SELECT error_of($$ SELECT df_raise_event('end Running', 'go') $$);
SELECT df_start_singleton('end_echo', 'end Running', '"again"');
SELECT runtime_status, output FROM df_wait_for_completion('end Running');
SELECT df_start_singleton('end_hold', 'end Pending');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'end Pending') $$);
SELECT df_terminate('end Pending');
TRUNCATE end_log;

-- a step that executes is interrupted, and undone
SELECT pg_advisory_lock(6007);
SELECT df_start_singleton('end_step', 'end step', '"end_locked"');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'end step') $$);
SELECT clock_timestamp() AS began \gset
SELECT df_terminate('end step', 'while it executes');
SELECT runtime_status, output FROM df_get_status('end step');
CALL until($$ NOT EXISTS (SELECT FROM df_stat_workers WHERE instance_id = 'end step') $$);
SELECT clock_timestamp() - :'began' < interval '5 s' AS soon;
SELECT what FROM end_log;
SELECT runtime_status, output FROM df_get_status('end step');
SELECT event_type, name FROM df_history WHERE instance_id = 'end step' ORDER BY seq;
TRUNCATE end_log;
-- even one that does not let itself be cancelled
SELECT df_start_singleton('end_step', 'end stubborn', '"end_stubborn"');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'end stubborn') $$);
SELECT df_terminate('end stubborn');
CALL until($$ NOT EXISTS (SELECT FROM df_stat_workers WHERE instance_id = 'end stubborn') $$);
SELECT what FROM end_log;
SELECT runtime_status, output FROM df_get_status('end stubborn');
TRUNCATE end_log;
-- nor does such a one put its result into the execution that has taken its place
SELECT df_start_singleton('end_step', 'end stubborn', '"end_stubborn"');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'end stubborn') $$);
SELECT df_start_singleton('end_hold', 'end stubborn', on_conflict => 'terminate');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'end stubborn') $$);
SELECT what FROM end_log;
SELECT h.event_type, h.name, h.result FROM df_history h JOIN df_instances USING (instance_id, execution_id)
WHERE instance_id = 'end stubborn' ORDER BY seq;
SELECT df_raise_event('end stubborn', 'go', '"the new one"');
SELECT runtime_status, output FROM df_wait_for_completion('end stubborn');
TRUNCATE end_log;
-- and never one of another instance: the next one the worker takes goes on
SELECT df_start_singleton('end_step', 'end first', '"end_locked"');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'end first') $$);
SELECT df_start_singleton('end_step', 'end second', '"end_locked"');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'end second') $$);
SELECT df_terminate('end first');
CALL until($$ NOT EXISTS (SELECT FROM df_stat_workers WHERE instance_id = 'end first') $$);
SELECT EXISTS (SELECT FROM df_stat_workers WHERE instance_id = 'end second') AS still_there;
SELECT pg_advisory_unlock(6007);
SELECT runtime_status, output FROM df_wait_for_completion('end second');
SELECT what, count(*) FROM end_log GROUP BY 1 ORDER BY 1;
TRUNCATE end_log;

-- a new execution takes the place of one whose step is still executing
SELECT pg_advisory_lock(6007);
SELECT df_start_singleton('end_step', 'end replaced', '"end_locked"');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'end replaced') $$);
BEGIN;
SELECT df_terminate('end replaced', 'replaced');
SELECT df_start_singleton('end_echo', 'end replaced', '"the new one"');
COMMIT;
SELECT runtime_status, output FROM df_wait_for_completion('end replaced');
CALL until($$ NOT EXISTS (SELECT FROM df_stat_workers WHERE instance_id = 'end replaced') $$);
SELECT df_start_singleton('end_step', 'end replaced', '"end_locked"');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'end replaced') $$);
SELECT df_start_singleton('end_echo', 'end replaced', '"the newest one"', on_conflict => 'terminate');
SELECT runtime_status, output FROM df_wait_for_completion('end replaced');
SELECT pg_advisory_unlock(6007);
SELECT name, runtime_status, output FROM df_executions WHERE instance_id = 'end replaced' ORDER BY created_time;
SELECT what, count(*) FROM end_log GROUP BY 1 ORDER BY 1;

-- an instance that ends itself
CREATE FUNCTION end_self(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_terminate(input #>> '{}', 'by itself');
	RETURN NULL;
END $$;
CREATE FUNCTION end_suicide(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('end_self', to_jsonb(df_instance_id()));
END $$;
-- one that ends another, in an activity
SELECT df_start_singleton('end_hold', 'end victim');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'end victim') $$);
CREATE FUNCTION end_murder(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('end_self', input);
END $$;
SELECT df_start_singleton('end_murder', 'end murderer', '"end victim"');
SELECT runtime_status, output FROM df_wait_for_completion('end murderer');
SELECT runtime_status, output FROM df_get_status('end victim');
-- itself, in an activity or by its own hand
SELECT df_start_singleton('end_suicide', 'end suicide');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('end suicide', '5 s');
SELECT df_start_singleton('end_self', 'end self', '"end self"');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('end self', '5 s');
CREATE FUNCTION end_again(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN to_jsonb(df_start_singleton('end_echo', 'end again', on_conflict => 'terminate'));
END $$;
CREATE FUNCTION end_replace(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('end_again');
END $$;
SELECT df_start_singleton('end_replace', 'end again');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('end again', '5 s');

-- a long reason is kept
SELECT df_start_singleton('end_hold', 'end reason', start_at => '2200-01-01');
SELECT df_terminate('end reason', repeat('x', 10000));
SELECT length(output #>> '{}') FROM df_get_status('end reason');

DROP TABLE end_log;
DROP FUNCTION end_echo, end_fail, end_log, end_hold, end_locked, end_stubborn, end_step, end_self, end_suicide, end_murder,
	end_again, end_replace;
