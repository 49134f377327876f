-- An orchestrator that is replaced while instances are active: they continue
-- with the new body, fail, or skip its changes with df_patched.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE change_log (n int GENERATED ALWAYS AS IDENTITY, id text, what text);
CREATE FUNCTION change_log(what text, id text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO change_log (id, what) VALUES (change_log.id, change_log.what);
	RETURN to_jsonb(what);
END $$;
CREATE FUNCTION change_call(what text) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT df_call_activity('change_log', jsonb_build_object('what', what, 'id', df_instance_id()))
$$;
-- what instances with these ids did, in order
CREATE FUNCTION change_logged(prefix text) RETURNS TABLE (id text, did text) LANGUAGE sql AS $$
	SELECT id, string_agg(what, ', ' ORDER BY n) FROM change_log WHERE id LIKE prefix || '%' GROUP BY id ORDER BY id
$$;
-- replaces a function by one with another body, in PL/pgSQL
CREATE PROCEDURE change_body(name text, body text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE OR REPLACE FUNCTION %I(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS %L', name, body);
END $$;
CREATE PROCEDURE change_wait(pattern text, what text) LANGUAGE plpgsql AS $$
BEGIN
	CALL until(format('(SELECT count(*) > 0 AND bool_and(waiting_for IS NOT DISTINCT FROM %L) FROM df_instances WHERE instance_id LIKE %L)', what, pattern));
END $$;

-- without a setting: replay.  The new body goes on where the old one waited
CALL change_body('change_a', $$
BEGIN
	PERFORM change_call('one');
	PERFORM df_wait_for_external_event('go');
	RETURN change_call('two of old');
END $$);
SHOW durable_singleton.on_code_change;
SELECT df_start_singleton('change_a', 'change goes on');
CALL change_wait('change goes on', 'event go');
CALL change_body('change_a', $$
BEGIN
	-- replaced
	PERFORM change_call('one');
	PERFORM df_wait_for_external_event('go');
	PERFORM change_call('two of new');
	RETURN change_call('three of new');
END $$);
SELECT df_raise_event('change goes on', 'go');
SELECT runtime_status, output FROM df_wait_for_completion('change goes on');
SELECT * FROM change_logged('change goes on');
-- a body that disagrees with history breaks a rule, and the detail says that
-- it is another one
SELECT df_start_singleton('change_a', 'change disagrees');
CALL change_wait('change disagrees', 'event go');
CALL change_body('change_a', $$
BEGIN
	PERFORM change_call('one');
	PERFORM change_call('one and a half');
	PERFORM df_wait_for_external_event('go');
	RETURN change_call('two');
END $$);
SELECT df_raise_event('change disagrees', 'go');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message,
	failure ->> 'detail' AS detail, failure ->> 'hint' AS hint FROM df_wait_for_completion('change disagrees');
SELECT * FROM change_logged('change disagrees');
-- without a change the detail says nothing about one
CREATE SEQUENCE change_calls;
CALL change_body('change_random', $$
BEGIN
	IF nextval('change_calls') = 1 THEN
		PERFORM change_call('one');
	END IF;
	PERFORM df_create_timer('1 ms');
	RETURN NULL;
END $$);
SELECT df_start_singleton('change_random', 'change none');
SELECT failure ->> 'sqlstate' AS sqlstate, failure ->> 'detail' AS detail FROM df_wait_for_completion('change none');

-- fail: whatever the change is.  Step by step in this session
\set ECHO none
\i sql/workers_off.inc
\set ECHO all
SET durable_singleton.on_code_change = 'fail';
SELECT prosrc AS body FROM pg_proc WHERE proname = 'change_a' \gset
CALL change_body('change_a', :'body');
SELECT df_start_singleton('change_a', 'change ' || k) FROM unnest('{fails,replaced by itself,of attributes,created anew,is gone}'::text[]) k;
CREATE FUNCTION change_sql(input jsonb) RETURNS jsonb
BEGIN ATOMIC SELECT df_wait_for_external_event('go'); END;
SELECT df_start_singleton('change_sql', 'change SQL ' || k) FROM unnest('{same,other}'::text[]) k;
-- before the first step there is nothing that it could be compared with
CALL change_body('change_a', :'body' || ' ');
CALL df_run();
SELECT instance_id, runtime_status, waiting_for FROM df_instances
WHERE instance_id IN ('change fails', 'change replaced by itself', 'change of attributes', 'change created anew', 'change is gone') ORDER BY 1;
-- the same body is no change
CALL change_body('change_a', :'body' || ' ');
SELECT df_raise_event('change replaced by itself', 'go');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('change replaced by itself');
ALTER FUNCTION change_a COST 1000;
ALTER FUNCTION change_a OWNER TO CURRENT_USER;
SELECT df_raise_event('change of attributes', 'go');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('change of attributes');
DROP FUNCTION change_a;
CALL change_body('change_a', :'body' || ' ');
SELECT df_raise_event('change created anew', 'go');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('change created anew');
-- of a body that the server has parsed, what it says
CREATE OR REPLACE FUNCTION change_sql(input jsonb) RETURNS jsonb
BEGIN ATOMIC /* a remark */ SELECT df_wait_for_external_event ( 'go' ) ; END;
SELECT df_raise_event('change SQL same', 'go', '1');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('change SQL same');
CREATE OR REPLACE FUNCTION change_sql(input jsonb) RETURNS jsonb
BEGIN ATOMIC SELECT df_wait_for_external_event('go', '1 hour'); END;
SELECT df_raise_event('change SQL other', 'go', '1');
CALL df_run();
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_get_status('change SQL other');
-- an activity may change as it likes
CREATE OR REPLACE FUNCTION change_log(what text, id text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO change_log (id, what) VALUES (change_log.id, 'the new ' || change_log.what);
	RETURN to_jsonb(what);
END $$;
-- a blank is one
CALL change_body('change_a', :'body');
SELECT df_raise_event('change fails', 'go');
CALL df_run();
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message, failure ->> 'detail' AS detail,
	failure ->> 'hint' AS hint FROM df_get_status('change fails');
-- an execution that begins now does so with the body of now
SELECT df_start_singleton('change_a', 'change begins');
CALL df_run();
SELECT df_raise_event('change begins', 'go');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('change begins');
-- with the old body back it can be rewound
CALL change_body('change_a', :'body' || ' ');
SELECT df_rewind('change fails', 'the old body is back');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('change fails');
-- also with the new one: whoever rewinds it knows what changed
CALL change_body('change_b', $$
BEGIN
	PERFORM change_call('one');
	PERFORM df_wait_for_external_event('go');
	RETURN change_call('two');
END $$);
SELECT df_start_singleton('change_b', 'change wanted');
CALL df_run();
CALL change_body('change_b', $$
BEGIN
	PERFORM change_call('one');
	PERFORM df_wait_for_external_event('go');
	RETURN change_call('two of new');
END $$);
SELECT df_raise_event('change wanted', 'go');
CALL df_run();
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_get_status('change wanted');
SELECT df_rewind('change wanted', 'the change is wanted');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('change wanted');
-- dropped: a function that is missing
DROP FUNCTION change_a;
SELECT df_raise_event('change is gone', 'go');
CALL df_run();
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message FROM df_get_status('change is gone');
CALL change_body('change_a', :'body');
SELECT df_rewind('change is gone', 'the function is back');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('change is gone');
SELECT * FROM change_logged('change ');
TRUNCATE change_log;
-- each turn of continue-as-new is an execution of its own
CALL change_body('change_turns', $$
BEGIN
	PERFORM change_call(format('turn %s of old', input));
	PERFORM df_wait_for_external_event('go');
	IF input::int < 2 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int + 1));
	END IF;
	RETURN input;
END $$);
SELECT df_start_singleton('change_turns', 'change turns', '1');
CALL df_run();
SELECT df_raise_event('change turns', 'go');
CALL df_run(1);
SELECT runtime_status, input FROM df_get_status('change turns');
SELECT replace(prosrc, 'old', 'new') AS body FROM pg_proc WHERE proname = 'change_turns' \gset
CALL change_body('change_turns', :'body');
CALL df_run();
SELECT df_raise_event('change turns', 'go');
CALL df_run();
SELECT runtime_status, input, output FROM df_get_status('change turns');
SELECT * FROM change_logged('change turns');
RESET durable_singleton.on_code_change;
SET durable_singleton.on_code_change = 'ignore';
\set ECHO none
\i sql/workers_on.inc
\set ECHO all

-- set for a role, and for the database
CREATE ROLE regress_ds_user LOGIN;
CREATE ROLE regress_ds_other LOGIN;
SELECT df_grant_usage(r) FROM unnest('{regress_ds_user,regress_ds_other}'::name[]) r;
GRANT SELECT, INSERT ON change_log TO regress_ds_user, regress_ds_other;
ALTER ROLE regress_ds_user SET durable_singleton.on_code_change = 'fail';
SET SESSION AUTHORIZATION regress_ds_user;
SELECT df_start_singleton('change_b', 'role user');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_ds_other;
SELECT df_start_singleton('change_b', 'role other');
RESET SESSION AUTHORIZATION;
CALL change_wait('role %', 'event go');
SELECT prosrc || ' ' AS body FROM pg_proc WHERE proname = 'change_b' \gset
CALL change_body('change_b', :'body');
SELECT df_raise_event(instance_id, 'go') FROM df_instances WHERE instance_id LIKE 'role %';
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('role user');
SELECT runtime_status, output FROM df_wait_for_completion('role other');
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET durable_singleton.on_code_change = fail', current_database()); END $$;
CALL workers_leave();
CALL until($$ NOT EXISTS (SELECT FROM df_stat_workers WHERE database = current_database()) $$);
SET SESSION AUTHORIZATION regress_ds_other;
SELECT df_start_singleton('change_b', 'database');
RESET SESSION AUTHORIZATION;
CALL change_wait('database', 'event go');
SELECT prosrc || ' ' AS body FROM pg_proc WHERE proname = 'change_b' \gset
CALL change_body('change_b', :'body');
SELECT df_raise_event('database', 'go');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('database');
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET durable_singleton.on_code_change', current_database()); END $$;
SELECT df_revoke_usage(r) FROM unnest('{regress_ds_user,regress_ds_other}'::name[]) r;
DROP OWNED BY regress_ds_user, regress_ds_other;
DROP ROLE regress_ds_user, regress_ds_other;
CALL workers_leave();
TRUNCATE change_log;

-- df_patched: executions that have passed the place go the old way, those
-- that come there with the new body the new one
CALL change_body('change_patch', $$
BEGIN
	PERFORM change_call('begin');
	PERFORM df_wait_for_external_event('before');
	PERFORM change_call('old way');
	PERFORM df_wait_for_external_event('after');
	RETURN change_call('end');
END $$);
SELECT df_start_singleton('change_patch', 'patch ' || k) FROM unnest('{before,after}'::text[]) k;
SELECT df_raise_event('patch after', 'before');
CALL change_wait('patch before', 'event before');
CALL change_wait('patch after', 'event after');
CALL change_body('change_patch', $$
BEGIN
	PERFORM change_call('begin');
	PERFORM df_wait_for_external_event('before');
	IF df_patched('the new way') THEN
		PERFORM change_call('new way');
		PERFORM change_call('and more of it');
	ELSE
		PERFORM change_call('old way');
	END IF;
	PERFORM df_wait_for_external_event('after');
	RETURN change_call('end');
END $$);
SELECT df_start_singleton('change_patch', 'patch new');
SELECT df_raise_event('patch ' || k, 'before') FROM unnest('{before,new}'::text[]) k;
SELECT df_raise_event('patch ' || k, 'after') FROM unnest('{before,after,new}'::text[]) k;
SELECT k, s.runtime_status, s.output, s.failure FROM unnest('{before,after,new}'::text[]) k, df_wait_for_completion('patch ' || k) s;
SELECT * FROM change_logged('patch ');
-- the marker is in the history of those that went the new way
SELECT instance_id, event_type, name, result FROM df_history WHERE instance_id LIKE 'patch %' AND event_type = 'GenericEvent' ORDER BY 1, seq;
SELECT event_type, name, input ->> 'what' AS input FROM df_history WHERE instance_id = 'patch before' ORDER BY seq;
TRUNCATE change_log;

-- in a loop, twice under the same name: the answer is the same for a whole
-- execution, and there is one marker
CALL change_body('change_loop', $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		PERFORM change_call('old');
		PERFORM df_wait_for_external_event('go');
	END LOOP;
	RETURN NULL;
END $$);
SELECT df_start_singleton('change_loop', 'loop old');
SELECT df_raise_event('loop old', 'go');
CALL until($$ (SELECT count(*) = 2 FROM change_log WHERE id = 'loop old') $$);
CALL change_wait('loop old', 'event go');
CALL change_body('change_loop', $$
DECLARE
	said boolean[];
BEGIN
	FOR i IN 1 .. 3 LOOP
		said := said || df_patched('loop');
		IF said[i] THEN
			PERFORM change_call('new');
		ELSE
			PERFORM change_call('old');
		END IF;
		PERFORM df_wait_for_external_event('go');
		said := said || df_patched('loop');
	END LOOP;
	RETURN to_jsonb(said);
END $$);
SELECT df_start_singleton('change_loop', 'loop new');
SELECT df_raise_event(id, 'go') FROM unnest('{loop old,loop old,loop new,loop new,loop new}'::text[]) id;
SELECT s.instance_id, s.runtime_status, s.output FROM unnest('{loop old,loop new}'::text[]) id, df_wait_for_completion(id) s;
SELECT * FROM change_logged('loop ');
SELECT instance_id, count(*) FROM df_history WHERE instance_id LIKE 'loop %' AND event_type = 'GenericEvent' GROUP BY 1;
TRUNCATE change_log;

-- several markers, each for itself; the first of them taken out of the code
-- again, later also the second
CALL change_body('change_two', $$
BEGIN
	PERFORM df_wait_for_external_event('one');
	PERFORM df_wait_for_external_event('two');
	PERFORM df_wait_for_external_event('three');
	RETURN change_call('end');
END $$);
SELECT df_start_singleton('change_two', 'two ' || n) FROM generate_series(1, 3) n;
SELECT df_raise_event('two ' || n, 'one') FROM generate_series(2, 3) n;
SELECT df_raise_event('two ' || n, 'two') FROM generate_series(3, 3) n;
CALL change_wait('two 1', 'event one');
CALL change_wait('two 2', 'event two');
CALL change_wait('two 3', 'event three');
CALL change_body('change_two', $$
DECLARE
	first boolean; second boolean;
BEGIN
	PERFORM df_wait_for_external_event('one');
	first := df_patched('first');
	IF first THEN
		PERFORM change_call('first');
	END IF;
	PERFORM df_wait_for_external_event('two');
	second := df_patched('second');
	IF second THEN
		PERFORM change_call('second');
	END IF;
	PERFORM df_wait_for_external_event('three');
	RETURN to_jsonb(ARRAY[first, second]);
END $$);
SELECT df_start_singleton('change_two', 'two 0');
SELECT df_raise_event('two ' || n, 'one') FROM generate_series(0, 1) n;
SELECT df_raise_event('two ' || n, 'two') FROM generate_series(0, 2) n;
CALL change_wait('two %', 'event three');
-- from here on there are old executions with markers, and old ones without
CALL change_body('change_two', $$
DECLARE
	second boolean;
BEGIN
	PERFORM df_wait_for_external_event('one');
	IF df_instance_id() <= 'two 1' THEN
		PERFORM change_call('first');
	END IF;
	PERFORM df_wait_for_external_event('two');
	second := df_patched('second');
	IF second THEN
		PERFORM change_call('second');
	END IF;
	PERFORM df_wait_for_external_event('three');
	RETURN to_jsonb(second);
END $$);
SELECT df_raise_event('two ' || n, 'three') FROM generate_series(0, 3) n;
SELECT s.instance_id, s.runtime_status, s.output, s.failure FROM generate_series(0, 3) n, df_wait_for_completion('two ' || n) s;
SELECT * FROM change_logged('two ');
SELECT instance_id, name, result FROM df_history WHERE instance_id LIKE 'two %' AND event_type = 'GenericEvent' ORDER BY 1, seq;
TRUNCATE change_log;

-- with tasks and timers in flight
CALL change_body('change_flight', $$
DECLARE
	task int := df_schedule_activity('change_log', jsonb_build_object('what', 'task', 'id', df_instance_id()));
	event int := df_schedule_event('go');
	timer int := df_schedule_timer('1 hour');
BEGIN
	PERFORM df_await(task);
	PERFORM df_wait_any(ARRAY[timer, event]);
	RETURN change_call('end');
END $$);
SELECT df_start_singleton('change_flight', 'flight old');
CALL until($$ (SELECT count(*) = 1 FROM change_log WHERE id = 'flight old') $$);
CALL until($$ (SELECT waiting_for IS NOT NULL FROM df_instances WHERE instance_id = 'flight old') $$);
CALL change_body('change_flight', $$
DECLARE
	task int := df_schedule_activity('change_log', jsonb_build_object('what', 'task', 'id', df_instance_id()));
	early boolean := df_patched('early');
	another int := CASE WHEN early THEN df_schedule_activity('change_log', jsonb_build_object('what', 'another', 'id', df_instance_id())) END;
	event int := df_schedule_event('go');
	timer int := df_schedule_timer('1 hour');
	late boolean;
BEGIN
	PERFORM df_await(task);
	IF early THEN
		PERFORM df_await(another);
	END IF;
	PERFORM df_wait_any(ARRAY[timer, event]);
	late := df_patched('late');
	IF late THEN
		PERFORM change_call('late');
	END IF;
	PERFORM change_call('end');
	RETURN to_jsonb(ARRAY[early, late]);
END $$);
SELECT df_start_singleton('change_flight', 'flight new');
SELECT df_raise_event(id, 'go') FROM unnest('{flight old,flight new}'::text[]) id;
SELECT s.instance_id, s.runtime_status, s.output, s.failure FROM unnest('{flight old,flight new}'::text[]) id, df_wait_for_completion(id) s;
SELECT id, count(*), array_agg(what ORDER BY what) FROM change_log GROUP BY 1 ORDER BY 1;
TRUNCATE change_log;

-- what an execution waits for is history already, be it an event or another
-- attempt of an activity
CALL change_body('change_fails', $$
BEGIN
	IF NOT EXISTS (SELECT FROM change_log WHERE what = 'mended') THEN
		RAISE EXCEPTION 'not mended';
	END IF;
	RETURN input;
END $$);
CALL change_body('change_pending', $$
BEGIN
	PERFORM df_wait_for_external_event('go', '1 hour');
	RETURN df_call_activity('change_fails', '"end"', df_retry_policy(1000, '10 ms'));
END $$);
SELECT df_start_singleton('change_pending', 'pending ' || k) FROM unnest('{event,retry}'::text[]) k;
SELECT df_raise_event('pending retry', 'go');
CALL change_wait('pending event', 'event go');
CALL until($$ EXISTS (SELECT FROM df_history WHERE instance_id = 'pending retry' AND event_type = 'TaskFailed') $$);
CALL change_body('change_pending', $$
DECLARE
	before_event boolean := df_patched('before the event');
	before_activity boolean;
BEGIN
	IF before_event THEN
		PERFORM change_call('before the event');
	END IF;
	PERFORM df_wait_for_external_event('go', '1 hour');
	before_activity := df_patched('before the activity');
	IF before_activity THEN
		PERFORM change_call('before the activity');
	END IF;
	PERFORM df_call_activity('change_fails', '"end"', df_retry_policy(1000, '10 ms'));
	RETURN to_jsonb(ARRAY[before_event, before_activity]);
END $$);
SELECT df_raise_event('pending event', 'go');
INSERT INTO change_log (id, what) VALUES ('by hand', 'mended');
SELECT s.instance_id, s.runtime_status, s.output, s.failure FROM unnest('{pending event,pending retry}'::text[]) id, df_wait_for_completion(id) s;
SELECT * FROM change_logged('pending ');
TRUNCATE change_log;

-- replays and continue-as-new keep to it
CALL change_body('change_turn', $$
DECLARE
	patched boolean := df_patched('turn');
BEGIN
	PERFORM change_call(format('turn %s %s', input, patched));
	PERFORM df_create_timer('1 ms');
	IF input::int < 2 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int + 1));
	END IF;
	RETURN to_jsonb(ARRAY[patched, df_patched('turn')]);
END $$);
SELECT df_start_singleton('change_turn', 'turn', '1');
SELECT runtime_status, output FROM df_wait_for_completion('turn');
SELECT * FROM change_logged('turn');

-- a marker needs a name, and an orchestrator
SELECT error_of($$ SELECT df_patched('outside') $$);
CALL change_body('change_names', $$
DECLARE
	name text;
	result jsonb := '[]';
BEGIN
	FOREACH name IN ARRAY ARRAY[NULL, '', repeat('x', 10000), 'a "name" of any kind'] LOOP
		BEGIN
			result := result || to_jsonb(df_patched(name));
		EXCEPTION WHEN OTHERS THEN
			result := result || to_jsonb(SQLSTATE || ' ' || SQLERRM);
		END;
	END LOOP;
	RETURN result;
END $$);
SELECT df_start_singleton('change_names', 'names');
SELECT runtime_status, output FROM df_wait_for_completion('names');

DROP TABLE change_log;
DROP SEQUENCE change_calls;
DROP PROCEDURE change_body, change_wait;
DROP FUNCTION change_sql, change_a, change_fails, change_pending, change_log, change_call, change_logged, change_random, change_b, change_turns, change_patch, change_loop,
	change_two, change_flight, change_turn, change_names;
