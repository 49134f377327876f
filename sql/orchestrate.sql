-- What an orchestrator may do: activities, timers, events, recorded values,
-- and a clock, ids and a status that are the same at every replay.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE orch_log (n int GENERATED ALWAYS AS IDENTITY, what jsonb);
CREATE FUNCTION orch_log(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO orch_log (what) VALUES (input);
	RETURN input;
END $$;
CREATE FUNCTION orch_void(input jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO orch_log (what) VALUES (input);
END $$;
CREATE FUNCTION orch_add(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT to_jsonb((input ->> 'a')::int + (input ->> 'b')::int)
$$;

-- an orchestrator that calls nothing runs once
CREATE SEQUENCE orch_passes;
CREATE FUNCTION orch_simple(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN to_jsonb(nextval('orch_passes'));
END $$;
SELECT df_start_singleton('orch_simple', 'orch simple');
SELECT runtime_status, output FROM df_wait_for_completion('orch simple');
SELECT last_value FROM orch_passes;

-- activities, one after the other, each with its effect once
CREATE FUNCTION orch_steps(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	total jsonb := '0';
	x jsonb;
BEGIN
	FOR i IN 1 .. 20 LOOP
		total := df_call_activity('orch_add', jsonb_build_object('a', total, 'b', i));
		PERFORM df_call_activity('orch_log', total);
	END LOOP;
	x := df_call_activity('orch_void', '"void"');
	RETURN jsonb_build_object('total', total, 'void is null', x IS NULL,
		'null in, null out', df_call_activity('orch_log') IS NULL,
		'json null', df_call_activity('orch_log', 'null'),
		'qualified', df_call_activity('public.orch_log', '"q"'));
END $$;
SELECT df_start_singleton('orch_steps', 'orch steps');
SELECT runtime_status, output FROM df_wait_for_completion('orch steps');
SELECT string_agg(coalesce(what::text, 'NULL'), ' ' ORDER BY n) FROM orch_log;
TRUNCATE orch_log;
SELECT count(*), count(DISTINCT seq) FROM df_history WHERE instance_id = 'orch steps'
	AND event_type = 'TaskCompleted';

-- an orchestrator in SQL, an activity in SQL, calls nested in calls
CREATE FUNCTION orch_sql(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT df_call_activity('orch_add', jsonb_build_object(
		'a', df_call_activity('orch_add', input), 'b', df_call_activity('orch_add', input)))
$$;
SELECT df_start_singleton('orch_sql', 'orch sql', '{"a": 1, "b": 2}');
SELECT runtime_status, output FROM df_wait_for_completion('orch sql');
-- helpers may call the context, too
CREATE FUNCTION orch_helper(a int, b int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('orch_add', jsonb_build_object('a', a, 'b', b))::int;
END $$;
CREATE FUNCTION orch_helped(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN to_jsonb(orch_helper(orch_helper(1, 2), orch_helper(3, 4)));
END $$;
SELECT df_start_singleton('orch_helped', 'orch helped');
SELECT runtime_status, output FROM df_wait_for_completion('orch helped');

-- an activity is found with the search_path of the code that calls it
CREATE SCHEMA orch_schema;
CREATE FUNCTION orch_schema.orch_hidden(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"found"'::jsonb $$;
CREATE FUNCTION orch_path(input jsonb) RETURNS jsonb SET search_path = orch_schema, public LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_array(df_call_activity('orch_hidden'), df_call_activity('orch_log', '"path"'),
		current_setting('search_path'));
END $$;
SELECT df_start_singleton('orch_path', 'orch path');
SELECT runtime_status, output FROM df_wait_for_completion('orch path');
DROP SCHEMA orch_schema CASCADE;
DROP FUNCTION orch_path;
TRUNCATE orch_log;

-- timers: by delay and by point in time
CREATE FUNCTION orch_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t0 timestamptz := df_current_utc_datetime();
	t1 timestamptz;
BEGIN
	PERFORM df_create_timer('50 ms');
	t1 := df_current_utc_datetime();
	PERFORM df_create_timer(fire_at => t1 + interval '50 ms');
	PERFORM df_create_timer(fire_at => '2001-01-01');
	PERFORM df_create_timer('0');
	PERFORM df_create_timer('-1 day');
	RETURN jsonb_build_object('first', t1 - t0 >= interval '50 ms',
		'second', df_current_utc_datetime() - t1 >= interval '50 ms',
		'really', clock_timestamp() - t0 >= interval '100 ms');
END $$;
SELECT df_start_singleton('orch_timer', 'orch timer');
SELECT runtime_status, output, last_updated_time - created_time >= interval '100 ms' AS took
FROM df_wait_for_completion('orch timer');
SELECT event_type FROM df_history WHERE instance_id = 'orch timer' ORDER BY seq;
-- however far away, and beyond what there is
CREATE FUNCTION orch_far(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input ? 'delay' THEN
		PERFORM df_create_timer((input ->> 'delay')::interval);
	ELSE
		PERFORM df_create_timer(fire_at => (input ->> 'at')::timestamptz);
	END IF;
	RETURN '"fired"';
END $$;
CREATE VIEW orch_fars AS SELECT input, 'orch far ' || input::text AS id FROM unnest(ARRAY['{"at": "-infinity"}',
	'{"at": "2000-01-01 00:00:00+00"}', '{"at": "294276-12-31 23:59:59+00"}', '{"at": "infinity"}', '{"delay": "1000 years"}',
	'{"delay": "1000000 years"}']::jsonb[]) input;
SELECT count(*) FILTER (WHERE df_start_singleton('orch_far', id, input)) AS started FROM orch_fars;
CALL until($$ (SELECT count(*) = 3 FROM df_instances WHERE instance_id LIKE 'orch far %' AND waiting_for = 'timer'
	AND next_wake_time > '2900-01-01') AND (SELECT count(*) = 3 FROM df_instances WHERE instance_id LIKE 'orch far %'
	AND runtime_status IN ('Completed', 'Failed')) $$);
SELECT f.input, s.runtime_status, s.output, s.failure ->> 'sqlstate' AS sqlstate FROM orch_fars f, df_get_status(f.id) s;
SELECT count(df_terminate(instance_id)) FROM df_instances WHERE instance_id LIKE 'orch far %' AND runtime_status = 'Running';
DROP VIEW orch_fars;
-- exactly one of the two
CREATE FUNCTION orch_bad_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	CASE input #>> '{}'
		WHEN 'none' THEN PERFORM df_create_timer();
		WHEN 'both' THEN PERFORM df_create_timer('1 s', now());
		WHEN 'infinite' THEN PERFORM df_create_timer(fire_at => 'infinity');
		WHEN 'event' THEN PERFORM df_wait_for_external_event(NULL);
		WHEN 'empty event' THEN PERFORM df_wait_for_external_event('');
		WHEN 'no activity' THEN PERFORM df_call_activity(NULL);
	END CASE;
	RETURN '"no error"';
END $$;
SELECT kind, df_start_singleton('orch_bad_timer', 'orch bad ' || kind, to_jsonb(kind)) AS started
FROM unnest('{none,both,event,empty event,no activity}'::text[]) kind;
SELECT kind, s.runtime_status, s.output, s.failure ->> 'sqlstate' AS sqlstate, s.failure ->> 'message' AS message,
	s.failure ->> 'hint' AS hint
FROM unnest('{none,both,event,empty event,no activity}'::text[]) kind, df_wait_for_completion('orch bad ' || kind) s;

-- events, with time-out and default
CREATE FUNCTION orch_events(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	a jsonb; b jsonb; c jsonb; d jsonb;
BEGIN
	a := df_wait_for_external_event('a');
	b := df_wait_for_external_event('b', '10 ms', '"default"');
	c := df_wait_for_external_event('c', '10 ms');
	d := df_wait_for_external_event('d', '1 hour', '"default"');
	RETURN jsonb_build_object('a', a, 'b', b, 'c is null', c IS NULL, 'd', d);
END $$;
SELECT df_start_singleton('orch_events', 'orch events');
SELECT df_raise_event('orch events', 'a', '{"x": [1, 2]}');
CALL until($$ (SELECT waiting_for = 'event d' FROM df_instances WHERE instance_id = 'orch events') $$);
SELECT df_raise_event('orch events', 'd', '"in time"');
SELECT runtime_status, output FROM df_wait_for_completion('orch events');

-- what the first pass saw is what each replay sees: the activity's result was
-- recorded at the first pass, the variables are those of the last one
CREATE FUNCTION orch_same(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	replaying boolean := df_is_replaying();
	g1 uuid := df_new_guid();
	g2 uuid := df_new_guid();
	t1 timestamptz := df_current_utc_datetime();
	first jsonb;
	second jsonb;
	t2 timestamptz;
	t3 timestamptz;
BEGIN
	first := df_call_activity('orch_log', jsonb_build_object('replaying', df_record(to_jsonb(replaying)), 'g1', g1, 'g2', g2,
		't1', t1, 'id', df_instance_id(), 'execution', df_execution_id()));
	t2 := df_current_utc_datetime();
	second := df_call_activity('orch_log', jsonb_build_object('g3', df_new_guid(), 't2', t2));
	PERFORM df_create_timer('20 ms');
	t3 := df_current_utc_datetime();
	PERFORM df_wait_for_external_event('go');
	RETURN jsonb_build_object(
		'replaying at first', first -> 'replaying', 'later', replaying, 'at the end', df_is_replaying(),
		'guids', first ->> 'g1' = g1::text AND first ->> 'g2' = g2::text AND g1 <> g2
			AND second ->> 'g3' NOT IN (g1::text, g2::text),
		'clock', (first ->> 't1')::timestamptz = t1 AND (second ->> 't2')::timestamptz = t2,
		'forward', t1 <= t2 AND t2 <= t3 AND t3 <= df_current_utc_datetime() AND t3 - t2 >= interval '20 ms',
		'near', clock_timestamp() - df_current_utc_datetime() < interval '1 minute',
		'id', first ->> 'id' = df_instance_id() AND df_instance_id() = 'orch same',
		'execution', first ->> 'execution' = df_execution_id()::text);
END $$;
SELECT df_start_singleton('orch_same', 'orch same');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'orch same') $$);
SELECT df_raise_event('orch same', 'go');
SELECT runtime_status, jsonb_pretty(output) FROM df_wait_for_completion('orch same');
SELECT (what ->> 'execution')::uuid = execution_id AS execution FROM orch_log, df_get_status('orch same')
WHERE what ? 'execution';
TRUNCATE orch_log;

-- df_record: what the orchestrator read at first is what it goes on with
CREATE TABLE orch_orders (id int, amount int);
INSERT INTO orch_orders VALUES (1, 10), (2, 20), (3, 30);
CREATE FUNCTION orch_record(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	r jsonb;
	seen jsonb := '[]';
	chance jsonb := df_record(to_jsonb(random()));
	kept jsonb;
BEGIN
	kept := df_call_activity('orch_log', chance);
	FOR r IN SELECT jsonb_array_elements(df_record((SELECT jsonb_agg(o ORDER BY id) FROM orch_orders o))) LOOP
		PERFORM df_call_activity('orch_log', r);
		seen := seen || (r -> 'amount');
		IF r -> 'id' = '2' THEN
			PERFORM df_wait_for_external_event('go');
		END IF;
	END LOOP;
	RETURN jsonb_build_object('seen', seen, 'same chance', kept = chance, 'null', df_record(NULL) IS NULL);
END $$;
SELECT df_start_singleton('orch_record', 'orch record');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'orch record') $$);
UPDATE orch_orders SET amount = -amount;
DELETE FROM orch_orders WHERE id = 1;
SELECT df_raise_event('orch record', 'go');
SELECT runtime_status, output FROM df_wait_for_completion('orch record');
SELECT what FROM orch_log WHERE jsonb_typeof(what) = 'object' ORDER BY n;
TRUNCATE orch_log;

-- the custom status, while it runs and after
CREATE FUNCTION orch_custom(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"one"');
	PERFORM df_wait_for_external_event('go');
	PERFORM df_set_custom_status('{"two": 2}');
	PERFORM df_wait_for_external_event('go');
	PERFORM df_set_custom_status(NULL);
	PERFORM df_wait_for_external_event('go');
	PERFORM df_set_custom_status('"last"');
	RETURN NULL;
END $$;
SELECT df_start_singleton('orch_custom', 'orch custom');
CALL until($$ (SELECT waiting_for IS NOT NULL AND custom_status = '"one"' FROM df_instances WHERE instance_id = 'orch custom') $$);
SELECT df_raise_event('orch custom', 'go');
CALL until($$ (SELECT waiting_for IS NOT NULL AND custom_status = '{"two": 2}' FROM df_instances WHERE instance_id = 'orch custom') $$);
SELECT df_raise_event('orch custom', 'go');
CALL until($$ (SELECT waiting_for IS NOT NULL AND custom_status IS NULL FROM df_instances WHERE instance_id = 'orch custom') $$);
SELECT df_raise_event('orch custom', 'go');
SELECT runtime_status, custom_status, output FROM df_wait_for_completion('orch custom');
-- a custom status set before a failure is there after it
CREATE FUNCTION orch_custom_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"before"');
	PERFORM df_call_activity('orch_log', '1');
	RAISE EXCEPTION 'no luck';
END $$;
SELECT df_start_singleton('orch_custom_fail', 'orch custom fail');
SELECT runtime_status, custom_status, failure ->> 'message' AS message FROM df_wait_for_completion('orch custom fail');
TRUNCATE orch_log;

-- a megabyte is nothing special
CREATE FUNCTION orch_large(input jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT to_jsonb(repeat('x', input::int)) $$;
CREATE FUNCTION orch_payload(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN to_jsonb(length(df_call_activity('orch_large', input)::text));
END $$;
SELECT df_start_singleton('orch_payload', 'orch payload', '1000000');
SELECT runtime_status, output FROM df_wait_for_completion('orch payload');

-- many instances at once
CREATE FUNCTION orch_small(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('orch_log', input);
	PERFORM df_create_timer('1 ms');
	PERFORM df_call_activity('orch_log', input);
	RETURN input;
END $$;
SELECT count(*) FILTER (WHERE df_start_singleton('orch_small', 'orch small ' || n, to_jsonb(n))) FROM generate_series(1, 300) n;
CALL until($$ (SELECT count(*) = 300 FROM df_instances WHERE instance_id LIKE 'orch small %' AND runtime_status = 'Completed') $$);
SELECT count(*), count(DISTINCT what), min(c), max(c) FROM (SELECT what, count(*) AS c FROM orch_log GROUP BY what) s;

DROP TABLE orch_log, orch_orders;
DROP SEQUENCE orch_passes;
DROP FUNCTION orch_log, orch_void, orch_add, orch_simple, orch_steps, orch_sql, orch_helper, orch_helped,
	orch_timer, orch_bad_timer, orch_events, orch_same, orch_record, orch_custom, orch_custom_fail,
	orch_large, orch_payload, orch_small, orch_far;
