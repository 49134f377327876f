-- An instance belongs to the role that started it: no other role touches its
-- id, views show it only to roles that may see it, and steps run as that role.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE ROLE regress_ds_alice LOGIN;
CREATE ROLE regress_ds_bob LOGIN;
CREATE ROLE regress_ds_member LOGIN IN ROLE regress_ds_alice;
CREATE ROLE regress_ds_noinherit LOGIN NOINHERIT;
GRANT regress_ds_alice TO regress_ds_noinherit;
CREATE ROLE regress_ds_monitor LOGIN IN ROLE pg_monitor;
CREATE ROLE regress_ds_reader LOGIN IN ROLE pg_read_all_data;
SELECT df_grant_usage(r) FROM unnest('{regress_ds_alice,regress_ds_bob,regress_ds_member,regress_ds_noinherit,regress_ds_monitor,regress_ds_reader}'::name[]) r;
CREATE FUNCTION role_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION role_hold(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"secret status"');
	PERFORM df_call_activity('role_echo', '"secret step"');
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION role_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'secret failure';
END $$;

-- Alice has an instance in every status
SET SESSION AUTHORIZATION regress_ds_alice;
SELECT df_start_singleton('role_hold', 'role Pending', '"secret input"', start_at => '2200-01-01');
SELECT df_start_singleton('role_hold', 'role Running', '"secret input"');
SELECT df_start_singleton('role_echo', 'role Completed', '"secret input"');
SELECT df_start_singleton('role_fail', 'role Failed', '"secret input"');
SELECT df_start_singleton('role_hold', 'role Terminated', '"secret input"', start_at => '2200-01-01');
SELECT df_terminate('role Terminated', 'secret reason');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'role Running') $$);
SELECT s.instance_id, s.runtime_status FROM unnest('{Completed,Failed,Terminated}'::text[]) n, df_wait_for_completion('role ' || n) s;
SELECT df_start_singleton('role_echo', 'role archived', '"secret input"');
SELECT runtime_status FROM df_wait_for_completion('role archived');
SELECT df_start_singleton('role_echo', 'role archived', '"secret input"');
SELECT runtime_status FROM df_wait_for_completion('role archived');
SELECT df_start_singleton('role_fail', 'role failed again');
SELECT runtime_status FROM df_wait_for_completion('role failed again');
RESET SESSION AUTHORIZATION;

-- none of them is Bob's, whatever its status
CREATE VIEW role_calls AS SELECT n, replace(call, '%', quote_literal('role ' || n)) AS call
FROM unnest('{Pending,Running,Completed,Failed,Terminated}'::text[]) WITH ORDINALITY x (n, i), unnest(ARRAY[
	$$ df_start_singleton('role_echo', %) $$,
	$$ df_start_singleton('role_echo', %, on_conflict => 'terminate') $$,
	$$ df_start_singleton('role_echo', %, reuse => '{}') $$,
	$$ df_start_new('role_echo', %) $$,
	$$ df_raise_event(%, 'go') $$,
	$$ df_terminate(%) $$]) WITH ORDINALITY y (call, j)
ORDER BY i, j;
GRANT SELECT ON role_calls TO PUBLIC;
SET SESSION AUTHORIZATION regress_ds_bob;
SELECT error_of('SELECT ' || call), count(*) FROM role_calls GROUP BY 1 ORDER BY 1;
-- he does not see them either
SELECT n, (SELECT count(*) FROM df_get_status('role ' || n)) AS rows FROM unnest('{Pending,Running,Completed,Failed,Terminated,unknown}'::text[]) n;
SELECT count(*) FROM df_instances WHERE instance_id LIKE 'role %';
SELECT count(*) FROM df_history WHERE instance_id LIKE 'role %';
SELECT count(*) FROM df_executions WHERE instance_id LIKE 'role %';
SELECT error_of($$ SELECT df_wait_for_completion('role Completed') $$),
	error_of($$ SELECT df_wait_for_completion('role Running', '1 ms') $$);
-- a function of his in a condition is not shown what he may not see
CREATE FUNCTION pg_temp.peep(id text, payload jsonb) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS $$
BEGIN
	RAISE WARNING 'peeped at % %', id, payload;
	RETURN true;
END $$;
SELECT count(*) FROM df_instances WHERE pg_temp.peep(instance_id, input);
SELECT count(*) FROM df_history WHERE pg_temp.peep(instance_id, input);
SELECT count(*) FROM df_executions WHERE pg_temp.peep(instance_id, input);
DROP FUNCTION pg_temp.peep;
RESET SESSION AUTHORIZATION;
SELECT instance_id, runtime_status, owner FROM df_instances
WHERE instance_id LIKE 'role %' ORDER BY 1;

-- a member of the owner's role sees and steers; owner is who starts
SET SESSION AUTHORIZATION regress_ds_member;
SELECT runtime_status, input FROM df_get_status('role Completed');
SELECT count(*) FROM df_instances WHERE instance_id LIKE 'role %';
SELECT df_raise_event('role Running', 'go', '"from a member"');
SELECT runtime_status, output FROM df_wait_for_completion('role Running');
SELECT df_terminate('role Pending', 'by a member');
SELECT df_start_singleton('role_echo', 'role Failed', '"of the member"');
SELECT runtime_status, output FROM df_wait_for_completion('role Failed');
SELECT owner FROM df_instances WHERE instance_id = 'role Failed';
RESET SESSION AUTHORIZATION;
-- which Alice, not being a member of the member, then cannot
SET SESSION AUTHORIZATION regress_ds_alice;
SELECT error_of($$ SELECT df_start_singleton('role_echo', 'role Failed') $$);
SELECT count(*) FROM df_instances WHERE instance_id = 'role Failed';
-- the past execution is hers still
SELECT runtime_status, owner FROM df_executions WHERE instance_id = 'role Failed';
RESET SESSION AUTHORIZATION;
-- membership without the privileges is none
SET SESSION AUTHORIZATION regress_ds_noinherit;
SELECT error_of($$ SELECT df_start_singleton('role_echo', 'role Completed') $$);
SELECT count(*) FROM df_instances WHERE instance_id LIKE 'role %';
SET ROLE regress_ds_alice;
SELECT df_start_singleton('role_echo', 'role Completed', '"secret input"');
RESET ROLE;
RESET SESSION AUTHORIZATION;
SELECT runtime_status, output FROM df_wait_for_completion('role Completed');
SELECT owner FROM df_instances WHERE instance_id = 'role Completed';

-- pg_read_all_data reads everything, and steers nothing
SET SESSION AUTHORIZATION regress_ds_reader;
SELECT instance_id, runtime_status, input, custom_status, output, failure ->> 'message' AS failure FROM df_instances
WHERE instance_id LIKE 'role %' ORDER BY 1;
SELECT count(*) > 0 AS history, count(*) FILTER (WHERE input IS NOT NULL) > 0 AS inputs, count(*) FILTER (WHERE result IS NOT NULL) > 0 AS results
FROM df_history WHERE instance_id LIKE 'role %';
SELECT instance_id, runtime_status, input, output FROM df_executions WHERE instance_id = 'role archived';
SELECT runtime_status, input FROM df_get_status('role Completed');
SELECT error_of('SELECT ' || call) FROM role_calls WHERE n = 'Completed' GROUP BY 1;
RESET SESSION AUTHORIZATION;
-- pg_monitor sees rows without payloads
SET SESSION AUTHORIZATION regress_ds_monitor;
SELECT instance_id, runtime_status, input, custom_status, output, failure, owner FROM df_instances
WHERE instance_id LIKE 'role %' ORDER BY 1;
SELECT count(*) > 0 AS history, count(input) AS inputs, count(result) AS results, count(failure) AS failures
FROM df_history WHERE instance_id LIKE 'role %';
SELECT instance_id, runtime_status, input, custom_status, output, failure FROM df_executions
WHERE instance_id = 'role archived';
SELECT s.runtime_status, s.input, s.custom_status, s.output, s.failure,
	jsonb_path_query_array(s.history, '$[*].EventType') AS events, s.history::text ~ 'secret' AS told
FROM unnest('{Completed,Running,Terminated,failed again}'::text[]) n, df_get_status('role ' || n, true, true) s;
SELECT error_of('SELECT ' || call) FROM role_calls WHERE n = 'Completed' GROUP BY 1;
RESET SESSION AUTHORIZATION;
-- a superuser may do all of it
SELECT df_start_singleton('role_echo', 'role archived', '"by the superuser"');
SELECT runtime_status, output FROM df_wait_for_completion('role archived');
SELECT owner = current_user::regrole AS own FROM df_instances WHERE instance_id = 'role archived';

-- whose step a worker executes is told to those who see the instance
CREATE FUNCTION role_locked(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(pg_advisory_xact_lock(6008)::text) $$;
CREATE FUNCTION role_worker(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('role_locked');
END $$;
SELECT pg_advisory_lock(6008);
SET SESSION AUTHORIZATION regress_ds_alice;
SELECT df_start_singleton('role_worker', 'role worker');
CALL until($$ EXISTS (SELECT FROM pg_locks l JOIN df_stat_workers w USING (pid)
	WHERE l.locktype = 'advisory' AND NOT l.granted AND w.instance_id = 'role worker') $$);
SELECT role, function_name FROM df_stat_workers WHERE instance_id = 'role worker';
SET SESSION AUTHORIZATION regress_ds_bob;
SELECT count(*) FROM df_stat_workers WHERE instance_id = 'role worker';
SET SESSION AUTHORIZATION regress_ds_reader;
SELECT role, function_name FROM df_stat_workers WHERE instance_id = 'role worker';
SET SESSION AUTHORIZATION regress_ds_monitor;
SELECT role, function_name FROM df_stat_workers WHERE instance_id = 'role worker';
RESET SESSION AUTHORIZATION;
SELECT pg_advisory_unlock(6008);
SELECT runtime_status FROM df_wait_for_completion('role worker');

-- steps run as the owner and nothing else
CREATE FUNCTION role_who(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input IS NOT NULL THEN
		EXECUTE input #>> '{}';
	END IF;
	RETURN to_jsonb(current_user || ', ' || session_user);
END $$;
CREATE FUNCTION role_steps(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	own text := current_user || ', ' || session_user;
BEGIN
	RETURN jsonb_build_object('orchestrator', own,
		'activity', df_call_activity('role_who'),
		'reset role', df_call_activity('role_who', '"RESET ROLE"'),
		'reset authorization', df_call_activity('role_who', '"RESET SESSION AUTHORIZATION"'));
END $$;
SET SESSION AUTHORIZATION regress_ds_alice;
SELECT df_start_singleton('role_steps', 'role steps');
SELECT runtime_status, jsonb_pretty(output) FROM df_wait_for_completion('role steps');
RESET SESSION AUTHORIZATION;
-- the same when it was started under SET ROLE
SET ROLE regress_ds_bob;
SELECT df_start_singleton('role_steps', 'role set');
RESET ROLE;
SELECT runtime_status, jsonb_pretty(output) FROM df_wait_for_completion('role set');
-- no way to what the owner may not have
CREATE TABLE role_private (i int);
CREATE FUNCTION role_read(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(count(*)) FROM role_private $$;
CREATE FUNCTION role_tables(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'UPDATE durable_singleton.instance SET output = NULL';
	RETURN '"no error"';
END $$;
CREATE FUNCTION role_become(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SET ROLE ' || (input #>> '{}');
	RETURN '"no error"';
END $$;
CREATE FUNCTION role_try(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity(input ->> 'call', input -> 'input');
EXCEPTION WHEN OTHERS THEN
	RETURN to_jsonb(SQLSTATE || ': ' || SQLERRM);
END $$;
SELECT current_user AS superuser \gset
SET SESSION AUTHORIZATION regress_ds_alice;
SELECT df_start_singleton('role_try', 'role try 1', '{"call": "role_read"}');
SELECT df_start_singleton('role_try', 'role try 2', '{"call": "role_tables"}');
SELECT df_start_singleton('role_try', 'role try 3', jsonb_build_object('call', 'role_become', 'input', :'superuser'));
SELECT df_start_singleton('role_try', 'role try 4', '{"call": "role_become", "input": "regress_ds_bob"}');
SELECT n, replace(s.output::text, :'superuser', 'superuser') AS output FROM generate_series(1, 4) n, df_wait_for_completion('role try ' || n) s;
RESET SESSION AUTHORIZATION;
-- SECURITY DEFINER: a wrapper starts as its definer; an orchestrator's
-- activities are the owner's all the same
CREATE FUNCTION role_wrapper(id text) RETURNS boolean SECURITY DEFINER SET search_path = public, pg_temp LANGUAGE sql AS $$
	SELECT df_start_singleton('role_steps', id)
$$;
ALTER FUNCTION role_wrapper OWNER TO regress_ds_alice;
CREATE FUNCTION role_definer(input jsonb) RETURNS jsonb SECURITY DEFINER SET search_path = public, pg_temp LANGUAGE plpgsql AS $$
DECLARE
	own text := current_user;
BEGIN
	RETURN jsonb_build_object('orchestrator', own, 'activity', df_call_activity('role_who'));
END $$;
ALTER FUNCTION role_definer OWNER TO regress_ds_alice;
SET SESSION AUTHORIZATION regress_ds_bob;
SELECT role_wrapper('role wrapped');
SELECT count(*) FROM df_get_status('role wrapped');
SELECT df_start_singleton('role_definer', 'role definer');
SELECT runtime_status, output FROM df_wait_for_completion('role definer');
RESET SESSION AUTHORIZATION;
SELECT runtime_status, output ->> 'activity' AS activity FROM df_wait_for_completion('role wrapped');
SELECT owner FROM df_instances WHERE instance_id = 'role wrapped';

-- the EXECUTE right is asked again when it runs
CREATE FUNCTION role_revoked(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"ran"'::jsonb $$;
BEGIN;
SET LOCAL ROLE regress_ds_alice;
SELECT df_start_singleton('role_revoked', 'role revoked');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION role_revoked FROM PUBLIC;
COMMIT;
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('role revoked');

-- a superuser's instances run only what belongs to a superuser
CREATE FUNCTION role_planted(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"ran"'::jsonb $$;
ALTER FUNCTION role_planted OWNER TO regress_ds_alice;
SELECT replace(error_of($$ SELECT df_start_singleton('role_planted', 'role planted') $$), session_user, 'me') AS error;
SELECT df_start_singleton('role_try', 'role planted activity', '{"call": "role_planted"}');
SELECT runtime_status, replace(output #>> '{}', session_user, 'me') AS output
FROM df_wait_for_completion('role planted activity');

-- an owner that cannot log in: refused before 17, where no worker could
-- connect as it; runs since
CREATE ROLE regress_ds_nologin NOLOGIN;
SELECT df_grant_usage('regress_ds_nologin');
SET ROLE regress_ds_nologin;
SELECT error_of($$ SELECT df_start_singleton('role_echo', 'role nologin', '1') $$) AS answer \gset
SELECT CASE WHEN current_setting('server_version_num')::int < 170000
	THEN :'answer' ~ '^SD400: ' AND :'answer' ~ 'regress_ds_nologin' AND :'answer' ~ 'HINT: .*LOGIN'
		AND (SELECT count(*) FROM df_get_status('role nologin')) = 0
	ELSE (SELECT runtime_status = 'Completed' AND output = '1' FROM df_wait_for_completion('role nologin'))
	END AS as_promised;
RESET ROLE;

-- a role that is gone leaves its instances to superusers
SELECT df_revoke_usage(r) FROM unnest('{regress_ds_alice,regress_ds_bob,regress_ds_member,regress_ds_noinherit,regress_ds_monitor,regress_ds_reader,regress_ds_nologin}'::name[]) r;
DROP VIEW role_calls;
DROP TABLE role_private;
DROP FUNCTION role_echo, role_hold, role_fail, role_who, role_steps, role_read, role_tables, role_become, role_try,
	role_wrapper, role_definer, role_revoked, role_planted, role_locked, role_worker;
DROP ROLE regress_ds_alice, regress_ds_bob, regress_ds_member, regress_ds_noinherit, regress_ds_monitor,
	regress_ds_reader, regress_ds_nologin;
SELECT runtime_status, output FROM df_get_status('role Terminated');
SELECT count(*) > 0 AS seen FROM df_instances WHERE instance_id = 'role Terminated';
