-- Tasks run in parallel; df_await, df_wait_all and df_wait_any return their
-- results, failures and winners, the same at every replay; a task that is not
-- awaited loses nothing but its result.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE task_log (n int GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION task_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION task_log(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO task_log (what) VALUES (input #>> '{}');
	RETURN input;
END $$;
CREATE FUNCTION task_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO task_log (what) VALUES ('lost with the failure');
	RAISE EXCEPTION 'no %', input ->> 'what'
		USING ERRCODE = input ->> 'sqlstate', DETAIL = 'The shelf is empty.', HINT = 'Come back tomorrow.';
END $$;
CREATE FUNCTION task_wait(entry text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 6000 LOOP
		IF EXISTS (SELECT FROM task_log WHERE what = entry) THEN
			RETURN;
		END IF;
		PERFORM pg_sleep(0.01);
	END LOOP;
	RAISE EXCEPTION 'waited in vain for %', entry;
END $$;
CREATE FUNCTION task_fail_after(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM task_wait(input ->> 'after');
	RETURN task_fail(input);
END $$;
-- ends when the entry that it waits for is in the log
CREATE FUNCTION task_after(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM task_wait(input ->> 'after');
	INSERT INTO task_log (what) VALUES (input ->> 'log');
	RETURN input -> 'log';
END $$;
-- writes, then stands at the gate
CREATE FUNCTION task_gate(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO task_log (what) VALUES (input #>> '{}');
	PERFORM pg_advisory_xact_lock_shared(6020);
	RETURN input;
END $$;
CREATE FUNCTION task_child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_array(df_call_activity('task_echo', input));
END $$;
-- true while that many workers stand at the gate
CREATE FUNCTION task_at_gate(expected int) RETURNS boolean LANGUAGE sql AS $$
	SELECT count(*) = expected FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND l.objid = 6020 AND NOT l.granted
$$;

-- results come in the order of the array, whatever the order in which the
-- tasks ended (here: the first last), and as often as they are asked for
CREATE FUNCTION task_order(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
BEGIN
	FOR i IN 1 .. 2 LOOP
		t := t || df_schedule_activity('task_after', jsonb_build_object('after', format('order %s', i + 1), 'log', format('order %s', i)));
	END LOOP;
	t := t || df_schedule_activity('task_log', '"order 3"');
	RETURN jsonb_build_object('numbers', t, 'all', df_wait_all(t), 'some', df_wait_all(ARRAY[t[3], t[1], t[1]]),
		'one', df_await(t[2]), 'again', df_await(t[2]), 'none', df_wait_all('{}'), 'no task', df_wait_all(ARRAY[]::int[]));
END $$;
SELECT df_start_singleton('task_order', 'task order');
SELECT runtime_status, jsonb_pretty(output) AS output, failure FROM df_wait_for_completion('task order');
SELECT what FROM task_log ORDER BY n;
SELECT event_type, count(*) FROM df_history WHERE instance_id = 'task order' GROUP BY 1 ORDER BY 1;
TRUNCATE task_log;

-- all kinds of tasks in one wait
CREATE FUNCTION task_mix(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
BEGIN
	t[1] := df_schedule_activity('task_echo', '{"an": "object"}');
	t[2] := df_schedule_timer('20 ms');
	t[3] := df_schedule_event('Go');
	t[4] := df_schedule_sub_orchestrator('task_child', '"child"');
	t[5] := df_schedule_activity('task_echo', NULL);
	t[6] := df_schedule_activity('task_echo', 'null');
	t[7] := df_schedule_timer(fire_at => df_current_utc_datetime() - interval '1 hour');
	t[8] := df_schedule_sub_orchestrator('task_child', '8', 'task mix, child');
	t[9] := df_schedule_event('go');
	PERFORM df_set_custom_status('"waits"');
	RETURN jsonb_build_object('numbers', t, 'all', df_wait_all(t), 'timer', df_await(t[2]), 'timer is NULL', df_await(t[2]) IS NULL,
		'activity is NULL', df_await(t[5]) IS NULL, 'JSON null is not', df_await(t[6]) IS NULL, 'event', df_await(t[9]), 'child', df_await(t[4]));
END $$;
SELECT df_start_singleton('task_mix', 'task mix');
SELECT df_raise_event('task mix', 'GO', '{"the": "first"}');
CALL until($$ (SELECT custom_status = '"waits"' FROM df_instances WHERE instance_id = 'task mix') $$);
SELECT runtime_status FROM df_get_status('task mix');
SELECT df_raise_event('task mix', 'go', '{"the": "second"}');
SELECT runtime_status, jsonb_pretty(output) AS output, failure FROM df_wait_for_completion('task mix');
SELECT event_type, name, count(*) FROM df_history WHERE instance_id = 'task mix' GROUP BY 1, 2 ORDER BY 1, 2;
-- only tasks that nobody awaits: neither timer nor event holds it up
CREATE FUNCTION task_lazy(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	ev int := df_schedule_event('never');
	t int := df_schedule_timer('1 hour');
BEGIN
	PERFORM df_call_activity('task_echo');
	RETURN jsonb_build_array(ev, t);
END $$;
SELECT df_start_singleton('task_lazy', 'task lazy');
SELECT runtime_status, output FROM df_wait_for_completion('task lazy');
SELECT waiting_for, next_wake_time FROM df_instances WHERE instance_id = 'task lazy';

-- failures: df_wait_all raises the first in array order once ALL have ended,
-- the others are there for df_await, also the failed ones
CREATE FUNCTION task_failures(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
	answer jsonb := '{}';
	state text; message text; detail text; hint text;
BEGIN
	t[1] := df_schedule_activity('task_log', '"failures: ok"');
	t[2] := df_schedule_activity('task_fail_after', '{"after": "failures: last", "what": "patience", "sqlstate": "ZZ002"}');
	t[3] := df_schedule_activity('task_fail', '{"what": "luck", "sqlstate": "ZZ003"}');
	t[4] := df_schedule_activity('task_after', '{"after": "failures: ok", "log": "failures: last"}');
	BEGIN
		PERFORM df_wait_all(t);
	EXCEPTION WHEN SQLSTATE 'ZZ003' THEN
		answer := answer || '{"all": "the one that failed first"}';
	WHEN SQLSTATE 'ZZ002' THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
			detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		answer := answer || jsonb_build_object('all', ARRAY[state, message, detail, hint]);
	END;
	answer := answer || jsonb_build_object('log at that time', df_record((SELECT jsonb_agg(what ORDER BY n) FROM task_log)));
	BEGIN
		PERFORM df_wait_all(ARRAY[t[4], t[3], t[2]]);
	EXCEPTION WHEN OTHERS THEN
		answer := answer || jsonb_build_object('other order', SQLERRM);
	END;
	FOR i IN 1 .. 2 LOOP
		BEGIN
			PERFORM df_await(t[3]);
		EXCEPTION WHEN OTHERS THEN
			answer := answer || jsonb_build_object('await ' || i, SQLERRM);
		END;
	END LOOP;
	PERFORM df_call_activity('task_echo');
	RETURN answer || jsonb_build_object('good ones', df_wait_all(ARRAY[t[4], t[1]]));
END $$;
SELECT df_start_singleton('task_failures', 'task failures');
SELECT runtime_status, jsonb_pretty(output) AS output, failure FROM df_wait_for_completion('task failures');
SELECT what FROM task_log ORDER BY n;
SELECT event_type, name, result, failure - 'context' AS failure FROM df_history
WHERE instance_id = 'task failures' AND event_type IN ('TaskCompleted', 'TaskFailed') ORDER BY name COLLATE "C", result;
TRUNCATE task_log;
-- uncaught it fails the instance, which tells what failed
CREATE FUNCTION task_uncaught(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
BEGIN
	t[1] := df_schedule_activity('task_log', '"stays"');
	t[2] := df_schedule_activity('task_fail', '{"what": "luck", "sqlstate": "23505"}');
	t[3] := df_schedule_activity('task_log', '"stays"');
	RETURN df_wait_all(t);
END $$;
SELECT df_start_singleton('task_uncaught', 'task uncaught');
SELECT runtime_status, output, jsonb_pretty(failure - 'context') AS failure FROM df_wait_for_completion('task uncaught');
SELECT what FROM task_log ORDER BY n;
TRUNCATE task_log;
-- functions that are missing or forbidden, results that are refused: the
-- task's failure or the call's, but always one that can be caught
CREATE FUNCTION task_try(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb;
BEGIN
	EXECUTE 'SELECT to_jsonb(' || (input #>> '{}') || ')' INTO x;
	RETURN jsonb_build_object('result', x);
EXCEPTION WHEN OTHERS THEN
	RETURN to_jsonb(SQLSTATE || ': ' || SQLERRM);
END $$;
CREATE FUNCTION task_inside(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_await(1);
	RETURN NULL;
END $$;
CREATE VIEW task_tries AS SELECT c, n, 'task try ' || n AS id FROM unnest(ARRAY[
	$$df_await(df_schedule_activity('task_nowhere'))$$,
	$$df_wait_all(ARRAY[df_schedule_activity('task_echo', '1'), df_schedule_activity('task_nowhere')])$$,
	$$df_await(df_schedule_sub_orchestrator('task_nowhere'))$$,
	$$df_await(df_schedule_activity('task_inside'))$$,
	$$df_schedule_activity(NULL)$$, $$df_schedule_activity('')$$,
	$$df_schedule_sub_orchestrator(NULL)$$, $$df_schedule_sub_orchestrator('task_child', NULL, '')$$,
	$$df_schedule_sub_orchestrator('task_child', NULL, repeat('x', 257))$$,
	$$df_schedule_timer()$$, $$df_schedule_timer(NULL)$$, $$df_schedule_timer('1 s', now())$$,
	$$df_schedule_event(NULL)$$, $$df_schedule_event('')$$, $$df_schedule_event(E'g\no')$$,
	$$df_await(NULL)$$, $$df_await(0)$$, $$df_await(-1)$$, $$df_await(1)$$, $$df_await(2147483647)$$,
	$$df_wait_all(NULL)$$, $$df_wait_all(ARRAY[1])$$, $$df_wait_all(ARRAY[df_schedule_timer('1 ms'), NULL])$$,
	$$df_wait_all(ARRAY[df_schedule_timer('1 ms'), 2])$$,
	$$df_wait_any(NULL)$$, $$df_wait_any('{}')$$, $$df_wait_any(ARRAY[1])$$, $$df_wait_any(ARRAY[NULL, df_schedule_timer('1 ms')])$$,
	$$df_wait_any(ARRAY[df_schedule_timer('1 ms'), 0])$$,
	$$jsonb_build_array(df_call_activity('task_echo', '1'), df_await(1))$$,
	$$jsonb_build_array(df_record('1'), df_await(1))$$,
	$$df_wait_all(ARRAY[ARRAY[df_schedule_timer('1 ms')], ARRAY[df_schedule_activity('task_echo', '2')]])$$,
	$$df_wait_any(ARRAY[df_schedule_activity('task_echo', '1')])$$
	]) WITH ORDINALITY x (c, n);
SELECT count(*) FILTER (WHERE df_start_singleton('task_try', id, to_jsonb(c))) FROM task_tries;
SELECT c, s.runtime_status, s.output, s.failure ->> 'message' AS message FROM task_tries, df_wait_for_completion(id) s ORDER BY n;
-- outside an orchestrator and inside an activity
SELECT error_of($$ SELECT df_schedule_activity('task_echo') $$);
SELECT error_of($$ SELECT df_schedule_sub_orchestrator('task_child') $$);
SELECT error_of($$ SELECT df_schedule_timer('1 s') $$);
SELECT error_of($$ SELECT df_schedule_event('go') $$);
SELECT error_of($$ SELECT df_await(1) $$);
SELECT error_of($$ SELECT df_wait_all('{}') $$);
SELECT error_of($$ SELECT df_wait_any('{1}') $$);

-- the winner is the task that ended first, failed ones included; it is the
-- same at each replay, whatever has ended since
CREATE FUNCTION task_winner(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	a int := df_schedule_event('a');
	b int := df_schedule_event('b');
	w int[];
BEGIN
	w[1] := df_wait_any(ARRAY[a, b]);
	PERFORM df_set_custom_status(to_jsonb(w));
	PERFORM df_wait_for_external_event('next');
	w[2] := df_await(a)::int;
	w[3] := df_wait_any(ARRAY[a, b]);
	w[4] := df_wait_any(ARRAY[a]);
	PERFORM df_set_custom_status(to_jsonb(w));
	PERFORM df_wait_for_external_event('next');
	w[5] := df_await(df_wait_any(ARRAY[a, b]))::int;
	PERFORM df_call_activity('task_log', to_jsonb(w));
	RETURN to_jsonb(w);
END $$;
SELECT df_start_singleton('task_winner', 'task winner');
SELECT df_raise_event('task winner', 'b', '200');
CALL until($$ (SELECT custom_status = '[2]' FROM df_instances WHERE instance_id = 'task winner') $$);
SELECT df_raise_event('task winner', 'a', '100');
SELECT df_raise_event('task winner', 'next');
CALL until($$ (SELECT custom_status = '[2, 100, 2, 1]' FROM df_instances WHERE instance_id = 'task winner') $$);
SELECT df_raise_event('task winner', 'next');
SELECT runtime_status, output, failure FROM df_wait_for_completion('task winner');
SELECT event_type, name, result FROM df_history WHERE instance_id = 'task winner' AND event_type = 'EventRaised' ORDER BY seq;
TRUNCATE task_log;
CREATE FUNCTION task_first(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
	w int;
	answer jsonb := '[]';
BEGIN
	t[1] := df_schedule_activity('task_after', '{"after": "first: 2", "log": "first: 1"}');
	t[2] := df_schedule_activity('task_after', '{"after": "first: 3", "log": "first: 2"}');
	t[3] := df_schedule_activity('task_fail_after', '{"after": "first: 4", "what": "luck", "sqlstate": "ZZ003"}');
	t[4] := df_schedule_activity('task_log', '"first: 4"');
	PERFORM df_await(t[4]);
	w := df_wait_any(t[1:3]);
	BEGIN
		PERFORM df_await(w);
	EXCEPTION WHEN SQLSTATE 'ZZ003' THEN
		answer := answer || jsonb_build_array('task ' || w || ' has failed');
	END;
	PERFORM df_call_activity('task_log', '"first: 3"');
	BEGIN
		PERFORM df_wait_all(t);
	EXCEPTION WHEN SQLSTATE 'ZZ003' THEN
		answer := answer || '["all have ended"]';
	END;
	-- all ended long ago, in the order 4, 3, 2, 1
	RETURN answer || jsonb_build_array(df_wait_any(t), df_wait_any(t[1:2]), df_wait_any(t[1:1]), df_wait_any(t[1:3]));
END $$;
SELECT df_start_singleton('task_first', 'task first');
SELECT runtime_status, output, failure FROM df_wait_for_completion('task first');
SELECT what FROM task_log ORDER BY n;
TRUNCATE task_log;
-- a window of three over ten tasks: the next begins when one ends
CREATE FUNCTION task_window(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	running int[];
	w int;
	results int[];
BEGIN
	FOR i IN 1 .. 10 LOOP
		running := running || df_schedule_activity('task_echo', to_jsonb(i));
		IF cardinality(running) = 3 THEN
			w := df_wait_any(running);
			results := results || df_await(w)::int;
			running := array_remove(running, w);
		END IF;
	END LOOP;
	RETURN jsonb_build_object('last', (SELECT jsonb_agg(x ORDER BY x) FROM unnest(results || ARRAY(SELECT jsonb_array_elements(df_wait_all(running))::int)) x));
END $$;
SELECT df_start_singleton('task_window', 'task window');
SELECT runtime_status, output, failure FROM df_wait_for_completion('task window');

-- escalation: the branch that lost swallows no event, the second round gets
-- the first that comes
CREATE FUNCTION task_escalate(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	delay jsonb;
	round int := 0;
	ev int;
	t int;
BEGIN
	FOR delay IN SELECT jsonb_array_elements(input) LOOP
		round := round + 1;
		ev := df_schedule_event('approve');
		t := df_schedule_timer((delay #>> '{}')::interval);
		PERFORM df_set_custom_status(jsonb_build_object('round', round));
		IF df_wait_any(ARRAY[ev, t]) = ev THEN
			RETURN jsonb_build_object('round', round, 'approved by', df_await(ev));
		END IF;
		PERFORM df_call_activity('task_log', to_jsonb('escalated ' || round));
	END LOOP;
	RETURN '"nobody"';
END $$;
SELECT df_start_singleton('task_escalate', 'task escalate', '["10 ms", "1 hour"]');
CALL until($$ (SELECT custom_status ->> 'round' = '2' FROM df_instances WHERE instance_id = 'task escalate') $$);
SELECT df_raise_event('task escalate', 'approve', '"the boss"');
SELECT runtime_status, output, failure FROM df_wait_for_completion('task escalate');
SELECT event_type, name, result FROM df_history WHERE instance_id = 'task escalate' ORDER BY seq;
SELECT waiting_for, next_wake_time FROM df_instances WHERE instance_id = 'task escalate';
SELECT df_start_singleton('task_escalate', 'task escalate 2', '["1 ms", "2 ms", "3 ms"]');
SELECT runtime_status, output FROM df_wait_for_completion('task escalate 2');
SELECT df_start_singleton('task_escalate', 'task escalate 3', '["1 hour"]');
SELECT df_raise_event('task escalate 3', 'APPROVE', '"at once"');
SELECT runtime_status, output FROM df_wait_for_completion('task escalate 3');
SELECT what FROM task_log ORDER BY n;
TRUNCATE task_log;
-- an event that comes between two waits is for whoever awaits it next; the
-- branch that lost can be awaited again
CREATE FUNCTION task_lost_event(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	ev int := df_schedule_event('go');
	t int := df_schedule_timer('1 ms');
	answer jsonb;
BEGIN
	answer := jsonb_build_array(df_wait_any(ARRAY[ev, t]) = t);
	PERFORM df_set_custom_status('"lost"');
	PERFORM df_wait_for_external_event('next');
	answer := answer || jsonb_build_array(df_wait_for_external_event('go'));
	RETURN answer || jsonb_build_array(df_await(ev));
END $$;
SELECT df_start_singleton('task_lost_event', 'task lost event');
CALL until($$ (SELECT custom_status = '"lost"' FROM df_instances WHERE instance_id = 'task lost event') $$);
SELECT df_raise_event('task lost event', 'go', '1'), df_raise_event('task lost event', 'go', '2'), df_raise_event('task lost event', 'next');
SELECT runtime_status, output, failure FROM df_wait_for_completion('task lost event');
-- one event is for one task
CREATE FUNCTION task_two_events(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[] := ARRAY[df_schedule_event('go'), df_schedule_event('GO')];
	w int;
BEGIN
	w := df_wait_any(t);
	PERFORM df_set_custom_status(to_jsonb(w));
	RETURN jsonb_build_array(df_await(w)) || df_wait_all(array_remove(t, w)) || df_wait_all(t);
END $$;
SELECT df_start_singleton('task_two_events', 'task two events');
SELECT df_raise_event('task two events', 'go', '1');
CALL until($$ (SELECT custom_status IS NOT NULL FROM df_instances WHERE instance_id = 'task two events') $$);
SELECT custom_status, runtime_status FROM df_get_status('task two events');
SELECT df_raise_event('task two events', 'go', '2');
SELECT runtime_status, output, failure FROM df_wait_for_completion('task two events');
-- a timer that lost still fires for one who awaits it, and not before
CREATE FUNCTION task_lost_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz := df_current_utc_datetime();
	t int := df_schedule_timer('100 ms');
	w int := df_wait_any(ARRAY[t, df_schedule_activity('task_echo')]);
BEGIN
	PERFORM df_await(t);
	RETURN jsonb_build_array(w, df_current_utc_datetime() - began BETWEEN interval '100 ms' AND interval '30 s');
END $$;
SELECT df_start_singleton('task_lost_timer', 'task lost timer');
SELECT runtime_status, output, failure FROM df_wait_for_completion('task lost timer');

-- an event can have a time-out of its own, whoever awaits it: then the default
-- value is its data
CREATE FUNCTION task_event_timeout(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
	w int;
BEGIN
	t[1] := df_schedule_event('go', '10 ms', '"default"');
	t[2] := df_schedule_event('come', '1 hour', '"default"');
	t[3] := df_schedule_event('stay', timeout => '20 ms');
	w := df_wait_any(t);
	RETURN jsonb_build_array(w, df_wait_all(t), df_await(t[3]) IS NULL, df_wait_any(t[1:1]));
END $$;
SELECT df_start_singleton('task_event_timeout', 'task event timeout');
CALL until($$ (SELECT EXISTS (SELECT FROM df_history WHERE instance_id = 'task event timeout' AND event_type = 'TimerFired')) $$);
SELECT df_raise_event('task event timeout', 'come', '"came"');
SELECT runtime_status, output, failure FROM df_wait_for_completion('task event timeout');

-- what it waits for
CREATE FUNCTION task_waiting(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
BEGIN
	t[1] := df_schedule_event('Go');
	t[2] := df_schedule_timer('1 hour');
	t[3] := df_schedule_sub_orchestrator('task_lazy_child', NULL, 'task waiting''s');
	t[4] := df_schedule_activity('task_gate', '"waiting"');
	CASE input #>> '{}'
		WHEN 'one' THEN PERFORM df_await(t[1]);
		WHEN 'timer' THEN PERFORM df_await(t[2]);
		WHEN 'child' THEN PERFORM df_await(t[3]);
		WHEN 'activity' THEN PERFORM df_await(t[4]);
		WHEN 'any' THEN PERFORM df_wait_any(t);
		WHEN 'all' THEN PERFORM df_wait_all(t);
	END CASE;
	RETURN NULL;
END $$;
CREATE FUNCTION task_lazy_child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN df_wait_for_external_event('go'); END $$;
SELECT pg_advisory_lock(6020);
DO $$
DECLARE
	k text;
	line text;
BEGIN
	FOREACH k IN ARRAY '{one,timer,child,activity,any,all}'::text[] LOOP
		PERFORM df_start_singleton('task_waiting', 'task waiting', to_jsonb(k), on_conflict => 'terminate');
		COMMIT;
		CALL until($u$ (SELECT waiting_for IS NOT NULL FROM df_instances WHERE instance_id = 'task waiting') $u$);
		SELECT format('%s: %s, %s', k, waiting_for, next_wake_time > now()) INTO line FROM df_instances WHERE instance_id = 'task waiting';
		RAISE WARNING '%', line;
		PERFORM df_terminate('task waiting');
		COMMIT;
		CALL until($u$ NOT EXISTS (SELECT FROM df_instances WHERE instance_id = 'task waiting''s' AND runtime_status IN ('Pending', 'Running')) $u$);
	END LOOP;
END $$;
CALL until($$ task_at_gate(0) $$);
SELECT pg_advisory_unlock(6020);

-- an activity that lost runs to its end; its result is stored, and ignored
SELECT pg_advisory_lock(6020);
CREATE FUNCTION task_lost(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	a int := df_schedule_activity('task_gate', '"lost branch"');
	t int := df_schedule_timer('1 ms');
	w int;
BEGIN
	w := df_wait_any(ARRAY[a, t]);
	PERFORM df_set_custom_status(to_jsonb(w));
	IF input = '"goes on"' THEN
		PERFORM df_wait_for_external_event('next');
		RETURN jsonb_build_array(w, df_wait_any(ARRAY[a, t]));
	END IF;
	IF input = '"fails"' THEN
		RAISE EXCEPTION 'no luck';
	END IF;
	RETURN to_jsonb(w);
END $$;
SELECT df_start_singleton('task_lost', 'task lost');
SELECT df_start_singleton('task_lost', 'task lost, fails', '"fails"');
SELECT df_start_singleton('task_lost', 'task lost, goes on', '"goes on"');
CALL until($$ (SELECT count(*) = 3 FROM df_instances WHERE instance_id LIKE 'task lost%' AND custom_status = '2') $$);
CALL until($$ task_at_gate(3) $$);
SELECT i.instance_id, s.runtime_status, s.output FROM df_instances i, df_wait_for_completion(i.instance_id) s WHERE i.instance_id IN ('task lost', 'task lost, fails') ORDER BY 1;
SELECT count(*) FROM task_log;
SELECT pg_advisory_unlock(6020);
CALL until($$ (SELECT count(*) = 3 FROM task_log) $$);
SELECT df_raise_event('task lost, goes on', 'next');
SELECT runtime_status, output, failure FROM df_wait_for_completion('task lost, goes on');
SELECT instance_id, runtime_status, output, failure ->> 'message' AS message FROM df_instances WHERE instance_id LIKE 'task lost%' AND custom_status = '2' ORDER BY 1;
SELECT instance_id, event_type, name, result FROM df_history
WHERE instance_id IN ('task lost', 'task lost, fails', 'task lost, goes on') AND name = 'task_gate' ORDER BY 1, seq;
TRUNCATE task_log;

-- fire and forget: nobody awaits them, they run all the same
CREATE FUNCTION task_forget(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_schedule_activity('task_log', to_jsonb('forgotten ' || n)) FROM generate_series(1, 3) n;
	PERFORM df_schedule_activity('task_fail', '{"what": "luck", "sqlstate": "ZZ001"}');
	PERFORM df_schedule_sub_orchestrator('task_forget_child', '"forgotten child"');
	IF input = '"fails"' THEN
		PERFORM df_call_activity('task_echo');
		-- what the pass that fails begins, is undone like what it writes
		PERFORM df_schedule_activity('task_log', '"never begun"');
		RAISE EXCEPTION 'no luck';
	END IF;
	RETURN '"done"';
END $$;
CREATE FUNCTION task_forget_child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('task_log', input);
END $$;
SELECT df_start_singleton('task_forget', 'task forget');
SELECT runtime_status, output FROM df_wait_for_completion('task forget');
CALL until($$ (SELECT count(*) = 4 FROM task_log) $$);
CALL until($$ (SELECT count(*) = 4 FROM df_history WHERE instance_id = 'task forget' AND event_type IN ('TaskCompleted', 'TaskFailed')) $$);
SELECT event_type, name, result, failure ->> 'sqlstate' AS sqlstate, count(*) FROM df_history
WHERE instance_id = 'task forget' AND event_type LIKE 'Task%' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3;
SELECT what FROM task_log ORDER BY what;
TRUNCATE task_log;
SELECT df_start_singleton('task_forget', 'task forget', '"fails"');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('task forget');
CALL until($$ (SELECT count(*) = 4 FROM task_log) $$);
SELECT what FROM task_log ORDER BY what;
SELECT event_type, h.name, count(*) FROM df_history h JOIN df_instances i USING (instance_id, execution_id)
WHERE instance_id = 'task forget' AND event_type = 'TaskScheduled' GROUP BY 1, 2 ORDER BY 2;
TRUNCATE task_log;

-- continue-as-new, a start over the ended id and terminate cancel them: what
-- runs is undone
CREATE FUNCTION task_cancelled(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
BEGIN
	IF input ->> 0 = 'again' THEN
		RETURN '"again"';
	END IF;
	FOR i IN 1 .. 3 LOOP
		t := t || df_schedule_activity('task_gate', to_jsonb('cancelled ' || i));
	END LOOP;
	t := t || df_schedule_timer('1 ms');
	PERFORM df_wait_any(t);
	PERFORM df_set_custom_status('"waits"');
	CASE input ->> 0
		WHEN 'turn' THEN
			PERFORM df_wait_for_external_event('next');
			PERFORM df_continue_as_new('["again"]');
		WHEN 'wait' THEN
			PERFORM df_wait_all(t);
		ELSE NULL;
	END CASE;
	RETURN '"done"';
END $$;
SELECT pg_advisory_lock(6020);
SELECT df_start_singleton('task_cancelled', 'task cancelled', '["turn"]');
CALL until($$ task_at_gate(3) $$);
SELECT df_raise_event('task cancelled', 'next');
SELECT runtime_status, input, output FROM df_wait_for_completion('task cancelled');
CALL until($$ task_at_gate(0) $$);
SELECT df_start_singleton('task_cancelled', 'task cancelled', '["wait"]');
CALL until($$ task_at_gate(3) $$);
SELECT df_terminate('task cancelled', 'enough');
SELECT runtime_status, output FROM df_get_status('task cancelled');
CALL until($$ task_at_gate(0) $$);
SELECT df_start_singleton('task_cancelled', 'task cancelled', '["end"]');
SELECT runtime_status, output FROM df_wait_for_completion('task cancelled');
CALL until($$ task_at_gate(3) $$);
SELECT df_start_singleton('task_cancelled', 'task cancelled', '["again", "over the ended id"]');
SELECT runtime_status, output FROM df_wait_for_completion('task cancelled');
CALL until($$ task_at_gate(0) $$);
SELECT df_start_singleton('task_cancelled', 'task cancelled', '["wait"]');
CALL until($$ task_at_gate(3) $$);
SELECT df_start_singleton('task_cancelled', 'task cancelled', '["again", "on_conflict"]', on_conflict => 'terminate');
SELECT runtime_status, output FROM df_wait_for_completion('task cancelled');
CALL until($$ task_at_gate(0) $$);
SELECT pg_advisory_unlock(6020);
-- and does not begin again later
SELECT df_start_singleton('task_order', 'task order');
SELECT runtime_status FROM df_wait_for_completion('task order');
SELECT what FROM task_log WHERE what NOT LIKE 'order %';
SELECT event_type, name FROM df_history WHERE instance_id = 'task cancelled' AND event_type IN ('TaskCompleted', 'TaskFailed');
TRUNCATE task_log;

-- event against timer: what came first wins, whenever it is looked at.  No
-- workers in this database from here on.
CREATE FUNCTION task_race(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int := df_schedule_timer('2 s');
	ev int := df_schedule_event('go');
	w int := df_wait_any(ARRAY[t, ev]);
BEGIN
	RETURN jsonb_build_array(CASE w WHEN t THEN 'timer' ELSE 'event' END, df_await(w));
END $$;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET durable_singleton.enabled = off', current_database()); END $$;
CALL workers_leave();
CALL until($$ NOT EXISTS (SELECT FROM df_stat_workers WHERE database = current_database()) $$);
SELECT df_start_singleton('task_race', 'task race, event first');
SELECT df_start_singleton('task_race', 'task race, timer first');
SELECT df_start_singleton('task_race', 'task race, timer alone');
CALL df_run();
SELECT df_raise_event('task race, event first', 'go', '"sent before the timer fell due"');
CALL until($$ (SELECT count(*) = 3 FROM df_instances WHERE instance_id LIKE 'task race%' AND next_wake_time < clock_timestamp()) $$);
SELECT df_raise_event('task race, timer first', 'go', '"sent after the timer fell due"');
CALL df_run();
SELECT instance_id, runtime_status, output FROM df_instances WHERE instance_id LIKE 'task race%' ORDER BY 1;
-- df_run drives tasks and children, too, and does not return before nothing is
-- ready
SELECT df_start_singleton('task_window', 'task window');
SELECT df_start_singleton('task_forget', 'task forget');
SELECT df_start_singleton('task_uncaught', 'task uncaught');
CALL df_run();
SELECT instance_id, runtime_status, output, failure ->> 'message' AS message FROM df_instances WHERE instance_id IN ('task window', 'task forget', 'task uncaught') ORDER BY 1;
SELECT what FROM task_log ORDER BY what;
TRUNCATE task_log;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET durable_singleton.enabled', current_database()); END $$;

-- retry: each task has its own policy; history has every attempt
CREATE SEQUENCE task_attempt;
CREATE FUNCTION task_third_time(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('task_attempt') < 3 THEN
		RAISE EXCEPTION 'not yet' USING ERRCODE = 'ZZ001';
	END IF;
	RETURN '"third time"';
END $$;
CREATE FUNCTION task_retry(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
	answer jsonb := '{}';
BEGIN
	t[1] := df_schedule_activity('task_third_time', NULL, df_retry_policy(5, '1 ms'));
	t[2] := df_schedule_activity('task_fail', '{"what": "luck", "sqlstate": "ZZ002"}', df_retry_policy(max_attempts => 3, first_interval => '1 ms', backoff_coefficient => 2));
	t[3] := df_schedule_activity('task_fail', '{"what": "retry", "sqlstate": "ZZ003"}', df_retry_policy(5, '1 ms', retry_on => '{ZZ001}'));
	t[4] := df_schedule_activity('task_echo', '"at once"', df_retry_policy(5));
	FOR i IN 1 .. 4 LOOP
		BEGIN
			answer := answer || jsonb_build_object(i, df_await(t[i]));
		EXCEPTION WHEN OTHERS THEN
			answer := answer || jsonb_build_object(i, SQLSTATE);
		END;
	END LOOP;
	BEGIN
		PERFORM df_schedule_activity('task_echo', NULL, '{"max_attempts": 0}');
	EXCEPTION WHEN OTHERS THEN
		answer := answer || jsonb_build_object('bad policy', SQLSTATE);
	END;
	PERFORM df_await(t[2]);
	RETURN answer;
EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
	RETURN answer;
END $$;
SELECT df_start_singleton('task_retry', 'task retry');
SELECT runtime_status, jsonb_pretty(output) AS output, failure FROM df_wait_for_completion('task retry');
SELECT name, event_type, failure ->> 'sqlstate' AS sqlstate, failure ->> 'attempts' AS attempts, count(*) FROM df_history
WHERE instance_id = 'task retry' AND event_type LIKE 'Task%' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT event_type, count(*) FROM df_history WHERE instance_id = 'task retry' AND event_type LIKE 'Timer%' GROUP BY 1 ORDER BY 1;
TRUNCATE task_log;

-- recorded values, custom status, clock and ids between tasks are the same at
-- each replay
CREATE FUNCTION task_between(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	a int; b int;
	first jsonb;
	replaying boolean[];
BEGIN
	replaying[1] := df_is_replaying();
	a := df_schedule_activity('task_echo', '1');
	first := jsonb_build_array(df_record(to_jsonb(clock_timestamp())), df_new_guid(), df_current_utc_datetime());
	PERFORM df_set_custom_status('"one"');
	b := df_schedule_activity('task_echo', first);
	PERFORM df_set_custom_status('"two"');
	replaying[2] := df_is_replaying();
	PERFORM df_await(a);
	replaying[3] := df_is_replaying();
	PERFORM df_create_timer('1 ms');
	replaying[4] := df_is_replaying();
	RETURN jsonb_build_object('same', df_await(b) = first, 'replaying', replaying);
END $$;
SELECT df_start_singleton('task_between', 'task between');
SELECT runtime_status, custom_status, output, failure FROM df_wait_for_completion('task between');

-- writes before a wait for tasks are detected; without a wait, or after the
-- last one, they are fine and commit with the end
CREATE FUNCTION task_write(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int;
BEGIN
	IF input = '"before"' THEN
		INSERT INTO task_log (what) VALUES ('lost');
	END IF;
	t := df_schedule_activity('task_echo', '1');
	IF input IN ('"between"', '"no wait"') THEN
		INSERT INTO task_log (what) VALUES (CASE input WHEN '"between"' THEN 'lost' ELSE 'without a wait' END);
	END IF;
	CASE input #>> '{}'
		WHEN 'no wait' THEN NULL;
		WHEN 'any' THEN
			INSERT INTO task_log (what) VALUES ('lost');
			PERFORM df_wait_any(ARRAY[t]);
		WHEN 'all' THEN
			INSERT INTO task_log (what) VALUES ('lost');
			PERFORM df_wait_all(ARRAY[t]);
		ELSE PERFORM df_await(t);
	END CASE;
	IF input = '"after"' THEN
		-- what has ended is no wait any more
		INSERT INTO task_log (what) VALUES ('after the last wait');
		PERFORM df_await(t), df_wait_all(ARRAY[t, t]);
	END IF;
	RETURN '"done"';
END $$;
SELECT k, df_start_singleton('task_write', 'task write ' || k, to_jsonb(k)) AS started
FROM unnest('{before,between,any,all,no wait,after}'::text[]) k;
SELECT k, s.runtime_status, s.output, s.failure ->> 'sqlstate' AS sqlstate, s.failure ->> 'message' AS message
FROM unnest('{before,between,any,all,no wait,after}'::text[]) k, df_wait_for_completion('task write ' || k) s;
SELECT what FROM task_log ORDER BY what;
TRUNCATE task_log;

-- history: code that asks for something else than history holds.  Each case
-- is a new body for an instance that has scheduled an activity, a timer, a
-- child and an event, knows that the activity has won, and waits for the event.
CREATE TABLE task_case (id text, asks text);
INSERT INTO task_case VALUES
	('other activity', $$ a := df_schedule_activity('task_log', '1'); $$),
	('call for schedule', $$ PERFORM df_call_activity('task_echo', '1'); $$),
	('timer for activity', $$ a := df_schedule_timer('1 hour'); $$),
	('other child', $$ a := df_schedule_activity('task_echo', '1'); t := df_schedule_timer('1 hour'); c := df_schedule_sub_orchestrator('task_echo', '1'); $$),
	('event for child', $$ a := df_schedule_activity('task_echo', '1'); t := df_schedule_timer('1 hour'); ev := df_schedule_event('go'); $$),
	('other event', $$ a := df_schedule_activity('task_echo', '1'); t := df_schedule_timer('1 hour'); c := df_schedule_sub_orchestrator('task_child', '1'); ev := df_schedule_event('come'); PERFORM df_wait_any(ARRAY[a, t]); RETURN df_await(ev); $$),
	('other order', $$ t := df_schedule_timer('1 hour'); a := df_schedule_activity('task_echo', '1'); $$),
	('no wait_any', $$ a := df_schedule_activity('task_echo', '1'); t := df_schedule_timer('1 hour'); c := df_schedule_sub_orchestrator('task_child', '1'); ev := df_schedule_event('go'); RETURN jsonb_build_array(df_record('1'), df_await(ev)); $$),
	('other wait_any', $$ a := df_schedule_activity('task_echo', '1'); t := df_schedule_timer('1 hour'); c := df_schedule_sub_orchestrator('task_child', '1'); ev := df_schedule_event('go'); PERFORM df_wait_any(ARRAY[t, ev]); RETURN df_await(ev); $$),
	('one more', $$ a := df_schedule_activity('task_echo', '1'); t := df_schedule_timer('1 hour'); PERFORM df_schedule_timer('1 ms'); c := df_schedule_sub_orchestrator('task_child', '1'); $$),
	('ends early', $$ a := df_schedule_activity('task_echo', '1'); RETURN '"early"'; $$),
	('same', $$ a := df_schedule_activity('task_echo', '"other input"'); t := df_schedule_timer('2 hours'); c := df_schedule_sub_orchestrator('task_child', '2'); ev := df_schedule_event('go'); RETURN jsonb_build_array(df_wait_any(ARRAY[a, t]), df_await(a), df_await(c), df_await(ev)); $$);
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM task_case LOOP
		EXECUTE format($f$ CREATE FUNCTION %I(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $body$ DECLARE a int; t int; c int; ev int; BEGIN
			a := df_schedule_activity('task_echo', '1'); t := df_schedule_timer('1 hour');
			c := df_schedule_sub_orchestrator('task_child', '1'); ev := df_schedule_event('go');
			PERFORM df_wait_any(ARRAY[a, t]);
			PERFORM df_set_custom_status('"waits"');
			RETURN df_wait_all(ARRAY[c, ev]);
		END $body$ $f$, 'task_case ' || c.id);
		PERFORM df_start_singleton(format('%I', 'task_case ' || c.id), 'task case ' || c.id);
	END LOOP;
END $$;
CALL until($$ (SELECT count(*) = (SELECT count(*) FROM task_case) FROM df_instances
	WHERE instance_id LIKE 'task case %' AND custom_status = '"waits"') $$);
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM task_case LOOP
		EXECUTE format($f$ CREATE OR REPLACE FUNCTION %I(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $body$ DECLARE a int; t int; c int; ev int; BEGIN
			%s
			RETURN df_wait_all(ARRAY[a, ev]);
		END $body$ $f$, 'task_case ' || c.id, c.asks);
		PERFORM df_raise_event('task case ' || c.id, 'go', '"gone on"');
	END LOOP;
END $$;
SELECT c.id, s.runtime_status, s.output, s.failure ->> 'sqlstate' AS sqlstate,
	s.failure ->> 'message' AS message, s.failure ->> 'detail' AS detail, s.failure ->> 'hint' AS hint
FROM task_case c, df_wait_for_completion('task case ' || c.id) s ORDER BY c.id COLLATE "C" \gx

-- the same when the code has not changed, but what it reads
CREATE TABLE task_choice AS SELECT 'task_echo' AS name;
CREATE FUNCTION task_choose(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int := df_schedule_activity((SELECT name FROM task_choice));
BEGIN
	PERFORM df_wait_for_external_event('go');
	RETURN df_await(t);
END $$;
SELECT df_start_singleton('task_choose', 'task choose');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'task choose') $$);
UPDATE task_choice SET name = 'task_log';
SELECT df_raise_event('task choose', 'go');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message, failure ->> 'detail' AS detail, failure ->> 'hint' AS hint
FROM df_wait_for_completion('task choose') \gx

DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM task_case LOOP
		EXECUTE format('DROP FUNCTION %I', 'task_case ' || c.id);
	END LOOP;
END $$;
DROP VIEW task_tries;
DROP SEQUENCE task_attempt;
DROP TABLE task_case, task_choice, task_log;
DROP FUNCTION task_echo, task_log, task_fail, task_wait, task_fail_after, task_after, task_gate, task_child, task_at_gate,
	task_order, task_mix, task_lazy, task_failures, task_uncaught, task_try, task_inside, task_winner, task_first, task_window,
	task_escalate, task_lost_event, task_two_events, task_lost_timer, task_lost, task_forget, task_forget_child, task_cancelled,
	task_race, task_third_time, task_retry, task_between, task_write, task_event_timeout, task_waiting, task_lazy_child, task_choose;
