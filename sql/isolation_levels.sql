-- A step has the isolation level of its role, database or function.  What fails
-- by a conflict with others is repeated, of an activity and of an orchestrator.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE lvl_doctor (name text PRIMARY KEY, on_call boolean);
CREATE SEQUENCE lvl_met;
-- Both have read before one of them writes, at their first attempt.
CREATE FUNCTION lvl_meet() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	met bigint := nextval('lvl_met');
	deadline timestamptz := clock_timestamp() + interval '20 s';
BEGIN
	WHILE met < 2 AND clock_timestamp() < deadline LOOP
		PERFORM pg_sleep(0.001);
		SELECT last_value INTO met FROM lvl_met;
	END LOOP;
END $$;
CREATE FUNCTION lvl_leave(who text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	SELECT count(*) INTO n FROM lvl_doctor WHERE on_call;
	PERFORM lvl_meet();
	IF n < 2 THEN
		RETURN 'stays';
	END IF;
	UPDATE lvl_doctor SET on_call = false WHERE name = who;
	RETURN 'leaves';
END $$;
CREATE FUNCTION lvl_call(who text) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity('lvl_leave', jsonb_build_object('who', who)) $$;
CREATE FUNCTION lvl_task(who text) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_await(df_schedule_activity('lvl_leave', jsonb_build_object('who', who))) $$;
CREATE FUNCTION lvl_itself(who text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	RETURN to_jsonb(lvl_leave(who));
END $$;
CREATE PROCEDURE lvl_evening(how text) LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE lvl_doctor;
	INSERT INTO lvl_doctor VALUES ('a', true), ('b', true);
	PERFORM setval('lvl_met', 1, false);
	COMMIT;
	PERFORM df_start_singleton('lvl_' || how, 'lvl ' || how || ' a', '{"who": "a"}'), df_start_singleton('lvl_' || how, 'lvl ' || how || ' b', '{"who": "b"}');
	COMMIT;
END $$;
CREATE FUNCTION lvl_result(how text, OUT runtime_status df_runtime_status, OUT outputs jsonb, OUT on_call bigint) LANGUAGE plpgsql AS $$
BEGIN
	SELECT min(s.runtime_status), jsonb_agg(s.output ORDER BY s.output) INTO runtime_status, outputs
	FROM unnest('{a,b}'::text[]) n, df_wait_for_completion('lvl ' || how || ' ' || n) s;
	SELECT count(*) INTO on_call FROM lvl_doctor d WHERE d.on_call;
END $$;
CREATE FUNCTION lvl_show() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('transaction_isolation') $$;
CREATE FUNCTION lvl_ask(name text) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity(name) $$;

-- as it is everywhere
SELECT df_start_singleton('lvl_ask', 'lvl show', '{"name": "lvl_show"}');
SELECT output FROM df_wait_for_completion('lvl show');

-- of the database
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$;
CALL workers_leave();
SELECT df_start_singleton('lvl_ask', 'lvl show', '{"name": "lvl_show"}');
SELECT output FROM df_wait_for_completion('lvl show');
CALL lvl_evening('call');
SELECT * FROM lvl_result('call');
SELECT count(*) > 0 AS repeated FROM df_history WHERE instance_id LIKE 'lvl call%' AND failure ->> 'sqlstate' = '40001';
CALL lvl_evening('task');
SELECT * FROM lvl_result('task');
-- an orchestrator's last writes alike, but no attempt is recorded
CALL lvl_evening('itself');
SELECT * FROM lvl_result('itself');
-- what others do with the instance meanwhile is no conflict of the activity's
CREATE FUNCTION lvl_locked() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM lvl_doctor;
	PERFORM pg_advisory_xact_lock(6012);
	RETURN current_setting('transaction_isolation');
END $$;
SELECT pg_advisory_lock(6012);
SELECT df_start_singleton('lvl_ask', 'lvl locked', '{"name": "lvl_locked"}');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'lvl locked') $$);
SELECT df_suspend('lvl locked');
SELECT df_raise_event('lvl locked', 'any');
SELECT pg_advisory_unlock(6012);
CALL until($$ EXISTS (SELECT FROM df_history WHERE instance_id = 'lvl locked' AND event_type LIKE 'Task%ed' AND event_type <> 'TaskScheduled') $$);
SELECT df_resume('lvl locked');
SELECT runtime_status, output FROM df_wait_for_completion('lvl locked');
SELECT event_type FROM df_history WHERE instance_id = 'lvl locked' AND event_type LIKE 'Task%' ORDER BY seq;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_isolation', current_database()); END $$;
CALL workers_leave();

-- of the function
ALTER FUNCTION lvl_leave SET default_transaction_isolation = 'serializable';
CALL lvl_evening('call');
SELECT * FROM lvl_result('call');
CREATE FUNCTION lvl_show_it() RETURNS text LANGUAGE sql SET default_transaction_isolation = 'repeatable read' AS $$ SELECT current_setting('transaction_isolation') $$;
SELECT df_start_singleton('lvl_ask', 'lvl show it', '{"name": "lvl_show_it"}');
SELECT output FROM df_wait_for_completion('lvl show it');
-- and not of the next one
SELECT df_start_singleton('lvl_ask', 'lvl show', '{"name": "lvl_show"}');
SELECT output FROM df_wait_for_completion('lvl show');
ALTER FUNCTION lvl_leave RESET ALL;

-- asked for in the activity, before it does anything else
CREATE OR REPLACE FUNCTION lvl_leave(who text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
	SELECT count(*) INTO n FROM lvl_doctor WHERE on_call;
	PERFORM lvl_meet();
	IF n < 2 THEN
		RETURN 'stays';
	END IF;
	UPDATE lvl_doctor SET on_call = false WHERE name = who;
	RETURN 'leaves';
END $$;
CALL lvl_evening('call');
SELECT * FROM lvl_result('call');
CREATE FUNCTION lvl_other_form() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL transaction_isolation = 'repeatable read';
	RETURN current_setting('transaction_isolation');
END $$;
CREATE FUNCTION lvl_too_late() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM lvl_doctor;
	SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
	RETURN current_setting('transaction_isolation');
END $$;
CREATE FUNCTION lvl_in_block() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLERRM || ', then ' || (SELECT count(*) FROM lvl_doctor);
	END;
	RETURN current_setting('transaction_isolation');
END $$;
CREATE FUNCTION lvl_in_sql() RETURNS text LANGUAGE sql AS $$
	SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT current_setting('transaction_isolation') $$;
CREATE FUNCTION lvl_wrong() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET transaction_isolation = 'none at all';
	RETURN NULL;
END $$;
SELECT count(df_start_singleton('lvl_ask', 'lvl ' || f, jsonb_build_object('name', 'lvl_' || f))) FROM unnest('{other_form,too_late,in_block,in_sql,wrong}'::text[]) f;
SELECT f, s.runtime_status, s.output, s.failure ->> 'sqlstate' AS sqlstate, s.failure ->> 'message' AS message
FROM unnest('{other_form,too_late,in_block,in_sql,wrong}'::text[]) f, df_wait_for_completion('lvl ' || f) s;

-- a deadlock of two orchestrators: one waits for the other, and is repeated
CREATE TABLE lvl_account (id int PRIMARY KEY, n int);
INSERT INTO lvl_account VALUES (1, 0), (2, 0);
CREATE FUNCTION lvl_book(a int, b int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	UPDATE lvl_account SET n = n + 1 WHERE id = a;
	PERFORM lvl_meet();
	UPDATE lvl_account SET n = n + 1 WHERE id = b;
	RETURN '"booked"';
END $$;
SELECT setval('lvl_met', 1, false);
SELECT df_start_singleton('lvl_book', 'lvl book 1', '{"a": 1, "b": 2}'), df_start_singleton('lvl_book', 'lvl book 2', '{"a": 2, "b": 1}');
SELECT runtime_status, output FROM df_wait_for_completion('lvl book 1') UNION ALL SELECT runtime_status, output FROM df_wait_for_completion('lvl book 2');
SELECT * FROM lvl_account ORDER BY id;
-- as often as an activity, and no more; what it has scheduled does not begin
CREATE SEQUENCE lvl_tries;
CREATE FUNCTION lvl_child() RETURNS jsonb LANGUAGE sql AS $$ SELECT '1'::jsonb $$;
CREATE FUNCTION lvl_never(sqlstate text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_record('1');
	PERFORM df_schedule_sub_orchestrator('lvl_child', NULL, 'lvl child');
	RAISE EXCEPTION 'try %', nextval('lvl_tries') USING ERRCODE = sqlstate;
END $$;
SELECT df_start_singleton('lvl_never', 'lvl never', '{"sqlstate": "40P01"}');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message FROM df_wait_for_completion('lvl never');
SELECT df_start_singleton('lvl_never', 'lvl never', '{"sqlstate": "25P02"}');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message FROM df_wait_for_completion('lvl never');
SELECT count(*) FROM df_get_status('lvl child');
-- one that passes
CREATE FUNCTION lvl_third() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	PERFORM df_record('1');
	n := nextval('lvl_tries');
	IF n IN (1, 2, 4) THEN
		RAISE EXCEPTION 'try %', n USING ERRCODE = '40001';
	ELSIF n = 3 THEN
		PERFORM df_continue_as_new(NULL);
		RETURN NULL;
	END IF;
	RETURN to_jsonb(n);
END $$;
SELECT setval('lvl_tries', 1, false);
SELECT df_start_singleton('lvl_third', 'lvl third');
SELECT runtime_status, output FROM df_wait_for_completion('lvl third');
-- the failure of an activity that has been repeated already
CREATE FUNCTION lvl_fails() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'attempt %', nextval('lvl_tries') USING ERRCODE = '40001';
END $$;
SELECT setval('lvl_tries', 1, false);
SELECT df_start_singleton('lvl_ask', 'lvl fails', '{"name": "lvl_fails"}');
SELECT runtime_status, failure ->> 'message' AS message, failure ->> 'name' AS name FROM df_wait_for_completion('lvl fails');

DROP TABLE lvl_doctor, lvl_account;
DROP SEQUENCE lvl_met, lvl_tries;
DROP PROCEDURE lvl_evening;
DROP FUNCTION lvl_meet, lvl_leave, lvl_call, lvl_task, lvl_itself, lvl_result, lvl_show, lvl_ask, lvl_locked, lvl_show_it, lvl_other_form, lvl_too_late,
	lvl_in_block, lvl_in_sql, lvl_wrong, lvl_book, lvl_child, lvl_never, lvl_third, lvl_fails;
