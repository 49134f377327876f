-- df_continue_as_new ends an execution and begins the next one of the same
-- instance: forever, without growth, with or without the waiting events.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE can_log (n int GENERATED ALWAYS AS IDENTITY, what jsonb);
CREATE FUNCTION can_log(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO can_log (what) VALUES (input);
	RETURN input;
END $$;

-- a counter
CREATE FUNCTION can_count(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('can_log', jsonb_build_object('n', input, 'id', df_instance_id(),
		'execution', df_execution_id(), 'guid', df_new_guid()));
	IF input::int < 4 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int + 1));
		RETURN '"not the output"';
	END IF;
	RETURN jsonb_build_object('counted', input);
END $$;
SELECT df_start_singleton('can_count', 'can count', '1');
SELECT name, runtime_status, input, output FROM df_wait_for_completion('can count');
SELECT what -> 'n' AS n, what ->> 'id' AS id FROM can_log ORDER BY can_log.n;
-- each turn has an execution id and guids of its own, the last is that of the instance
SELECT count(DISTINCT what -> 'execution') AS executions, count(DISTINCT what -> 'guid') AS guids FROM can_log;
SELECT execution_id = (SELECT (what ->> 'execution')::uuid FROM can_log WHERE what -> 'n' = '4') AS last
FROM df_get_status('can count');
-- turns are not archived, and leave no history
SELECT count(*) FROM df_executions WHERE instance_id = 'can count';
SELECT event_type, name, input, result IS NULL AS no_result FROM df_history WHERE instance_id = 'can count'
	AND event_type NOT LIKE 'Task%' ORDER BY seq;
SELECT count(*) FROM df_history WHERE instance_id = 'can count';
TRUNCATE can_log;

-- without any activity, and with a NULL input
CREATE FUNCTION can_null(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input IS NOT NULL THEN
		PERFORM df_continue_as_new(NULL);
		RETURN NULL;
	END IF;
	RETURN '"without input"';
END $$;
SELECT df_start_singleton('can_null', 'can null', '1');
SELECT runtime_status, input, output FROM df_wait_for_completion('can null');

-- what comes after it in the code: writes are kept with it, a wait ends the
-- execution at once, an error fails the instance
CREATE FUNCTION can_after(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input = '"new"' THEN
		RETURN input;
	END IF;
	PERFORM df_call_activity('can_log', input);
	PERFORM df_continue_as_new('"new"');
	CASE input #>> '{}'
		WHEN 'writes' THEN INSERT INTO can_log (what) VALUES ('"with the turn"');
		WHEN 'waits' THEN PERFORM df_wait_for_external_event('never');
		WHEN 'fails' THEN RAISE EXCEPTION 'no luck';
	END CASE;
	RETURN '"old"';
END $$;
SELECT df_start_singleton('can_after', 'can ' || k, to_jsonb(k)) FROM unnest('{writes,waits,fails}'::text[]) k;
SELECT k, s.runtime_status, s.output, s.failure ->> 'message' AS message
FROM unnest('{writes,waits,fails}'::text[]) k, df_wait_for_completion('can ' || k) s;
SELECT what, count(*) FROM can_log GROUP BY 1 ORDER BY 1;

-- events that wait go along: one a turn, in order
CREATE FUNCTION can_events(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	input := input || df_wait_for_external_event('item');
	IF jsonb_array_length(input) < 5 THEN
		PERFORM df_continue_as_new(input);
	END IF;
	RETURN input;
END $$;
SELECT df_start_singleton('can_events', 'can events', '[]');
SELECT df_raise_event('can events', 'item', to_jsonb(n)) FROM generate_series(1, 3) n;
SELECT df_raise_event('can events', 'Item', '4');
SELECT df_raise_event('can events', 'item', '5');
SELECT runtime_status, output FROM df_wait_for_completion('can events');

-- kept or dropped: both events are there before the first turn runs
CREATE FUNCTION can_preserve(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input ? 'preserve' THEN
		PERFORM df_wait_for_external_event('first');
		PERFORM df_continue_as_new('{}', (input ->> 'preserve')::boolean);
		RETURN NULL;
	END IF;
	RETURN df_wait_for_external_event('other', '100 ms', '"dropped"');
END $$;
BEGIN;
SELECT df_start_singleton('can_preserve', 'can keep', '{"preserve": true}');
SELECT df_raise_event('can keep', 'other', '"kept"');
SELECT df_raise_event('can keep', 'first');
SELECT df_start_singleton('can_preserve', 'can drop', '{"preserve": false}');
SELECT df_raise_event('can drop', 'other', '"kept"');
SELECT df_raise_event('can drop', 'first');
COMMIT;
SELECT runtime_status, output FROM df_wait_for_completion('can keep');
SELECT runtime_status, output FROM df_wait_for_completion('can drop');

-- a start while it goes round is refused, also between two turns
CREATE FUNCTION can_round(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF df_wait_for_external_event('stop', '1 ms', '"go on"') = '"stop"' THEN
		RETURN to_jsonb(input::int > 0);
	END IF;
	PERFORM df_continue_as_new(to_jsonb(input::int + 1));
	RETURN NULL;
END $$;
SELECT df_start_singleton('can_round', 'can round', '0');
CREATE TABLE can_started (n int);
DO $$
DECLARE
	deadline timestamptz := clock_timestamp() + interval '60 s';
BEGIN
	-- at least 20 turns long
	WHILE coalesce((SELECT input::text::int FROM df_get_status('can round')), 0) < 20 LOOP
		IF df_start_singleton('can_round', 'can round', '0') THEN
			INSERT INTO can_started VALUES (1);
		END IF;
		COMMIT;
		EXIT WHEN clock_timestamp() > deadline;
	END LOOP;
END $$;
SELECT count(*) AS second_starts FROM can_started;
SELECT df_raise_event('can round', 'stop', '"stop"');
SELECT runtime_status, output FROM df_wait_for_completion('can round');

DROP TABLE can_log, can_started;
DROP FUNCTION can_log, can_count, can_null, can_events, can_preserve, can_round, can_after;
