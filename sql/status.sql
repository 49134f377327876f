-- df_get_status and the views show what an instance is and what it did.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE FUNCTION status_double(input jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT to_jsonb(2 * input::int) $$;
CREATE FUNCTION status_locked(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(6001);
	RETURN '"unlocked"';
END $$;
CREATE FUNCTION status_story(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb;
BEGIN
	x := df_call_activity('status_double', input);
	PERFORM df_set_custom_status(jsonb_build_object('so far', x));
	PERFORM df_create_timer('1 ms');
	BEGIN
		x := df_call_activity('status_double', '"not a number"');
	EXCEPTION WHEN invalid_parameter_value THEN
		NULL;
	END;
	x := df_record('"recorded"');
	x := df_wait_for_external_event('Late', '1 ms', '"default"');
	x := df_wait_for_external_event('go', '1 hour');
	RETURN x;
END $$;
CREATE FUNCTION status_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no luck' USING ERRCODE = 'XX123', DETAIL = 'the detail', HINT = 'the hint';
END $$;
CREATE FUNCTION status_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('100 years');
	RETURN NULL;
END $$;
CREATE FUNCTION status_slow(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('status_locked');
END $$;

-- no row for an unknown id, an error for none
SELECT * FROM df_get_status('status unknown');
SELECT error_of($$ SELECT df_get_status(NULL) $$);

-- a story up to its last wait
SELECT df_start_singleton('status_story', 'status a', '21');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'status a') $$);
SELECT name, instance_id, execution_id IS NOT NULL AS execution, runtime_status, input,
	custom_status, output, failure, created_time <= last_updated_time AS times, history
FROM df_get_status('status a') \gx
SELECT name, runtime_status, input, custom_status, output, failure, owner = current_user::regrole AS own,
	parent_instance_id, waiting_for, next_wake_time > now() AS wakes
FROM df_instances WHERE instance_id = 'status a' \gx
SELECT event_type, name, input, result, failure ->> 'sqlstate' AS failure FROM df_history
WHERE instance_id = 'status a' ORDER BY seq;
SELECT df_raise_event('status a', 'GO', '{"by": "me"}');
SELECT runtime_status, custom_status, output FROM df_wait_for_completion('status a');
SELECT waiting_for, next_wake_time FROM df_instances WHERE instance_id = 'status a';
SELECT event_type, name, input, result, failure ->> 'sqlstate' AS failure FROM df_history
WHERE instance_id = 'status a' ORDER BY seq;
SELECT count(*) = count(DISTINCT seq) AS distinct_seq,
	bool_and(event_time IS NOT NULL) AS times,
	array_agg(event_time ORDER BY seq) = array_agg(event_time ORDER BY event_time, seq) AS in_order
FROM df_history WHERE instance_id = 'status a';

-- the history in the status, with and without results and inputs
CREATE FUNCTION status_events(history jsonb) RETURNS TABLE (event text) LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(e - 'Timestamp' - 'ScheduledTime' - 'FireAt')::text
	FROM jsonb_array_elements(history) WITH ORDINALITY x (e, n) ORDER BY n
$$;
SELECT e.event FROM df_get_status('status a', show_history => true) s, status_events(s.history) e;
SELECT e.event FROM df_get_status('status a', true, show_history_output => true) s, status_events(s.history) e;
SELECT e.event FROM df_get_status('status a', true, true, show_input => false) s, status_events(s.history) e;
SELECT name, input, output, history IS NULL AS no_history FROM df_get_status('status a', show_input => false);
-- results without history: nothing to show them in
SELECT history FROM df_get_status('status a', show_history_output => true);
-- NULL for a flag is its default
SELECT input, history FROM df_get_status('status a', NULL, NULL, NULL);

-- Failed
SELECT df_start_singleton('status_fail', 'status b', '1');
SELECT runtime_status, output, failure - 'context' AS failure FROM df_wait_for_completion('status b');
SELECT event_type, name, input, result, failure - 'context' AS failure FROM df_history
WHERE instance_id = 'status b' ORDER BY seq;

-- Terminated
SELECT df_start_singleton('status_timer', 'status c');
CALL until($$ (SELECT waiting_for = 'timer' FROM df_instances WHERE instance_id = 'status c') $$);
SELECT runtime_status, next_wake_time > now() + interval '99 years' AS wakes FROM df_instances
WHERE instance_id = 'status c';
SELECT df_terminate('status c', 'enough');
SELECT runtime_status, output, failure FROM df_get_status('status c');
SELECT waiting_for, next_wake_time FROM df_instances WHERE instance_id = 'status c';
SELECT event_type, name, result FROM df_history WHERE instance_id = 'status c' ORDER BY seq;

-- Pending
SELECT df_start_singleton('status_timer', 'status d', start_at => '2200-01-01');
SELECT runtime_status, input, output, last_updated_time = created_time AS fresh FROM df_get_status('status d');
SELECT event_type, name FROM df_history WHERE instance_id = 'status d';
SELECT df_terminate('status d');

-- Running is shown while a worker executes even the first step, of which
-- nothing is committed
SELECT pg_advisory_lock(6001);
SELECT df_start_singleton('status_slow', 'status e');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'status e') $$);
SELECT runtime_status FROM df_get_status('status e');
SELECT runtime_status FROM df_instances WHERE instance_id = 'status e';
-- and the worker is in the view of workers
SELECT w.pid = a.pid AS backend, w.database = current_database() AS here, w.role = current_user AS own,
	w.function_name, w.step_start BETWEEN s.created_time AND clock_timestamp() AS since
FROM df_stat_workers w LEFT JOIN pg_stat_activity a USING (pid), df_get_status('status e') s
WHERE w.instance_id = 'status e';
SELECT pg_advisory_unlock(6001);
SELECT runtime_status, output FROM df_wait_for_completion('status e');
CALL until($$ NOT EXISTS (SELECT FROM df_stat_workers WHERE instance_id = 'status e') $$);

DROP FUNCTION status_double, status_locked, status_story, status_fail, status_timer, status_slow, status_events;
