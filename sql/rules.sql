-- The rules for orchestrators are enforced: the same steps at every replay, no
-- lost writes, waits that cannot be swallowed, a context that exists only for
-- orchestrators.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE rule_log (n int GENERATED ALWAYS AS IDENTITY, what text);
CREATE TABLE rule_row (id int PRIMARY KEY, v int);
INSERT INTO rule_row VALUES (1, 0);
CREATE FUNCTION rule_a(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"a"'::jsonb $$;
CREATE FUNCTION rule_b(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"b"'::jsonb $$;

-- history: code that asks for something else than history holds.  Each case
-- is a new body for an instance that has called rule_a, let a timer pass and
-- recorded a value, and waits for an event.
CREATE TABLE rule_case (id text, differs_by text, asks text);
INSERT INTO rule_case VALUES
	('other activity', 'other name', $$ PERFORM df_call_activity('rule_b'); PERFORM df_create_timer('1 ms'); PERFORM df_record('1'); RETURN df_wait_for_external_event('go'); $$),
	('timer first', 'other kind', $$ PERFORM df_create_timer('1 ms'); PERFORM df_call_activity('rule_a'); PERFORM df_record('1'); RETURN df_wait_for_external_event('go'); $$),
	('event second', 'other kind', $$ PERFORM df_call_activity('rule_a'); PERFORM df_wait_for_external_event('go'); RETURN NULL; $$),
	('activity for record', 'other kind', $$ PERFORM df_call_activity('rule_a'); PERFORM df_create_timer('1 ms'); PERFORM df_call_activity('rule_b'); RETURN df_wait_for_external_event('go'); $$),
	('record for timer', 'other kind', $$ PERFORM df_call_activity('rule_a'); PERFORM df_record('1'); RETURN NULL; $$),
	('qualified', 'name as given', $$ PERFORM df_call_activity('public.rule_a'); PERFORM df_create_timer('1 ms'); PERFORM df_record('1'); RETURN df_wait_for_external_event('go'); $$),
	('ends early', 'nothing more', $$ RETURN df_call_activity('rule_a'); $$),
	('fails early', 'nothing more', $$ PERFORM df_call_activity('rule_a'); RAISE EXCEPTION 'other way'; $$),
	('goes round', 'nothing more', $$ PERFORM df_call_activity('rule_a'); PERFORM df_continue_as_new('"again"'); RETURN NULL; $$),
	('swallows', 'other name, caught', $$ BEGIN PERFORM df_call_activity('rule_b'); EXCEPTION WHEN OTHERS THEN NULL; END; RETURN '"caught"'; $$),
	('swallows twice', 'other name, caught, and more', $$ BEGIN PERFORM df_call_activity('rule_b'); EXCEPTION WHEN OTHERS THEN NULL; END; PERFORM df_create_timer('1 ms'); RETURN '"caught"'; $$),
	('swallows for ever', 'other name, always caught', $$ LOOP BEGIN PERFORM df_call_activity('rule_b'); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; $$),
	('other case', 'name as given', $$ PERFORM df_call_activity('rule_a'); PERFORM df_create_timer('1 ms'); PERFORM df_record('1'); RETURN df_wait_for_external_event('Go'); $$),
	('other input', 'input of an activity', $$ PERFORM df_call_activity('rule_a', '"other input"'); PERFORM df_create_timer('1 ms'); PERFORM df_record('1'); RETURN df_wait_for_external_event('go'); $$),
	('same', 'no call, but how long it waits', $$ DECLARE x jsonb; BEGIN x := df_call_activity('rule_a'); PERFORM df_create_timer('2 ms'); x := df_record('2'); RETURN jsonb_build_array(x, df_wait_for_external_event('go', '1 hour')); END; $$);
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM rule_case LOOP
		EXECUTE format($f$ CREATE FUNCTION %I(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $body$ BEGIN
			IF input = '"again"' THEN RETURN '"second turn"'; END IF;
			PERFORM df_call_activity('rule_a'); PERFORM df_create_timer('1 ms'); PERFORM df_record('1');
			RETURN df_wait_for_external_event('go');
		END $body$ $f$, 'rule ' || c.id);
		PERFORM df_start_singleton(format('%I', 'rule ' || c.id), 'rule ' || c.id);
	END LOOP;
END $$;
CALL until($$ (SELECT count(*) = (SELECT count(*) FROM rule_case) FROM df_instances
	WHERE instance_id LIKE 'rule %' AND waiting_for = 'event go') $$);
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM rule_case LOOP
		EXECUTE format($f$ CREATE OR REPLACE FUNCTION %I(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $body$ BEGIN
			IF input = '"again"' THEN RETURN '"second turn"'; END IF;
			%s
		END $body$ $f$, 'rule ' || c.id, c.asks);
		PERFORM df_raise_event('rule ' || c.id, 'go', '"gone on"');
	END LOOP;
END $$;
SELECT c.id, s.runtime_status, s.output, s.failure ->> 'sqlstate' AS sqlstate,
	s.failure ->> 'message' AS message, s.failure ->> 'detail' AS detail, s.failure ->> 'hint' AS hint
FROM rule_case c, df_wait_for_completion('rule ' || c.id) s ORDER BY c.id COLLATE "C" \gx
-- a different wait than the one it waits in
CREATE FUNCTION rule_wait(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
SELECT df_start_singleton('rule_wait', 'rule wait');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'rule wait') $$);
CREATE OR REPLACE FUNCTION rule_wait(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('come');
END $$;
SELECT df_raise_event('rule wait', 'come', '"came"'), df_raise_event('rule wait', 'go', '"went"');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message, failure ->> 'hint' AS hint
FROM df_wait_for_completion('rule wait');

-- writes before a wait would be lost: detected, and nothing of them stays
CREATE FUNCTION rule_write(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb;
BEGIN
	CASE input ->> 'write'
		WHEN 'insert' THEN INSERT INTO rule_log (what) VALUES ('lost');
		WHEN 'update' THEN UPDATE rule_row SET v = v + 1;
		WHEN 'row lock' THEN PERFORM FROM rule_row FOR UPDATE;
		WHEN 'ddl' THEN CREATE TABLE rule_ddl (i int);
		WHEN 'temp' THEN CREATE TEMP TABLE rule_temp (i int);
		WHEN 'start' THEN PERFORM df_start_singleton('rule_wait', 'rule started by ' || df_instance_id());
		WHEN 'in a block' THEN
			BEGIN
				INSERT INTO rule_log (what) VALUES ('lost');
			EXCEPTION WHEN OTHERS THEN
				NULL;
			END;
		WHEN 'no row' THEN UPDATE rule_row SET v = v + 1 WHERE id = 2;
		WHEN 'read' THEN PERFORM FROM rule_row;
	END CASE;
	CASE input ->> 'wait'
		WHEN 'activity' THEN x := df_call_activity('rule_a');
		WHEN 'timer' THEN PERFORM df_create_timer('1 ms');
		WHEN 'event' THEN x := df_wait_for_external_event('go', '1 ms', '"default"');
		WHEN 'wait in a block' THEN
			BEGIN
				x := df_call_activity('rule_a');
			EXCEPTION WHEN OTHERS OR query_canceled THEN
				x := '"caught"';
			END;
	END CASE;
	RETURN coalesce(x, '"done"');
END $$;
CREATE VIEW rule_writes AS SELECT w, a, 'rule ' || w || ', ' || a AS id
FROM unnest('{insert,update,row lock,ddl,temp,start,in a block,no row,read}'::text[]) WITH ORDINALITY x (w, i),
	unnest('{activity,timer,event,wait in a block}'::text[]) WITH ORDINALITY y (a, j) ORDER BY i, j;
SELECT count(*) FILTER (WHERE df_start_singleton('rule_write', id, jsonb_build_object('write', w, 'wait', a))) AS started
FROM rule_writes;
SELECT w, a, s.runtime_status, s.output, s.failure ->> 'sqlstate' AS sqlstate
FROM rule_writes, df_wait_for_completion(id) s;
SELECT runtime_status, failure ->> 'message' AS message, failure ->> 'detail' AS detail, failure ->> 'hint' AS hint FROM df_get_status('rule insert, activity');
SELECT count(*) FROM rule_log;
SELECT * FROM rule_row;
SELECT to_regclass('rule_ddl');
SELECT count(*) FROM df_instances WHERE instance_id LIKE 'rule started by %';
-- the same between two waits
CREATE FUNCTION rule_between(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('rule_a');
	INSERT INTO rule_log (what) VALUES ('lost');
	PERFORM df_call_activity('rule_b');
	RETURN NULL;
END $$;
SELECT df_start_singleton('rule_between', 'rule between');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('rule between');
SELECT count(*) FROM rule_log;

-- after the last wait they are fine: they commit with the completion
CREATE FUNCTION rule_after(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('rule_a');
	PERFORM df_create_timer('1 ms');
	INSERT INTO rule_log (what) VALUES ('after the last wait');
	IF input IS NOT NULL THEN
		RAISE EXCEPTION 'and yet it failed';
	END IF;
	RETURN (SELECT to_jsonb(count(*)) FROM rule_log);
END $$;
SELECT df_start_singleton('rule_after', 'rule after');
SELECT runtime_status, output FROM df_wait_for_completion('rule after');
SELECT what FROM rule_log;
-- or vanish with the failure
SELECT df_start_singleton('rule_after', 'rule after failed', '1');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('rule after failed');
SELECT what FROM rule_log;
TRUNCATE rule_log;
-- also where there is no wait at all
CREATE FUNCTION rule_no_wait(input jsonb) RETURNS void LANGUAGE sql AS $$ INSERT INTO rule_log (what) VALUES ('no wait') $$;
SELECT df_start_singleton('rule_no_wait', 'rule no wait');
SELECT runtime_status FROM df_wait_for_completion('rule no wait');
SELECT what FROM rule_log;
TRUNCATE rule_log;

-- a wait gets through every handler
CREATE FUNCTION rule_swallow(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb;
	caught int := 0;
BEGIN
	CASE input #>> '{}'
		WHEN 'others' THEN
			BEGIN
				x := df_wait_for_external_event('go');
			EXCEPTION WHEN OTHERS THEN
				RETURN '"swallowed"';
			END;
		WHEN 'query_canceled' THEN
			BEGIN
				x := df_wait_for_external_event('go');
			EXCEPTION WHEN query_canceled THEN
				RETURN '"swallowed"';
			END;
		WHEN 'raises another' THEN
			BEGIN
				x := df_wait_for_external_event('go');
			EXCEPTION WHEN query_canceled THEN
				RAISE division_by_zero;
			END;
		WHEN 'goes on' THEN
			BEGIN
				x := df_wait_for_external_event('go');
			EXCEPTION WHEN query_canceled OR OTHERS THEN
				x := df_call_activity('rule_a');
			END;
		WHEN 'loop' THEN
			LOOP
				BEGIN
					x := df_wait_for_external_event('go');
					EXIT;
				EXCEPTION WHEN query_canceled OR OTHERS THEN
					caught := caught + 1;
				END;
			END LOOP;
		WHEN 'nested' THEN
			BEGIN
				BEGIN
					x := df_wait_for_external_event('go');
				EXCEPTION WHEN query_canceled THEN
					RAISE EXCEPTION 'inner';
				END;
			EXCEPTION WHEN OTHERS THEN
				RETURN '"swallowed"';
			END;
		WHEN 'asks on' THEN
			BEGIN
				x := df_wait_for_external_event('go');
			EXCEPTION WHEN query_canceled THEN
				x := '"swallowed"';
			END;
			PERFORM df_is_replaying();
	END CASE;
	RETURN x;
END $$;
SELECT kind, df_start_singleton('rule_swallow', 'rule swallow ' || kind, to_jsonb(kind)) AS started
FROM unnest('{others,query_canceled,raises another,goes on,loop,nested,asks on}'::text[]) kind;
CALL until($$ (SELECT count(*) = 7 FROM df_instances WHERE instance_id LIKE 'rule swallow %' AND waiting_for = 'event go') $$);
SELECT df_raise_event('rule swallow ' || kind, 'go', '"event"')
FROM unnest('{others,query_canceled,raises another,goes on,loop,nested,asks on}'::text[]) kind;
SELECT kind, s.runtime_status, s.output, s.failure
FROM unnest('{others,query_canceled,raises another,goes on,loop,nested,asks on}'::text[]) kind, df_wait_for_completion('rule swallow ' || kind) s;

-- the context outside an orchestrator
SELECT error_of($$ SELECT df_call_activity('rule_a') $$);
SELECT error_of($$ SELECT df_create_timer('1 s') $$);
SELECT error_of($$ SELECT df_wait_for_external_event('go') $$);
SELECT error_of($$ SELECT df_continue_as_new('1') $$);
SELECT error_of($$ SELECT df_record('1') $$);
SELECT error_of($$ SELECT df_set_custom_status('1') $$);
SELECT error_of($$ SELECT df_current_utc_datetime() $$);
SELECT error_of($$ SELECT df_new_guid() $$);
SELECT error_of($$ SELECT df_is_replaying() $$);
SELECT error_of($$ SELECT df_instance_id() $$);
SELECT error_of($$ SELECT df_execution_id() $$);
-- an orchestrator that is called as a plain function
SELECT error_of($$ SELECT rule_wait(NULL) $$);

-- and inside an activity
CREATE FUNCTION rule_inside(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || (input #>> '{}');
	RETURN '"no error"';
END $$;
CREATE FUNCTION rule_outside(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('rule_inside', input);
EXCEPTION WHEN OTHERS THEN
	RETURN to_jsonb(SQLSTATE || ': ' || SQLERRM);
END $$;
CREATE VIEW rule_context AS SELECT c, n, 'rule inside ' || n AS id FROM unnest(ARRAY[
	$$df_call_activity('rule_a')$$, $$df_create_timer('1 ms')$$, $$df_wait_for_external_event('go')$$,
	$$df_continue_as_new('1')$$, $$df_record('1')$$, $$df_set_custom_status('1')$$,
	$$df_current_utc_datetime()$$, $$df_new_guid()$$, $$df_is_replaying()$$, $$df_instance_id()$$,
	$$df_execution_id()$$]) WITH ORDINALITY x (c, n);
SELECT count(*) FILTER (WHERE df_start_singleton('rule_outside', id, to_jsonb(c))) FROM rule_context;
SELECT c, s.runtime_status, s.output FROM rule_context, df_wait_for_completion(id) s ORDER BY n;
-- the functions for clients are for activities, too
CREATE FUNCTION rule_client(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN to_jsonb(df_start_singleton('rule_no_wait', 'rule client'));
END $$;
CREATE FUNCTION rule_starts(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('rule_client');
END $$;
SELECT df_start_singleton('rule_starts', 'rule starts');
SELECT runtime_status, output FROM df_wait_for_completion('rule starts');
SELECT runtime_status FROM df_wait_for_completion('rule client');

SELECT format('DROP FUNCTION %I', 'rule ' || id) FROM rule_case \gexec
DROP VIEW rule_writes, rule_context;
DROP TABLE rule_log, rule_row, rule_case;
DROP FUNCTION rule_a, rule_b, rule_wait, rule_write, rule_between, rule_after, rule_no_wait, rule_swallow,
	rule_inside, rule_outside, rule_client, rule_starts;
