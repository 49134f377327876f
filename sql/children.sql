-- Children: their result or failure reaches the parent, a given id obeys the
-- singleton rule, terminate reaches them, and parent and child know each
-- other.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE kid_log (n int GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION kid_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION kid_log(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO kid_log (what) VALUES (input #>> '{}');
	RETURN input;
END $$;
-- writes, then stands at the gate
CREATE FUNCTION kid_gate(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO kid_log (what) VALUES (input #>> '{}');
	PERFORM pg_advisory_xact_lock_shared(6030);
	RETURN input;
END $$;
CREATE FUNCTION kid_at_gate(expected int) RETURNS boolean LANGUAGE sql AS $$
	SELECT count(*) = expected FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND l.objid = 6030 AND NOT l.granted
$$;
-- children
CREATE FUNCTION kid_hold(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"holding"');
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION kid_work(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('kid_gate', input);
END $$;
CREATE FUNCTION kid_who(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('kid_echo');
	RETURN jsonb_build_object('input', input, 'I am', df_instance_id(), 'my parent is', df_parent_instance_id());
END $$;
CREATE FUNCTION kid_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no %', input ->> 'what'
		USING ERRCODE = input ->> 'sqlstate', DETAIL = 'The shelf is empty.', HINT = 'Come back tomorrow.';
END $$;
CREATE FUNCTION kid_fail_in_activity(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('kid_fail', input);
END $$;
CREATE FUNCTION kid_void(input jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
END $$;
-- a parent that calls the child that its input names
CREATE FUNCTION kid_parent(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_array(df_call_sub_orchestrator(input ->> 'name', input -> 'input', input ->> 'id'));
END $$;
-- the same, with all that is to be known about an error
CREATE FUNCTION kid_careful(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	RETURN jsonb_build_array(df_call_sub_orchestrator(input ->> 'name', input -> 'input', input ->> 'id'));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN jsonb_build_object('state', state, 'message', message, 'detail', detail, 'hint', hint);
END $$;
-- generated ids differ from run to run: their first part is a uuid
CREATE FUNCTION kid_plain(value anyelement) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(value::text, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<uuid>', 'g') $$;

-- a result; ids and links
SELECT df_start_singleton('kid_parent', 'kid a', '{"name": "kid_who", "input": {"x": 1}}');
SELECT runtime_status, kid_plain(output) AS output, failure FROM df_wait_for_completion('kid a');
SELECT df_start_singleton('kid_parent', 'kid b', '{"name": "kid_who", "id": "kid b''s"}');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid b');
SELECT df_start_singleton('kid_parent', 'kid c', '{"name": "kid_parent", "input": {"name": "kid_who", "id": "kid c''s grandchild"}, "id": "kid c''s"}');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid c');
SELECT name, kid_plain(instance_id) AS id, parent_instance_id, runtime_status, kid_plain(output) AS output, owner = current_user::regrole AS own
FROM df_instances WHERE parent_instance_id LIKE 'kid %' ORDER BY parent_instance_id, instance_id COLLATE "C";
-- the first part is the execution's id, the second the number of the task
SELECT i.instance_id = p.execution_id || ':0001' AS as_documented
FROM df_instances i JOIN df_instances p ON i.parent_instance_id = p.instance_id WHERE p.instance_id = 'kid a';
SELECT event_type, name, input, kid_plain(result) AS result FROM df_history WHERE instance_id = 'kid b' ORDER BY seq;
SELECT event_type, name, input FROM df_history WHERE instance_id = 'kid b''s' ORDER BY seq;
-- none has the parent of another, nor one who was started by a client
SELECT df_start_singleton('kid_who', 'kid root');
SELECT runtime_status, output FROM df_wait_for_completion('kid root');
SELECT parent_instance_id FROM df_instances WHERE instance_id = 'kid root';
SELECT error_of($$ SELECT df_parent_instance_id() $$);
SELECT error_of($$ SELECT df_call_sub_orchestrator('kid_who') $$);
-- no result, no input, a wait between
SELECT df_start_singleton('kid_parent', 'kid void', '{"name": "kid_void"}');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid void');
-- many, by both functions, with ids and without
CREATE FUNCTION kid_many(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
BEGIN
	FOR i IN 1 .. 10 LOOP
		t := t || df_schedule_sub_orchestrator('kid_echo', to_jsonb(i), CASE WHEN i % 2 = 0 THEN 'kid many ' || i END);
	END LOOP;
	RETURN df_wait_all(t) || df_call_sub_orchestrator('kid_echo', '11') || df_call_sub_orchestrator('kid_echo', '12');
END $$;
SELECT df_start_singleton('kid_many', 'kid many');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid many');
SELECT count(*), count(DISTINCT instance_id), count(*) FILTER (WHERE instance_id LIKE 'kid many %') AS given
FROM df_instances WHERE parent_instance_id = 'kid many';

-- a failure is raised in the parent with all that it has, and can be caught;
-- through two generations, too
SELECT df_start_singleton('kid_careful', 'kid fail a', '{"name": "kid_fail", "input": {"what": "luck", "sqlstate": "ZZ001"}}');
SELECT df_start_singleton('kid_careful', 'kid fail b', '{"name": "kid_fail_in_activity", "input": {"what": "patience", "sqlstate": "23505"}}');
SELECT df_start_singleton('kid_careful', 'kid fail c', '{"name": "kid_parent", "input": {"name": "kid_fail", "input": {"what": "time", "sqlstate": "ZZ003"}}}');
SELECT i, s.runtime_status, s.output FROM unnest('{a,b,c}'::text[]) i, df_wait_for_completion('kid fail ' || i) s;
CREATE FUNCTION kid_catch(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int := df_schedule_sub_orchestrator('kid_fail', '{"what": "luck", "sqlstate": "23505"}');
	caught int := 0;
BEGIN
	FOR i IN 1 .. 3 LOOP
		BEGIN
			CASE i WHEN 1 THEN PERFORM df_await(t);
				WHEN 2 THEN PERFORM df_await(df_wait_any(ARRAY[t]));
				ELSE PERFORM df_wait_all(ARRAY[t]);
			END CASE;
		EXCEPTION WHEN unique_violation THEN
			caught := caught + 1;
		END;
	END LOOP;
	RETURN jsonb_build_array(caught, df_call_activity('kid_echo', '"goes on"'));
END $$;
SELECT df_start_singleton('kid_catch', 'kid catch');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid catch');
-- uncaught it fails the parent, whose failure names the child; so does history
SELECT df_start_singleton('kid_parent', 'kid uncaught', '{"name": "kid_fail", "input": {"what": "luck", "sqlstate": "ZZ001"}, "id": "kid uncaught''s"}');
SELECT runtime_status, output, jsonb_pretty(failure - 'context') AS failure FROM df_wait_for_completion('kid uncaught');
SELECT runtime_status, output, jsonb_pretty(failure - 'context') AS failure FROM df_get_status('kid uncaught''s');
SELECT event_type, name, input, failure - 'context' AS failure FROM df_history WHERE instance_id = 'kid uncaught' ORDER BY seq;

-- a given id obeys the singleton rule: active in other hands, one's own, the
-- parent's, the same twice
SELECT df_start_singleton('kid_hold', 'kid held', '"a client''s"');
SELECT df_start_singleton('kid_careful', 'kid rule a', '{"name": "kid_echo", "id": "kid held"}');
SELECT df_start_singleton('kid_careful', 'kid rule b', '{"name": "kid_echo", "id": "kid rule b"}');
SELECT df_start_singleton('kid_parent', 'kid rule c', '{"name": "kid_careful", "input": {"name": "kid_echo", "id": "kid rule c"}}');
SELECT i, s.runtime_status, s.output FROM unnest('{a,b,c}'::text[]) i, df_wait_for_completion('kid rule ' || i) s;
SELECT df_start_singleton('kid_parent', 'kid rule uncaught', '{"name": "kid_echo", "id": "kid held"}');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message FROM df_wait_for_completion('kid rule uncaught');
SELECT event_type, name, input, failure ->> 'sqlstate' AS sqlstate FROM df_history WHERE instance_id = 'kid rule uncaught' ORDER BY seq;
CREATE FUNCTION kid_twice(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int := df_schedule_sub_orchestrator('kid_hold', NULL, 'kid twice''s');
	answer text;
BEGIN
	BEGIN
		PERFORM df_await(df_schedule_sub_orchestrator('kid_echo', '"second"', 'kid twice''s'));
	EXCEPTION WHEN SQLSTATE 'SD409' THEN
		answer := SQLERRM;
	END;
	PERFORM df_set_custom_status('"waits"');
	RETURN jsonb_build_array(answer, df_await(t), df_call_sub_orchestrator('kid_echo', '"third"', 'kid twice''s'));
END $$;
SELECT df_start_singleton('kid_twice', 'kid twice');
CALL until($$ (SELECT custom_status = '"waits"' FROM df_instances WHERE instance_id = 'kid twice') $$);
SELECT df_raise_event('kid twice''s', 'go', '"first"');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid twice');
-- who holds the id is not touched by that
SELECT runtime_status, input, custom_status FROM df_get_status('kid held');
SELECT parent_instance_id FROM df_instances WHERE instance_id = 'kid held';
SELECT df_raise_event('kid held', 'go', '"untouched"');
SELECT runtime_status, output FROM df_wait_for_completion('kid held');
-- an ended id is started over, whoever had it; the old execution is archived
SELECT df_start_singleton('kid_parent', 'kid over', '{"name": "kid_who", "input": "over it", "id": "kid held"}');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid over');
SELECT name, runtime_status, parent_instance_id, output FROM df_executions WHERE instance_id = 'kid held';
SELECT name, runtime_status, parent_instance_id FROM df_instances WHERE instance_id = 'kid held';
-- and a client starts over a child that has ended: it has no parent any more
SELECT df_start_singleton('kid_who', 'kid held');
SELECT runtime_status, output FROM df_wait_for_completion('kid held');
SELECT name, runtime_status, parent_instance_id FROM df_instances WHERE instance_id = 'kid held';
SELECT name, parent_instance_id FROM df_executions WHERE instance_id = 'kid held' ORDER BY created_time;

-- functions that are missing, forbidden or unfit; ids that are none
CREATE ROLE regress_ds_user LOGIN;
CREATE ROLE regress_ds_other LOGIN;
SELECT df_grant_usage('regress_ds_user');
SELECT df_grant_usage('regress_ds_other');
CREATE FUNCTION kid_forbidden(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
REVOKE EXECUTE ON FUNCTION kid_forbidden FROM PUBLIC;
CREATE FUNCTION kid_set(input jsonb) RETURNS SETOF jsonb LANGUAGE sql AS $$ SELECT input $$;
SET SESSION AUTHORIZATION regress_ds_other;
SELECT df_start_singleton('kid_hold', 'kid of another');
SELECT df_start_singleton('kid_echo', 'kid of another, ended');
SELECT runtime_status FROM df_wait_for_completion('kid of another, ended');
SET SESSION AUTHORIZATION regress_ds_user;
SELECT df_start_singleton('kid_careful', 'kid error a', '{"name": "kid_nowhere"}');
SELECT df_start_singleton('kid_careful', 'kid error b', '{"name": "kid_forbidden"}');
SELECT df_start_singleton('kid_careful', 'kid error c', '{"name": "kid_set"}');
SELECT df_start_singleton('kid_careful', 'kid error d', '{"name": "kid_echo", "id": "kid of another"}');
SELECT df_start_singleton('kid_careful', 'kid error e', '{"name": "kid_echo", "id": "kid of another, ended"}');
SELECT df_start_singleton('kid_careful', 'kid error f', '{"name": null}');
SELECT df_start_singleton('kid_careful', 'kid error g', '{"name": "kid_echo", "id": ""}');
SELECT df_start_singleton('kid_careful', 'kid error h', '{"name": "kid_echo", "id": "a\ttab"}');
SELECT df_start_singleton('kid_careful', 'kid error i', jsonb_build_object('name', 'kid_echo', 'id', repeat('x', 257)));
-- a child is of the parent's owner, whoever owns the function
SELECT df_start_singleton('kid_parent', 'kid user', '{"name": "kid_echo", "input": 1, "id": "kid user''s"}');
SELECT i, s.runtime_status, s.output ->> 'state' AS state, s.output ->> 'message' AS message, s.output -> 0 AS no_error
FROM unnest('{a,b,c,d,e,f,g,h,i}'::text[]) i, df_wait_for_completion('kid error ' || i) s;
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid user');
SELECT instance_id, owner, parent_instance_id FROM df_instances WHERE parent_instance_id IS NOT NULL;
RESET SESSION AUTHORIZATION;
SELECT df_terminate('kid of another');

-- terminate reaches children and grandchildren soon after: those that wait,
-- those that execute, those that nobody awaits
CREATE FUNCTION kid_family(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
	generation int := coalesce(input::int, 1);
	id text := df_instance_id() || '/';
BEGIN
	t[1] := df_schedule_sub_orchestrator('kid_hold', NULL, id || 'waits');
	t[2] := df_schedule_sub_orchestrator('kid_echo', '"done"', id || 'has ended');
	IF generation < 3 THEN
		t[3] := df_schedule_sub_orchestrator('kid_family', to_jsonb(generation + 1), id || generation + 1);
	ELSE
		t[3] := df_schedule_sub_orchestrator('kid_work', '"undone"', id || 'executes');
	END IF;
	RETURN df_await(t[3]);
END $$;
SELECT pg_advisory_lock(6030);
SELECT df_start_singleton('kid_family', 'kid F');
CALL until($$ kid_at_gate(1) $$);
CALL until($$ (SELECT count(*) = 3 FROM df_instances WHERE instance_id LIKE 'kid F%' AND custom_status = '"holding"') $$);
CALL until($$ (SELECT count(*) = 3 FROM df_instances WHERE instance_id LIKE 'kid F%' AND runtime_status = 'Completed') $$);
SELECT instance_id, runtime_status, parent_instance_id FROM df_instances WHERE instance_id LIKE 'kid F%' ORDER BY instance_id COLLATE "C";
SELECT df_terminate('kid F', 'enough');
SELECT runtime_status, output FROM df_get_status('kid F');
CALL until($$ NOT EXISTS (SELECT FROM df_instances WHERE instance_id LIKE 'kid F%' AND runtime_status IN ('Pending', 'Running')) $$);
CALL until($$ kid_at_gate(0) $$);
SELECT pg_advisory_unlock(6030);
SELECT instance_id, runtime_status FROM df_instances WHERE instance_id LIKE 'kid F%' ORDER BY instance_id COLLATE "C";
SELECT count(*) FROM kid_log;
-- a terminate that is rolled back reaches nobody
SELECT df_start_singleton('kid_parent', 'kid spared', '{"name": "kid_hold", "id": "kid spared''s"}');
CALL until($$ (SELECT custom_status = '"holding"' FROM df_instances WHERE instance_id = 'kid spared''s') $$);
BEGIN;
SELECT df_terminate('kid spared');
ROLLBACK;
SELECT df_raise_event('kid spared''s', 'go', '"spared"');
SELECT runtime_status, output FROM df_wait_for_completion('kid spared');
-- the family is terminated and begins anew: nobody of the new one is hit
SELECT pg_advisory_lock(6030);
SELECT df_start_singleton('kid_family', 'kid F', '3');
CALL until($$ kid_at_gate(1) $$);
SELECT df_terminate('kid F', 'enough');
CALL until($$ NOT EXISTS (SELECT FROM df_instances WHERE instance_id LIKE 'kid F%' AND runtime_status IN ('Pending', 'Running')) $$);
SELECT df_start_singleton('kid_family', 'kid F', '3');
CALL until($$ kid_at_gate(1) $$);
SELECT pg_advisory_unlock(6030);
SELECT runtime_status, output FROM df_wait_for_completion('kid F');
SELECT df_terminate('kid F/waits');
TRUNCATE kid_log;

-- a child that is terminated, or replaced by a client, raises SD410 in its
-- parent
SELECT df_start_singleton('kid_careful', 'kid lost a', '{"name": "kid_hold", "id": "kid lost a''s"}');
SELECT df_start_singleton('kid_careful', 'kid lost b', '{"name": "kid_hold", "id": "kid lost b''s"}');
SELECT df_start_singleton('kid_careful', 'kid lost c', '{"name": "kid_parent", "input": {"name": "kid_hold", "id": "kid lost c''s grandchild"}, "id": "kid lost c''s"}');
SELECT df_start_singleton('kid_parent', 'kid lost d', '{"name": "kid_hold", "id": "kid lost d''s"}');
CALL until($$ (SELECT count(*) = 4 FROM df_instances WHERE instance_id LIKE 'kid lost%' AND custom_status = '"holding"') $$);
SELECT df_terminate('kid lost a''s', 'some reason');
SELECT df_start_singleton('kid_who', 'kid lost b''s', on_conflict => 'terminate');
SELECT df_terminate('kid lost c''s grandchild');
SELECT df_terminate('kid lost d''s', 'some reason');
SELECT i, s.runtime_status, s.output FROM unnest('{a,b,c}'::text[]) i, df_wait_for_completion('kid lost ' || i) s;
SELECT runtime_status, output, jsonb_pretty(failure - 'context') AS failure FROM df_wait_for_completion('kid lost d');
SELECT runtime_status, output FROM df_wait_for_completion('kid lost b''s');
SELECT instance_id, parent_instance_id, runtime_status FROM df_executions WHERE instance_id = 'kid lost b''s';
SELECT instance_id, parent_instance_id, runtime_status FROM df_instances WHERE instance_id IN ('kid lost b''s', 'kid lost c''s', 'kid lost c''s grandchild') ORDER BY 1;
SELECT event_type, name, failure ->> 'sqlstate' AS sqlstate FROM df_history WHERE instance_id = 'kid lost a' ORDER BY seq;

-- a child that continues as new is the same child: its last turn has the
-- result, its id and its parent stay
CREATE FUNCTION kid_turns(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('kid_log', to_jsonb(format('turn %s of %s', input, df_parent_instance_id())));
	IF input::int < 3 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int + 1));
	END IF;
	RETURN to_jsonb(df_parent_instance_id());
END $$;
SELECT df_start_singleton('kid_parent', 'kid turns', '{"name": "kid_turns", "input": 1, "id": "kid turns''"}');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid turns');
SELECT what FROM kid_log ORDER BY n;
SELECT parent_instance_id FROM df_instances WHERE instance_id = 'kid turns''';
TRUNCATE kid_log;
-- a parent that continues as new: the child that it did not await goes on,
-- and its end is nothing to the new turn
CREATE FUNCTION kid_parent_turns(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int;
BEGIN
	IF input = '"second turn"' THEN
		t := df_schedule_sub_orchestrator('kid_who', '"of the second turn"');
		PERFORM df_wait_for_external_event('go');
		RETURN df_await(t);
	END IF;
	t := df_schedule_sub_orchestrator('kid_hold', NULL, 'kid left');
	PERFORM df_call_activity('kid_echo');
	PERFORM df_continue_as_new('"second turn"');
	RETURN NULL;
END $$;
SELECT df_start_singleton('kid_parent_turns', 'kid parent turns');
CALL until($$ (SELECT input = '"second turn"' FROM df_instances WHERE instance_id = 'kid parent turns') $$);
CALL until($$ (SELECT custom_status = '"holding"' FROM df_instances WHERE instance_id = 'kid left') $$);
SELECT df_raise_event('kid left', 'go', '"of the first turn"');
SELECT runtime_status, output FROM df_wait_for_completion('kid left');
SELECT df_raise_event('kid parent turns', 'go');
SELECT runtime_status, kid_plain(output) AS output, failure FROM df_wait_for_completion('kid parent turns');

-- a child outlives a parent that does not await it
CREATE FUNCTION kid_leave(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_schedule_sub_orchestrator('kid_hold', NULL, 'kid orphan ' || (input #>> '{}'));
	IF input = '"fails"' THEN
		PERFORM df_call_activity('kid_echo');
		RAISE EXCEPTION 'no luck';
	END IF;
	RETURN '"done"';
END $$;
SELECT df_start_singleton('kid_leave', 'kid leave ' || k, to_jsonb(k)) FROM unnest('{ends,fails}'::text[]) k;
SELECT k, s.runtime_status, s.output, s.failure ->> 'message' AS message FROM unnest('{ends,fails}'::text[]) k, df_wait_for_completion('kid leave ' || k) s;
CALL until($$ (SELECT count(*) = 2 FROM df_instances WHERE instance_id LIKE 'kid orphan %' AND custom_status = '"holding"') $$);
SELECT instance_id, runtime_status, parent_instance_id FROM df_instances WHERE instance_id LIKE 'kid orphan %' ORDER BY 1;
-- also when its parent's id begins anew: it is none of that one's children
SELECT df_start_singleton('kid_hold', 'kid leave ends');
SELECT df_terminate('kid leave ends');
SELECT df_raise_event('kid orphan ' || k, 'go', '"grown up"') FROM unnest('{ends,fails}'::text[]) k;
SELECT k, s.runtime_status, s.output FROM unnest('{ends,fails}'::text[]) k, df_wait_for_completion('kid orphan ' || k) s;

-- suspended child, suspended parent
SELECT df_start_singleton('kid_parent', 'kid still', '{"name": "kid_hold", "id": "kid still''s"}');
CALL until($$ (SELECT custom_status = '"holding"' FROM df_instances WHERE instance_id = 'kid still''s') $$);
SELECT df_suspend('kid still''s', 'wait');
SELECT df_raise_event('kid still''s', 'go', '"kept"');
SELECT instance_id, runtime_status FROM df_wait_for_any('{kid still,kid still''s}', '100 ms') ORDER BY 1;
SELECT df_resume('kid still''s');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid still');
SELECT df_start_singleton('kid_parent', 'kid still', '{"name": "kid_hold", "id": "kid still''s"}');
CALL until($$ (SELECT custom_status = '"holding"' FROM df_instances WHERE instance_id = 'kid still''s' AND runtime_status = 'Running') $$);
SELECT df_suspend('kid still');
SELECT df_raise_event('kid still''s', 'go', '"kept"');
SELECT runtime_status, output FROM df_wait_for_completion('kid still''s');
SELECT runtime_status FROM df_wait_for_completion('kid still', '100 ms');
SELECT df_resume('kid still');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid still');
-- a suspended child is terminated with its parent
SELECT df_start_singleton('kid_parent', 'kid still', '{"name": "kid_hold", "id": "kid still''s"}');
CALL until($$ (SELECT custom_status = '"holding"' FROM df_instances WHERE instance_id = 'kid still''s' AND runtime_status = 'Running') $$);
SELECT df_suspend('kid still''s');
SELECT df_terminate('kid still');
CALL until($$ (SELECT runtime_status = 'Terminated' FROM df_instances WHERE instance_id = 'kid still''s') $$);

-- purge takes the ended children along, the live one stays and ends by itself
SELECT df_start_singleton('kid_family', 'kid P', '3');
CALL until($$ (SELECT custom_status = '"holding"' FROM df_instances WHERE instance_id = 'kid P/waits') $$);
SELECT runtime_status, output FROM df_wait_for_completion('kid P');
CALL until($$ (SELECT runtime_status = 'Completed' FROM df_instances WHERE instance_id = 'kid P/has ended') $$);
SELECT error_of($$ SELECT df_purge('kid P/waits') $$);
SELECT df_purge('kid P');
SELECT instance_id, runtime_status, parent_instance_id FROM df_instances WHERE instance_id LIKE 'kid P%' ORDER BY instance_id COLLATE "C";
SELECT df_raise_event('kid P/waits', 'go', '"by itself"');
SELECT runtime_status, output FROM df_wait_for_completion('kid P/waits');
SELECT df_purge('kid P/waits');
SELECT df_start_singleton('kid_parent', 'kid P', '{"name": "kid_parent", "input": {"name": "kid_echo", "id": "kid P/1/1"}, "id": "kid P/1"}');
SELECT runtime_status FROM df_wait_for_completion('kid P');
SELECT df_purge('kid P');
SELECT count(*) FROM df_instances WHERE instance_id LIKE 'kid P%';
SELECT count(*) FROM df_history WHERE instance_id LIKE 'kid P%';
-- a child that is purged before its parent looks has left its result
CREATE FUNCTION kid_later(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int := df_schedule_sub_orchestrator('kid_echo', '"the result"', 'kid later''s');
BEGIN
	PERFORM df_wait_for_external_event('go');
	RETURN df_await(t);
END $$;
SELECT df_start_singleton('kid_later', 'kid later');
CALL until($$ (SELECT runtime_status = 'Completed' FROM df_instances WHERE instance_id = 'kid later''s') $$);
SELECT df_purge('kid later''s');
SELECT df_raise_event('kid later', 'go');
SELECT runtime_status, output, failure FROM df_wait_for_completion('kid later');

SELECT df_revoke_usage('regress_ds_user');
SELECT df_revoke_usage('regress_ds_other');
DROP OWNED BY regress_ds_user, regress_ds_other;
DROP ROLE regress_ds_user, regress_ds_other;
DROP TABLE kid_log;
DROP FUNCTION kid_echo, kid_log, kid_gate, kid_at_gate, kid_hold, kid_work, kid_who, kid_fail, kid_fail_in_activity, kid_void,
	kid_parent, kid_careful, kid_plain, kid_many, kid_catch, kid_twice, kid_forbidden, kid_set, kid_family, kid_turns,
	kid_parent_turns, kid_leave, kid_later;
