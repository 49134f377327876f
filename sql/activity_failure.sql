-- The failure of an activity is raised in the orchestrator as an ordinary
-- error with its own SQLSTATE; if it is not caught, it fails the instance; the
-- activity leaves nothing else.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE fail_parent (id int PRIMARY KEY);
CREATE TABLE fail_child (id int REFERENCES fail_parent DEFERRABLE INITIALLY DEFERRED, note text);
CREATE TABLE fail_unique (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE fail_log (n int GENERATED ALWAYS AS IDENTITY, what text);
INSERT INTO fail_parent VALUES (1);
CREATE FUNCTION fail_log(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO fail_log (what) VALUES (input #>> '{}');
	RETURN input;
END $$;
CREATE FUNCTION fail_parent(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO fail_log (what) VALUES ('lost with the failure');
	INSERT INTO fail_parent VALUES (input::int);
	RETURN input;
END $$;
CREATE FUNCTION fail_child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO fail_child VALUES (input::int);
	INSERT INTO fail_log (what) VALUES ('child ' || input::text);
	RETURN '"only COMMIT knows"';
END $$;
CREATE FUNCTION fail_unique(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO fail_unique VALUES (1), (1);
	RETURN '"only COMMIT knows"';
END $$;
CREATE FUNCTION fail_custom(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no % left', input #>> '{}'
		USING ERRCODE = 'ZZ001', DETAIL = 'The shelf is empty.', HINT = 'Come back tomorrow.';
END $$;

-- caught by its own condition name; what the activity did is gone, what was
-- done before stays, and the orchestrator goes on
CREATE FUNCTION fail_catch(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	caught text;
	x jsonb;
BEGIN
	PERFORM df_call_activity('fail_log', '"before"');
	BEGIN
		x := df_call_activity('fail_parent', '1');
	EXCEPTION WHEN unique_violation THEN
		caught := SQLSTATE || ' ' || SQLERRM;
	END;
	PERFORM df_call_activity('fail_log', '"after"');
	RETURN jsonb_build_object('caught', caught, 'other one', df_call_activity('fail_parent', '2'));
END $$;
SELECT df_start_singleton('fail_catch', 'fail catch');
SELECT runtime_status, output, failure FROM df_wait_for_completion('fail catch');
SELECT what FROM fail_log ORDER BY n;
SELECT id FROM fail_parent ORDER BY id;
TRUNCATE fail_log;
SELECT event_type, name, failure ->> 'sqlstate' AS sqlstate FROM df_history
WHERE instance_id = 'fail catch' ORDER BY seq;

-- SQLSTATE, message, detail and hint; the same at each replay
CREATE FUNCTION fail_diagnostics(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
	first jsonb;
BEGIN
	BEGIN
		PERFORM df_call_activity('fail_custom', '"luck"');
	EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
			detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	END;
	first := jsonb_build_object('state', state, 'message', message, 'detail', detail, 'hint', hint);
	RETURN jsonb_build_object('last', first, 'same', df_call_activity('fail_log', first) = first);
END $$;
SELECT df_start_singleton('fail_diagnostics', 'fail diagnostics');
SELECT runtime_status, jsonb_pretty(output) FROM df_wait_for_completion('fail diagnostics');
TRUNCATE fail_log;

-- uncaught: the instance has Failed, with all of it; what the steps before
-- did stays
CREATE FUNCTION fail_uncaught(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('fail_log', '"stays"');
	RETURN df_call_activity('fail_custom', '"patience"');
END $$;
SELECT df_start_singleton('fail_uncaught', 'fail uncaught');
SELECT runtime_status, output, jsonb_pretty(failure - 'context') AS failure FROM df_wait_for_completion('fail uncaught');
SELECT what FROM fail_log ORDER BY n;
TRUNCATE fail_log;
-- an error of the orchestrator itself, likewise
CREATE FUNCTION fail_self(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('fail_log', '"stays"');
	RETURN to_jsonb(1 / input::int);
END $$;
SELECT df_start_singleton('fail_self', 'fail self', '0');
SELECT runtime_status, output, jsonb_pretty(failure - 'context') AS failure FROM df_wait_for_completion('fail self');
SELECT what FROM fail_log ORDER BY n;
TRUNCATE fail_log;

-- a constraint that is checked only at COMMIT
CREATE FUNCTION fail_deferred(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	caught text[];
BEGIN
	BEGIN
		PERFORM df_call_activity('fail_child', '99');
		caught := caught || 'none'::text;
	EXCEPTION WHEN foreign_key_violation THEN
		caught := caught || SQLSTATE::text;
	END;
	BEGIN
		PERFORM df_call_activity('fail_unique');
		caught := caught || 'none'::text;
	EXCEPTION WHEN unique_violation THEN
		caught := caught || SQLSTATE::text;
	END;
	PERFORM df_call_activity('fail_child', '1');
	RETURN to_jsonb(caught);
END $$;
SELECT df_start_singleton('fail_deferred', 'fail deferred');
SELECT runtime_status, output, failure FROM df_wait_for_completion('fail deferred');
SELECT id FROM fail_child;
SELECT id FROM fail_unique;
SELECT what FROM fail_log ORDER BY n;
TRUNCATE fail_log;
-- the same uncaught
CREATE FUNCTION fail_deferred_uncaught(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('fail_child', '99');
END $$;
SELECT df_start_singleton('fail_deferred_uncaught', 'fail deferred uncaught');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message
FROM df_wait_for_completion('fail deferred uncaught');
-- and of the orchestrator's own last transaction
CREATE FUNCTION fail_deferred_own(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('fail_log', '"stays"');
	INSERT INTO fail_child VALUES (99, 'own');
	RETURN '"only COMMIT knows"';
END $$;
SELECT df_start_singleton('fail_deferred_own', 'fail deferred own');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message
FROM df_wait_for_completion('fail deferred own');
SELECT count(*) FROM fail_child;
TRUNCATE fail_log;

-- an activity that is missing, unsuitable, or not to be executed
CREATE FUNCTION fail_text(input text) RETURNS jsonb LANGUAGE sql AS $$ SELECT '1'::jsonb $$;
CREATE FUNCTION fail_any(input anyelement) RETURNS anyelement LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION fail_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION fail_strict(input jsonb) RETURNS jsonb STRICT LANGUAGE sql AS $$ SELECT '"called"'::jsonb $$;
CREATE FUNCTION fail_call(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; hint text;
	x jsonb;
BEGIN
	x := df_call_activity(input ->> 'name', input -> 'input', input -> 'retry');
	RETURN jsonb_build_object('result', x);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN jsonb_build_object('state', state, 'message', message, 'hint', hint <> '');
END $$;
SELECT name, df_start_singleton('fail_call', 'fail call ' || name, jsonb_build_object('name', name)) AS started
FROM unnest('{fail_nowhere,fail_text,fail_any,fail_trigger,fail_strict,pg_catalog.sum}'::text[]) name;
SELECT f, s.runtime_status, s.output
FROM unnest('{fail_nowhere,fail_text,fail_any,fail_trigger,fail_strict,pg_catalog.sum}'::text[]) f,
	df_wait_for_completion('fail call ' || f) s;
-- a value for retry is refused
SELECT df_start_singleton('fail_call', 'fail retry', '{"name": "fail_log", "retry": {"attempts": 3}}');
SELECT s.runtime_status, s.output FROM df_wait_for_completion('fail retry') s;
SELECT count(*) FROM fail_log;

-- as a role: no EXECUTE right, its time-outs, its limit of payloads
CREATE ROLE regress_ds_user LOGIN;
SELECT df_grant_usage('regress_ds_user');
ALTER ROLE regress_ds_user SET statement_timeout = '500 ms';
ALTER ROLE regress_ds_user SET durable_singleton.max_payload_size = '1 kB';
GRANT INSERT ON fail_log TO regress_ds_user;
CREATE FUNCTION fail_forbidden(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
REVOKE EXECUTE ON FUNCTION fail_forbidden FROM PUBLIC;
CREATE FUNCTION fail_slow(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO fail_log (what) VALUES ('lost');
	PERFORM pg_sleep(60);
	RETURN '"slept"';
END $$;
CREATE FUNCTION fail_large(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO fail_log (what) VALUES ('lost');
	RETURN to_jsonb(repeat('x', 2000));
END $$;
CREATE FUNCTION fail_timeout(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	caught text;
BEGIN
	BEGIN
		RETURN df_call_activity('fail_slow');
	EXCEPTION WHEN OTHERS THEN
		caught := SQLSTATE || ' ' || SQLERRM;
	END;
	RETURN jsonb_build_object('caught', caught, 'goes on', df_call_activity('fail_log', '"on"'));
END $$;
CREATE FUNCTION fail_timeout_uncaught(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('fail_slow');
EXCEPTION WHEN query_canceled THEN
	RETURN '"that would be the orchestrator''s own"';
END $$;
-- passed on, also from a child, it tells what it was
CREATE FUNCTION fail_timeout_passed_on(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('fail_slow');
EXCEPTION WHEN SQLSTATE 'SD408' THEN
	RAISE;
END $$;
CREATE FUNCTION fail_timeout_child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_sub_orchestrator('fail_timeout_passed_on', NULL, 'fail timeout child');
EXCEPTION WHEN OTHERS THEN
	RETURN to_jsonb(SQLSTATE || ' ' || SQLERRM);
END $$;
-- a task alike, and the orchestrator's own time-out not
CREATE FUNCTION fail_timeout_task(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		RETURN df_wait_all(ARRAY[df_schedule_activity('fail_slow')]);
	EXCEPTION WHEN OTHERS THEN
		PERFORM df_set_custom_status(to_jsonb(SQLSTATE));
	END;
	PERFORM pg_sleep(60);
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN '"PL/pgSQL does not count query_canceled among OTHERS"';
END $$;
CREATE FUNCTION fail_output(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(repeat('x', 2000)) $$;
SET SESSION AUTHORIZATION regress_ds_user;
SELECT df_start_singleton('fail_call', 'fail forbidden', '{"name": "fail_forbidden"}');
SELECT df_start_singleton('fail_timeout', 'fail timeout');
SELECT df_start_singleton('fail_timeout_uncaught', 'fail timeout uncaught');
SELECT df_start_singleton('fail_timeout_child', 'fail timeout parent');
SELECT df_start_singleton('fail_timeout_task', 'fail timeout task');
SELECT df_start_singleton('fail_call', 'fail large', '{"name": "fail_large"}');
SELECT df_start_singleton('fail_output', 'fail output');
RESET SESSION AUTHORIZATION;
SELECT runtime_status, output FROM df_wait_for_completion('fail forbidden');
SELECT runtime_status, output FROM df_wait_for_completion('fail timeout');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('fail timeout uncaught');
SELECT event_type, name, failure ->> 'sqlstate' AS sqlstate, failure ->> 'raised_as' AS raised_as
FROM df_history WHERE instance_id = 'fail timeout uncaught' AND failure IS NOT NULL ORDER BY seq;
SELECT runtime_status, output FROM df_wait_for_completion('fail timeout parent');
SELECT failure ->> 'sqlstate' AS sqlstate, failure ->> 'name' AS name FROM df_get_status('fail timeout child');
SELECT runtime_status, custom_status, output, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('fail timeout task');
SELECT runtime_status, output FROM df_wait_for_completion('fail large');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('fail output');
SELECT what FROM fail_log ORDER BY n;
TRUNCATE fail_log;
SELECT df_revoke_usage('regress_ds_user');
DROP OWNED BY regress_ds_user;

-- cancelled from outside: a failure of the activity, not of the wait
CREATE FUNCTION fail_locked(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO fail_log (what) VALUES ('lost');
	PERFORM pg_advisory_xact_lock(6002);
	RETURN '"locked"';
END $$;
CREATE FUNCTION fail_cancel(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('fail_locked');
EXCEPTION WHEN OTHERS THEN
	RETURN to_jsonb(SQLSTATE || ' ' || SQLERRM);
END $$;
SELECT pg_advisory_lock(6002);
SELECT df_start_singleton('fail_cancel', 'fail cancel');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'fail cancel') $$);
SELECT pg_cancel_backend(pid) FROM df_stat_workers WHERE instance_id = 'fail cancel';
SELECT runtime_status, output FROM df_wait_for_completion('fail cancel');
SELECT pg_advisory_unlock(6002);
SELECT count(*) FROM fail_log;

-- an activity cannot end its transaction, and fails when it tries
CREATE FUNCTION fail_commit(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	DO $do$ BEGIN COMMIT; END $do$;
	RETURN NULL;
END $$;
SELECT df_start_singleton('fail_call', 'fail commit', '{"name": "fail_commit"}');
SELECT runtime_status, output FROM df_wait_for_completion('fail commit');
-- an assertion, too, is a failure that OTHERS catches in the orchestrator
CREATE FUNCTION fail_assert(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	ASSERT false, 'asserted';
	RETURN NULL;
END $$;
SELECT df_start_singleton('fail_call', 'fail assert', '{"name": "fail_assert"}');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('fail assert');
SELECT failure ->> 'sqlstate' AS sqlstate, failure ->> 'raised_as' AS raised_as
FROM df_history WHERE instance_id = 'fail assert' AND event_type = 'TaskFailed';

DROP ROLE regress_ds_user;
DROP TABLE fail_child, fail_parent, fail_unique, fail_log;
DROP FUNCTION fail_log, fail_parent, fail_child, fail_unique, fail_custom, fail_catch, fail_diagnostics,
	fail_uncaught, fail_self, fail_deferred, fail_deferred_uncaught, fail_deferred_own, fail_text, fail_any,
	fail_trigger, fail_strict, fail_call, fail_forbidden, fail_slow, fail_large, fail_timeout,
	fail_timeout_uncaught, fail_timeout_passed_on, fail_timeout_child, fail_timeout_task, fail_output, fail_locked, fail_cancel, fail_commit, fail_assert;
