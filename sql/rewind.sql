-- df_rewind continues a failed instance from its last good step once the cause
-- is fixed: completed activities are not repeated, failed ones are.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE rewind_ledger (n int GENERATED ALWAYS AS IDENTITY, id text, what text);
CREATE TABLE rewind_broken (what text PRIMARY KEY, state text NOT NULL DEFAULT 'ZZ001');
CREATE SEQUENCE rewind_calls;
-- writes into the ledger, and fails while it is broken
CREATE FUNCTION rewind_step(what text, id text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	call bigint := nextval('rewind_calls');
	code text;
BEGIN
	INSERT INTO rewind_ledger (id, what) VALUES (rewind_step.id, rewind_step.what);
	SELECT state INTO code FROM rewind_broken b WHERE b.what = rewind_step.what;
	IF FOUND THEN
		RAISE EXCEPTION '% is broken', what USING ERRCODE = code;
	END IF;
	RETURN to_jsonb(what || ' done');
END $$;
CREATE FUNCTION rewind_call(what text, retry jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT df_call_activity('rewind_step', jsonb_build_object('what', what, 'id', df_instance_id()), retry)
$$;
CREATE PROCEDURE rewind_break(VARIADIC what text[]) LANGUAGE sql AS $$
	INSERT INTO rewind_broken SELECT unnest(what)
$$;
-- the ledger of an instance and its children, which is emptied
CREATE FUNCTION rewind_ledger(prefix text) RETURNS text[] LANGUAGE sql AS $$
	WITH gone AS (DELETE FROM rewind_ledger WHERE id LIKE prefix || '%' RETURNING n, what)
	SELECT array_agg(what ORDER BY n) FROM gone
$$;
CREATE VIEW rewind_told AS
	SELECT instance_id, seq, event_type, name, CASE jsonb_typeof(input) WHEN 'object' THEN input -> 'what' ELSE input END AS input,
		result, failure ->> 'message' AS message FROM df_history;

-- one after the other
CREATE FUNCTION rewind_chain(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	guid uuid := df_new_guid();
	random jsonb;
	result jsonb := '[]';
BEGIN
	PERFORM df_set_custom_status('"first"');
	result := result || rewind_call('a');
	random := df_record(to_jsonb(random()));
	PERFORM df_create_timer('1 ms');
	PERFORM df_set_custom_status('"second"');
	result := result || rewind_call('b');
	result := result || rewind_call('c');
	RETURN jsonb_build_object('result', result, 'guid', guid, 'random', random, 'began', df_current_utc_datetime());
END $$;
CALL rewind_break('b');
SELECT df_start_singleton('rewind_chain', 'rewind chain', '"input"');
SELECT runtime_status, output, custom_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind chain');
SELECT rewind_ledger('rewind chain');
SELECT execution_id, created_time FROM df_get_status('rewind chain') \gset
SELECT result AS random FROM df_history WHERE instance_id = 'rewind chain' AND event_type = 'GenericEvent' \gset
-- a rewind that is rolled back did not happen
BEGIN;
SELECT df_rewind('rewind chain');
SELECT runtime_status FROM df_get_status('rewind chain');
ROLLBACK;
SELECT runtime_status, output, failure ->> 'message' AS message FROM df_get_status('rewind chain');
-- nothing of the failure is left after it, and the id is taken
BEGIN;
DELETE FROM rewind_broken;
SELECT df_rewind('rewind chain', 'b is mended');
SELECT runtime_status, input, output, custom_status, failure FROM df_get_status('rewind chain');
SELECT runtime_status, output, failure FROM df_instances WHERE instance_id = 'rewind chain';
SELECT df_start_singleton('rewind_chain', 'rewind chain');
SELECT event_type, name, input FROM rewind_told WHERE instance_id = 'rewind chain' ORDER BY seq;
COMMIT;
SELECT runtime_status, output -> 'result' AS result, output -> 'random' = :'random' AS same_random, custom_status, failure,
	execution_id = :'execution_id' AS same_execution, created_time = :'created_time' AS same_created_time
FROM df_wait_for_completion('rewind chain');
SELECT rewind_ledger('rewind chain');
SELECT event_type, name, input, CASE WHEN event_type LIKE 'Task%' THEN result END AS result, message FROM rewind_told
WHERE instance_id = 'rewind chain' ORDER BY seq;
SELECT count(*) FROM df_executions WHERE instance_id = 'rewind chain';

-- at the very first step; again and again; for another cause than before
CALL rewind_break('a', 'c');
SELECT df_start_singleton('rewind_chain', 'rewind again');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind again');
SELECT df_rewind('rewind again');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind again');
SELECT df_rewind('rewind again', 'try once more');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind again');
SELECT rewind_ledger('rewind again');
DELETE FROM rewind_broken WHERE what = 'a';
SELECT df_rewind('rewind again', 'a is mended');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind again');
SELECT rewind_ledger('rewind again');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind again', 'c is mended');
SELECT runtime_status, output -> 'result' AS result FROM df_wait_for_completion('rewind again');
SELECT rewind_ledger('rewind again');
SELECT event_type, name, input, message FROM rewind_told
WHERE instance_id = 'rewind again' AND event_type IN ('TaskFailed', 'TaskCompleted', 'ExecutionRewound', 'ExecutionCompleted') ORDER BY seq;

-- a retried activity gets all its attempts again
CREATE FUNCTION rewind_retried(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rewind_call('a');
	RETURN rewind_call('b', df_retry_policy(3, '1 ms'));
END $$;
CALL rewind_break('b');
SELECT setval('rewind_calls', 1, false);
SELECT df_start_singleton('rewind_retried', 'rewind retried');
SELECT runtime_status, failure -> 'attempts' AS attempts FROM df_wait_for_completion('rewind retried');
SELECT last_value AS calls FROM rewind_calls;
SELECT df_rewind('rewind retried');
SELECT runtime_status, failure -> 'attempts' AS attempts FROM df_wait_for_completion('rewind retried');
SELECT last_value AS calls FROM rewind_calls;
DELETE FROM rewind_broken;
SELECT df_rewind('rewind retried');
SELECT runtime_status, output FROM df_wait_for_completion('rewind retried');
SELECT last_value AS calls FROM rewind_calls;
SELECT rewind_ledger('rewind retried');
SELECT event_type, name, failure -> 'attempts' AS attempts FROM df_history WHERE instance_id = 'rewind retried' ORDER BY seq;

-- a failure that the code caught and went on from stays
CREATE FUNCTION rewind_caught(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	result jsonb := '[]';
BEGIN
	BEGIN
		result := result || rewind_call('caught');
	EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
		result := result || to_jsonb(SQLERRM) || rewind_call('compensation');
	END;
	RETURN result || rewind_call('b');
END $$;
CALL rewind_break('caught', 'b');
SELECT df_start_singleton('rewind_caught', 'rewind caught');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind caught');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind caught', 'both are mended');
SELECT runtime_status, output FROM df_wait_for_completion('rewind caught');
SELECT rewind_ledger('rewind caught');
SELECT event_type, name, input, result, message FROM rewind_told WHERE instance_id = 'rewind caught' ORDER BY seq;
-- one that it caught to fail with an error of its own was the cause of that
CREATE FUNCTION rewind_turned(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rewind_call('a');
	RETURN rewind_call('b');
EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
	RAISE EXCEPTION 'cannot go on: %', SQLERRM;
END $$;
CALL rewind_break('b');
SELECT df_start_singleton('rewind_turned', 'rewind turned');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind turned');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind turned');
SELECT runtime_status, output FROM df_wait_for_completion('rewind turned');
SELECT rewind_ledger('rewind turned');

-- several tasks failed, others did not
CREATE FUNCTION rewind_fan(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[];
BEGIN
	FOR i IN 1 .. 6 LOOP
		tasks := tasks || df_schedule_activity('rewind_step', jsonb_build_object('what', 'task ' || i, 'id', df_instance_id()),
			CASE WHEN i > 3 THEN df_retry_policy(2, '1 ms') END);
	END LOOP;
	RETURN df_wait_all(tasks) || rewind_call('after');
END $$;
CALL rewind_break('task 2', 'task 4', 'task 5');
SELECT df_start_singleton('rewind_fan', 'rewind fan');
SELECT runtime_status, failure ->> 'message' AS message, failure -> 'seq' AS seq FROM df_wait_for_completion('rewind fan');
SELECT w FROM unnest(rewind_ledger('rewind fan')) w ORDER BY w;
-- one of them is mended
DELETE FROM rewind_broken WHERE what = 'task 2';
SELECT df_rewind('rewind fan');
SELECT runtime_status, failure ->> 'message' AS message, failure -> 'seq' AS seq, failure -> 'attempts' AS attempts FROM df_wait_for_completion('rewind fan');
SELECT w FROM unnest(rewind_ledger('rewind fan')) w ORDER BY w;
DELETE FROM rewind_broken;
SELECT df_rewind('rewind fan');
SELECT runtime_status, output FROM df_wait_for_completion('rewind fan');
SELECT w FROM unnest(rewind_ledger('rewind fan')) w ORDER BY w;
SELECT event_type, name, input, count(*), count(message) AS messages FROM rewind_told
WHERE instance_id = 'rewind fan' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
-- what df_wait_all raised was caught: none of those that failed runs again
CREATE FUNCTION rewind_batch(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[];
	result jsonb;
BEGIN
	FOR i IN 1 .. 3 LOOP
		tasks := tasks || df_schedule_activity('rewind_step', jsonb_build_object('what', 'task ' || i, 'id', df_instance_id()));
	END LOOP;
	BEGIN
		result := df_wait_all(tasks);
	EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
		result := jsonb_build_array(SQLERRM, rewind_call('compensation'));
	END;
	RETURN result || rewind_call('b');
END $$;
CALL rewind_break('task 1', 'task 3', 'b');
SELECT df_start_singleton('rewind_batch', 'rewind batch');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind batch');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind batch');
SELECT runtime_status, output FROM df_wait_for_completion('rewind batch');
SELECT rewind_ledger('rewind batch');
-- tasks that failed without having been awaited
CREATE FUNCTION rewind_unmet(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[];
BEGIN
	FOR i IN 1 .. 3 LOOP
		tasks := tasks || df_schedule_activity('rewind_step', jsonb_build_object('what', 'task ' || i, 'id', df_instance_id()));
	END LOOP;
	RETURN jsonb_build_array(df_await(tasks[3]), df_await(tasks[2]), df_await(tasks[1]));
END $$;
CALL rewind_break('task 1', 'task 2', 'task 3');
SELECT df_start_singleton('rewind_unmet', 'rewind unmet');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind unmet');
CALL until($$ (SELECT count(*) = 3 FROM df_history WHERE instance_id = 'rewind unmet' AND event_type = 'TaskFailed') $$);
DELETE FROM rewind_broken;
SELECT df_rewind('rewind unmet');
SELECT runtime_status, output FROM df_wait_for_completion('rewind unmet');
SELECT w FROM unnest(rewind_ledger('rewind unmet')) w ORDER BY w;

-- a task that is still running goes on, and runs once
CREATE FUNCTION rewind_slow(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO rewind_ledger (id, what) VALUES ('rewind slow', 'slow');
	PERFORM pg_advisory_xact_lock_shared(6030);
	RETURN '"slow done"';
END $$;
CREATE FUNCTION rewind_beside(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	slow int := df_schedule_activity('rewind_slow');
	b int := df_schedule_activity('rewind_step', '{"what": "b", "id": "rewind slow"}');
BEGIN
	RETURN jsonb_build_array(df_await(b), df_await(slow));
END $$;
CALL rewind_break('b');
SELECT pg_advisory_lock(6030);
SELECT df_start_singleton('rewind_beside', 'rewind beside');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind beside');
CALL until($$ EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 6030 AND NOT granted) $$);
DELETE FROM rewind_broken;
SELECT df_rewind('rewind beside');
CALL until($$ (SELECT waiting_for = 'activity rewind_slow' FROM df_instances WHERE instance_id = 'rewind beside') $$);
SELECT pg_advisory_unlock(6030);
SELECT runtime_status, output FROM df_wait_for_completion('rewind beside');
SELECT rewind_ledger('rewind slow');
-- the winner of df_wait_any that failed stays the winner
CREATE FUNCTION rewind_any(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	timer int := df_schedule_timer('1 hour');
	b int := df_schedule_activity('rewind_step', '{"what": "b", "id": "rewind any"}');
	winner int := df_wait_any(ARRAY[timer, b]);
BEGIN
	RETURN jsonb_build_array(winner = b, df_await(winner));
END $$;
CALL rewind_break('b');
SELECT df_start_singleton('rewind_any', 'rewind any');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind any');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind any');
SELECT runtime_status, output FROM df_wait_for_completion('rewind any');
SELECT rewind_ledger('rewind any');

-- children and their children, each from its own last good step
CREATE FUNCTION rewind_family(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	result jsonb;
BEGIN
	result := jsonb_build_array(rewind_call(format('before %s', input)));
	IF input::int > 0 THEN
		result := result || df_call_sub_orchestrator('rewind_family', to_jsonb(input::int - 1), format('rewind family %s', input::int - 1));
	ELSE
		result := result || rewind_call('b');
	END IF;
	RETURN result || rewind_call(format('after %s', input));
END $$;
CALL rewind_break('b');
SELECT df_start_singleton('rewind_family', 'rewind family 2', '2');
SELECT runtime_status, failure ->> 'message' AS message, failure -> 'instance_id' AS id FROM df_wait_for_completion('rewind family 2');
SELECT rewind_ledger('rewind family');
-- nothing mended: all of them fail again
SELECT df_rewind('rewind family 2', 'in vain');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind family 2');
SELECT instance_id, runtime_status, failure ->> 'message' AS message FROM df_instances WHERE instance_id LIKE 'rewind family %' ORDER BY 1;
SELECT rewind_ledger('rewind family');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind family 2', 'b is mended');
SELECT runtime_status, output FROM df_wait_for_completion('rewind family 2');
SELECT instance_id, parent_instance_id, runtime_status, failure FROM df_instances WHERE instance_id LIKE 'rewind family %' ORDER BY 1;
SELECT rewind_ledger('rewind family');
SELECT count(*) FROM df_executions WHERE instance_id LIKE 'rewind family %';
SELECT event_type, name, input, message FROM rewind_told WHERE instance_id = 'rewind family 1' ORDER BY seq;
SELECT event_type, name, input, message FROM rewind_told WHERE instance_id = 'rewind family 0' ORDER BY seq;
-- children that are scheduled, with ids of their own making; one of three
-- failed
CREATE FUNCTION rewind_little(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_array(
		df_call_activity('rewind_step', jsonb_build_object('what', format('first of %s', input), 'id', 'rewind scheduled')),
		df_call_activity('rewind_step', jsonb_build_object('what', format('second of %s', input), 'id', 'rewind scheduled')));
END $$;
CREATE FUNCTION rewind_scheduled(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[];
BEGIN
	FOR i IN 1 .. 3 LOOP
		tasks := tasks || df_schedule_sub_orchestrator('rewind_little', to_jsonb(i));
	END LOOP;
	RETURN df_wait_all(tasks);
END $$;
CALL rewind_break('second of 2');
SELECT df_start_singleton('rewind_scheduled', 'rewind scheduled');
SELECT runtime_status, failure ->> 'message' AS message, failure -> 'name' AS name, failure -> 'seq' AS seq FROM df_wait_for_completion('rewind scheduled');
SELECT w FROM unnest(rewind_ledger('rewind scheduled')) w ORDER BY w;
DELETE FROM rewind_broken;
SELECT df_rewind('rewind scheduled');
SELECT runtime_status, output FROM df_wait_for_completion('rewind scheduled');
SELECT w FROM unnest(rewind_ledger('rewind scheduled')) w ORDER BY w;
SELECT runtime_status, count(*) FROM df_instances WHERE parent_instance_id = 'rewind scheduled' GROUP BY 1;
-- a child that is gone begins anew
CALL rewind_break('b');
SELECT df_start_singleton('rewind_family', 'rewind family 1', '1');
SELECT runtime_status FROM df_wait_for_completion('rewind family 1');
SELECT rewind_ledger('rewind family');
SELECT df_purge('rewind family 0');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind family 1');
SELECT runtime_status, output FROM df_wait_for_completion('rewind family 1');
SELECT rewind_ledger('rewind family');
-- a child that has been rewound by itself has its result by then
CALL rewind_break('b');
SELECT df_start_singleton('rewind_family', 'rewind family 1', '1');
SELECT runtime_status FROM df_wait_for_completion('rewind family 1');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind family 0');
SELECT runtime_status, output FROM df_wait_for_completion('rewind family 0');
SELECT runtime_status FROM df_get_status('rewind family 1');
SELECT df_rewind('rewind family 1');
SELECT runtime_status, output FROM df_wait_for_completion('rewind family 1');
SELECT rewind_ledger('rewind family');
-- a child that was terminated begins anew
CREATE FUNCTION rewind_waits(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_wait_for_external_event('go') $$;
CREATE FUNCTION rewind_parent(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_sub_orchestrator('rewind_waits', NULL, 'rewind child');
END $$;
SELECT df_start_singleton('rewind_parent', 'rewind parent');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'rewind child') $$);
SELECT df_terminate('rewind child');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('rewind parent');
-- not while the id belongs to another instance
SELECT df_start_singleton('rewind_waits', 'rewind child');
SELECT df_rewind('rewind parent');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('rewind parent');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'rewind child') $$);
SELECT df_raise_event('rewind child', 'go', '"of the other one"');
SELECT runtime_status, output FROM df_wait_for_completion('rewind child');
SELECT df_rewind('rewind parent');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'rewind child') $$);
SELECT df_raise_event('rewind child', 'go', '"of the child"');
SELECT runtime_status, output FROM df_wait_for_completion('rewind parent');
SELECT parent_instance_id FROM df_instances WHERE instance_id = 'rewind child';
-- a failed child that was caught stays as it is
CREATE FUNCTION rewind_caught_child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	caught text;
BEGIN
	BEGIN
		PERFORM df_call_sub_orchestrator('rewind_little', '4', 'rewind little');
	EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
		caught := SQLERRM;
	END;
	RETURN jsonb_build_array(caught, rewind_call('b'));
END $$;
CALL rewind_break('second of 4', 'b');
SELECT df_start_singleton('rewind_caught_child', 'rewind caught child');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind caught child');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind caught child');
SELECT runtime_status, output FROM df_wait_for_completion('rewind caught child');
SELECT runtime_status FROM df_get_status('rewind little');
SELECT rewind_ledger('rewind');

-- nor does one that is rewound by itself tell a parent that went on without it
CREATE FUNCTION rewind_without(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	caught text;
BEGIN
	BEGIN
		PERFORM df_call_sub_orchestrator('rewind_little', '5', 'rewind little');
	EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
		caught := SQLERRM;
	END;
	RETURN jsonb_build_array(caught, df_wait_for_external_event('go'));
END $$;
CALL rewind_break('second of 5');
SELECT df_start_singleton('rewind_without', 'rewind without');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'rewind without') $$);
DELETE FROM rewind_broken;
SELECT df_rewind('rewind little');
SELECT runtime_status, output FROM df_wait_for_completion('rewind little');
SELECT df_raise_event('rewind without', 'go', '"went"');
SELECT runtime_status, output FROM df_wait_for_completion('rewind without');
SELECT event_type, name, input, result, message FROM rewind_told WHERE instance_id = 'rewind without' ORDER BY seq;
SELECT rewind_ledger('rewind');

-- the orchestrator's own error, with the function replaced in between
CREATE FUNCTION rewind_raises(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rewind_call('a');
	RAISE EXCEPTION 'not thought of';
END $$;
SELECT df_start_singleton('rewind_raises', 'rewind raises');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind raises');
SELECT df_rewind('rewind raises');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('rewind raises');
CREATE OR REPLACE FUNCTION rewind_raises(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rewind_call('a');
	RETURN rewind_call('b');
END $$;
SELECT df_rewind('rewind raises', 'thought of');
SELECT runtime_status, output FROM df_wait_for_completion('rewind raises');
SELECT rewind_ledger('rewind raises');
-- a constraint that failed at the end of the orchestrator, a missing function
CREATE TABLE rewind_unique (i int UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO rewind_unique VALUES (1);
CREATE FUNCTION rewind_writes(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rewind_call('a');
	INSERT INTO rewind_unique VALUES (1);
	RETURN '"written"';
END $$;
SELECT df_start_singleton('rewind_writes', 'rewind writes');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('rewind writes');
DELETE FROM rewind_unique;
SELECT df_rewind('rewind writes');
SELECT runtime_status, output FROM df_wait_for_completion('rewind writes');
SELECT count(*) FROM rewind_unique;
SELECT rewind_ledger('rewind writes');
CREATE FUNCTION rewind_missing(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rewind_call('a');
	RETURN df_call_activity('rewind_not_yet', input);
END $$;
SELECT df_start_singleton('rewind_missing', 'rewind missing', '"here"');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('rewind missing');
CREATE FUNCTION rewind_not_yet(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
SELECT df_rewind('rewind missing');
SELECT runtime_status, output FROM df_wait_for_completion('rewind missing');
SELECT rewind_ledger('rewind missing');

-- a rule was broken: the old body goes on where the new one did not fit
CREATE FUNCTION rewind_rule(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rewind_call('a');
	PERFORM df_wait_for_external_event('go');
	RETURN rewind_call('b');
END $$;
SELECT prosrc AS old_body FROM pg_proc WHERE proname = 'rewind_rule' \gset
SELECT df_start_singleton('rewind_rule', 'rewind rule');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'rewind rule') $$);
CREATE OR REPLACE FUNCTION rewind_rule(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	PERFORM rewind_call('a');
	RETURN NULL;
END $$;
SELECT df_raise_event('rewind rule', 'go', '"went"');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('rewind rule');
SELECT df_rewind('rewind rule');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('rewind rule');
CREATE OR REPLACE FUNCTION rewind_rule(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS :'old_body';
SELECT df_rewind('rewind rule', 'the old body is back');
SELECT runtime_status, output, failure FROM df_wait_for_completion('rewind rule');
SELECT rewind_ledger('rewind rule');

-- events that wait are there after it
CREATE FUNCTION rewind_events(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	first jsonb := df_wait_for_external_event('first');
BEGIN
	PERFORM rewind_call('b');
	RETURN jsonb_build_array(first, df_wait_for_external_event('second'), df_wait_for_external_event('second'));
END $$;
CALL rewind_break('b');
BEGIN;
SELECT df_start_singleton('rewind_events', 'rewind events');
SELECT df_raise_event('rewind events', 'second', '2');
SELECT df_raise_event('rewind events', 'second', '3');
SELECT df_raise_event('rewind events', 'first', '1');
COMMIT;
SELECT runtime_status FROM df_wait_for_completion('rewind events');
SELECT error_of($$ SELECT df_raise_event('rewind events', 'second', '4') $$);
DELETE FROM rewind_broken;
SELECT df_rewind('rewind events');
SELECT runtime_status, output FROM df_wait_for_completion('rewind events');
SELECT rewind_ledger('rewind events');

-- of continue-as-new the turn that failed goes on
CREATE FUNCTION rewind_turns(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rewind_call(format('begin %s', input));
	PERFORM rewind_call(format('end %s', input));
	IF input::int < 3 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int + 1));
	END IF;
	RETURN input;
END $$;
CALL rewind_break('end 2');
SELECT df_start_singleton('rewind_turns', 'rewind turns', '1');
SELECT runtime_status, input FROM df_wait_for_completion('rewind turns');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind turns');
SELECT runtime_status, input, output FROM df_wait_for_completion('rewind turns');
SELECT rewind_ledger('rewind turns');

-- while it is active again it can be ended like any other
CREATE FUNCTION rewind_held(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rewind_call('b');
	RETURN df_wait_for_external_event('go');
END $$;
CALL rewind_break('b');
SELECT df_start_singleton('rewind_held', 'rewind held');
SELECT runtime_status FROM df_wait_for_completion('rewind held');
DELETE FROM rewind_broken;
SELECT df_rewind('rewind held');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'rewind held') $$);
SELECT error_of($$ SELECT df_rewind('rewind held') $$);
SELECT df_suspend('rewind held');
SELECT error_of($$ SELECT df_rewind('rewind held') $$);
SELECT df_terminate('rewind held', 'enough');
SELECT error_of($$ SELECT df_rewind('rewind held') $$);
SELECT event_type, name, message FROM rewind_told WHERE instance_id = 'rewind held' ORDER BY seq;

-- in the other statuses
SELECT df_start_singleton('rewind_held', 'rewind Pending', start_at => '2200-01-01');
SELECT error_of($$ SELECT df_rewind('rewind Pending') $$);
SELECT df_terminate('rewind Pending');
SELECT error_of($$ SELECT df_rewind('rewind chain', 'it is Completed') $$);
SELECT error_of($$ SELECT df_rewind('rewind unknown') $$);
SELECT error_of($$ SELECT df_rewind(NULL) $$);
SELECT error_of($$ SELECT df_rewind('') $$);
-- of another role
CREATE ROLE regress_ds_user LOGIN;
SELECT df_grant_usage('regress_ds_user');
CALL rewind_break('a');
SELECT df_start_singleton('rewind_chain', 'rewind role');
SELECT runtime_status FROM df_wait_for_completion('rewind role');
SET SESSION AUTHORIZATION regress_ds_user;
SELECT error_of($$ SELECT df_rewind('rewind role') $$);
RESET SESSION AUTHORIZATION;
SELECT runtime_status FROM df_get_status('rewind role');

SELECT df_revoke_usage('regress_ds_user');
DROP ROLE regress_ds_user;
DROP VIEW rewind_told;
DROP TABLE rewind_ledger, rewind_broken, rewind_unique;
DROP SEQUENCE rewind_calls;
DROP PROCEDURE rewind_break;
DROP FUNCTION rewind_step, rewind_call, rewind_ledger, rewind_chain, rewind_retried, rewind_caught, rewind_turned, rewind_fan,
	rewind_unmet, rewind_family, rewind_little, rewind_scheduled, rewind_caught_child, rewind_raises, rewind_writes,
	rewind_batch, rewind_slow, rewind_beside, rewind_any, rewind_waits, rewind_parent, rewind_without, rewind_missing, rewind_not_yet, rewind_rule, rewind_events, rewind_turns, rewind_held;
