-- Events are kept in order until a matching wait takes them, even if they
-- arrive before the wait; names are not case-sensitive.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE FUNCTION event_locked(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(6006);
	RETURN NULL;
END $$;
-- takes the events that its input names, one after the other
CREATE FUNCTION event_take(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	name jsonb;
	taken jsonb := '[]';
BEGIN
	PERFORM df_call_activity('event_locked');
	FOR name IN SELECT jsonb_array_elements(input) LOOP
		taken := taken || jsonb_build_array(coalesce(df_wait_for_external_event(name #>> '{}'), '"NULL"'));
	END LOOP;
	RETURN taken;
END $$;
CREATE FUNCTION event_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION event_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no luck'; END $$;

-- of one sender in order: in one statement, one transaction, several; while
-- it waits
SELECT df_start_singleton('event_take', 'event a', '["go", "go", "go", "go", "go", "go", "go", "go", "go"]');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'event a') $$);
DO $$ BEGIN FOR i IN 1 .. 3 LOOP PERFORM df_raise_event('event a', 'go', to_jsonb(i)); END LOOP; END $$;
BEGIN;
SELECT df_raise_event('event a', 'go', '4');
SAVEPOINT s;
SELECT df_raise_event('event a', 'go', '5');
RELEASE s;
SELECT df_raise_event('event a', 'go', '6');
COMMIT;
SELECT df_raise_event('event a', 'go', '7');
SELECT df_raise_event('event a', 'go', '8');
SELECT df_raise_event('event a', 'go', '9');
SELECT runtime_status, output FROM df_wait_for_completion('event a');

-- before the wait: while an activity executes
SELECT pg_advisory_lock(6006);
SELECT df_start_singleton('event_take', 'event b', '["a", "b", "a", "c"]');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'event b') $$);
SELECT df_raise_event('event b', 'c', '"c1"');
SELECT df_raise_event('event b', 'a', '"a1"');
SELECT df_raise_event('event b', 'a', '"a2"');
SELECT df_raise_event('event b', 'b', '"b1"');
SELECT df_raise_event('event b', 'b', '"b2"');
SELECT pg_advisory_unlock(6006);
SELECT runtime_status, output FROM df_wait_for_completion('event b');
SELECT event_type, name, result FROM df_history WHERE instance_id = 'event b' AND event_type = 'EventRaised' ORDER BY seq;
-- before the first step
SELECT df_start_singleton('event_take', 'event c', '["go", "go"]', start_at => clock_timestamp() + interval '200 ms');
SELECT df_raise_event('event c', 'go', '1');
SELECT df_raise_event('event c', 'go', '2');
SELECT runtime_status, output FROM df_wait_for_completion('event c');

-- an event is no reason to begin before start_at
SELECT df_start_singleton('event_take', 'event later', '["go"]', start_at => '2200-01-01');
SELECT df_raise_event('event later', 'go', '1');
SELECT runtime_status FROM df_wait_for_completion('event later', '200 ms');
SELECT df_terminate('event later');

-- names without regard to case, data as it was sent: NULL, JSON null, large
SELECT df_start_singleton('event_take', 'event d', '["Approve", "APPROVE", "approve", "ok ok", "nothing", "null", "default", "large"]');
SELECT df_raise_event('event d', 'aPPROVE', '1');
SELECT df_raise_event('event d', 'Approve', '2');
SELECT df_raise_event('event d', 'APPROVE', '3');
SELECT df_raise_event('event d', 'OK ok', '{"a": [1, "2", null]}');
SELECT df_raise_event('event d', 'nothing', NULL);
SELECT df_raise_event('event d', 'null', 'null');
SELECT df_raise_event('event d', 'default');
SELECT df_raise_event('event d', 'approvement', '"another one"');
SELECT df_raise_event('event d', 'large', to_jsonb(repeat('x', 500000)));
SELECT runtime_status, output - 7 AS output, length(output ->> 7) FROM df_wait_for_completion('event d');

-- what comes after the time-out is there for the next wait
CREATE FUNCTION event_timeout(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	first jsonb;
BEGIN
	first := df_wait_for_external_event('go', '1 ms', '"timed out"');
	PERFORM df_wait_for_external_event('on');
	RETURN jsonb_build_array(first, df_wait_for_external_event('go', '1 hour', '"timed out"'));
END $$;
SELECT df_start_singleton('event_timeout', 'event e');
CALL until($$ (SELECT waiting_for = 'event on' FROM df_instances WHERE instance_id = 'event e') $$);
SELECT df_raise_event('event e', 'go', '"late"');
SELECT df_raise_event('event e', 'on');
SELECT runtime_status, output FROM df_wait_for_completion('event e');
SELECT event_type, name, result FROM df_history WHERE instance_id = 'event e' ORDER BY seq;
-- an event that is there already counts, also with a time-out of nothing
CREATE FUNCTION event_zero(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_wait_for_external_event('on');
	RETURN jsonb_build_array(df_wait_for_external_event('go', '0', '"timed out"'),
		df_wait_for_external_event('go', '0', '"timed out"'),
		df_wait_for_external_event('go', '-1 s', '"timed out"'));
END $$;
BEGIN;
SELECT df_start_singleton('event_zero', 'event zero');
SELECT df_raise_event('event zero', 'go', '"there"');
SELECT df_raise_event('event zero', 'on');
COMMIT;
SELECT runtime_status, output FROM df_wait_for_completion('event zero');

-- an event nobody took does not come up in the next execution of the id
SELECT df_start_singleton('event_take', 'event f', '["go"]');
SELECT df_raise_event('event f', 'other', '"of the first"');
SELECT df_raise_event('event f', 'go');
SELECT runtime_status FROM df_wait_for_completion('event f');
SELECT df_start_singleton('event_take', 'event f', '["other"]');
SELECT df_raise_event('event f', 'other', '"of the second"');
SELECT runtime_status, output FROM df_wait_for_completion('event f');
-- nor in that which takes the place of a terminated one
SELECT df_start_singleton('event_take', 'event g', '["go"]');
SELECT df_raise_event('event g', 'other', '"of the first"');
SELECT df_start_singleton('event_take', 'event g', '["other"]', on_conflict => 'terminate');
SELECT df_raise_event('event g', 'other', '"of the second"');
SELECT runtime_status, output FROM df_wait_for_completion('event g');

-- several waiting for the same name each get their own
SELECT df_start_singleton('event_take', 'event h' || n, '["go"]') FROM generate_series(1, 3) n;
SELECT df_raise_event('event h' || n, 'go', to_jsonb(n)) FROM generate_series(1, 3) n;
SELECT n, s.output FROM generate_series(1, 3) n, df_wait_for_completion('event h' || n) s;

-- no such instance, an instance that has ended, wrong input
SELECT error_of($$ SELECT df_raise_event('event unknown', 'go') $$);
SELECT df_start_singleton('event_echo', 'event Completed');
SELECT df_start_singleton('event_fail', 'event Failed');
SELECT df_start_singleton('event_take', 'event Terminated', '["go"]');
SELECT df_terminate('event Terminated');
SELECT s.instance_id, s.runtime_status FROM unnest('{Completed,Failed,Terminated}'::text[]) n, df_wait_for_completion('event ' || n) s;
SELECT error_of(format($$ SELECT df_raise_event('event %s', 'go') $$, n)) FROM unnest('{Completed,Failed,Terminated}'::text[]) n;
SELECT df_start_singleton('event_take', 'event i', '["go"]');
SELECT error_of($$ SELECT df_raise_event(NULL, 'go') $$);
SELECT error_of($$ SELECT df_raise_event('event i', NULL) $$);
SELECT error_of($$ SELECT df_raise_event('event i', '') $$);
SELECT error_of($$ SELECT df_raise_event('event i', repeat('x', 1000)) $$);
SELECT error_of($$ SELECT df_raise_event('event i', E'g\no') $$);
SET durable_singleton.max_payload_size = '1 kB';
SELECT error_of($$ SELECT df_raise_event('event i', 'go', to_jsonb(repeat('x', 2000))) $$);
RESET durable_singleton.max_payload_size;
SELECT df_raise_event('event i', 'go', '"the only one"');
SELECT runtime_status, output FROM df_wait_for_completion('event i');

-- many
CREATE FUNCTION event_many(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	taken int[];
BEGIN
	FOR i IN 1 .. 200 LOOP
		taken := taken || df_wait_for_external_event('go')::int;
	END LOOP;
	RETURN to_jsonb(taken = ARRAY(SELECT generate_series(1, 200)));
END $$;
SELECT df_start_singleton('event_many', 'event many');
SELECT count(df_raise_event('event many', 'go', to_jsonb(n))) FROM generate_series(1, 200) n;
SELECT runtime_status, output AS in_order FROM df_wait_for_completion('event many');

DROP FUNCTION event_locked, event_take, event_echo, event_fail, event_timeout, event_zero, event_many;
