-- Nothing leaks from one step of a worker to the next: settings, roles, temp
-- tables, session advisory locks, prepared statements, open cursors.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
-- leak_look tells what there is of a session's state
CREATE FUNCTION leak_look(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_strip_nulls(jsonb_build_object(
		'work_mem', nullif(current_setting('work_mem'), '4MB'),
		'search_path', nullif(current_setting('search_path'), '"$user", public'),
		'custom', nullif(current_setting('leak.custom', true), ''),
		'timeout', nullif(current_setting('lock_timeout'), '0'),
		'read only', nullif(current_setting('transaction_read_only'), 'off'),
		'role', nullif(current_user, input ->> 'owner'),
		'session', nullif(session_user, input ->> 'owner'),
		'temp table', to_regclass('pg_temp.leak_temp'),
		'advisory', nullif((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
			AND pid = pg_backend_pid()), 0),
		'prepared', nullif((SELECT count(*) FROM pg_prepared_statements WHERE from_sql), 0),
		'cursor', nullif((SELECT count(*) FROM pg_cursors WHERE is_holdable), 0)));
END $$;
CREATE FUNCTION leak_make(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	SET work_mem = '9MB';
	SET search_path = pg_catalog;
	SET lock_timeout = '1 min';
	SET default_transaction_read_only = on;
	PERFORM set_config('leak.custom', 'leaked', false);
	CREATE TEMP TABLE leak_temp (i int);
	PERFORM pg_advisory_lock(6003), pg_advisory_lock_shared(6004), pg_advisory_lock(6003);
	EXECUTE 'PREPARE leak_plan AS SELECT 1';
	EXECUTE 'DECLARE leak_cursor CURSOR WITH HOLD FOR SELECT 1';
	IF input ? 'fail' THEN
		RAISE EXCEPTION 'no luck';
	END IF;
	-- that it is there while the step runs
	RETURN public.leak_look(input) - 'session';
END $$;
CREATE FUNCTION leak_role(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	SET ROLE regress_ds_other;
	RETURN to_jsonb(current_user);
END $$;
CREATE FUNCTION leak_authorization(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	SET SESSION AUTHORIZATION regress_ds_other;
	RETURN to_jsonb(current_user);
END $$;
CREATE FUNCTION leak_all(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	made jsonb;
	failed text;
	again jsonb;
BEGIN
	made := df_call_activity('leak_make', input);
	IF df_call_activity('leak_look', input) <> '{}' THEN
		RETURN df_call_activity('leak_look', input);
	END IF;
	-- the same once more: nothing of the first is in its way
	again := df_call_activity('leak_make', input);
	BEGIN
		PERFORM df_call_activity('leak_make', input || '{"fail": 1}');
	EXCEPTION WHEN raise_exception THEN
		failed := SQLERRM;
	END;
	RETURN jsonb_build_object('made', made, 'same again', again = made, 'failed', failed,
		'left', df_call_activity('leak_look', input));
END $$;
SELECT df_start_singleton('leak_all', 'leak all', jsonb_build_object('owner', current_user));
SELECT runtime_status, jsonb_pretty(output), failure FROM df_wait_for_completion('leak all');

-- nor to another instance
CREATE FUNCTION leak_only(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity(input ->> 'call', input);
END $$;
SELECT count(*) FILTER (WHERE df_start_singleton('leak_only', 'leak ' || n,
		jsonb_build_object('owner', current_user, 'call', CASE n % 2 WHEN 1 THEN 'leak_make' ELSE 'leak_look' END)))
FROM generate_series(1, 40) n;
CALL until($$ (SELECT count(*) = 40 FROM df_instances WHERE instance_id LIKE 'leak %' AND instance_id <> 'leak all'
	AND runtime_status IN ('Completed', 'Failed')) $$);
SELECT input ->> 'call' AS call, runtime_status, output, failure - 'context' AS failure, count(*) FROM df_instances
WHERE instance_id LIKE 'leak %' AND instance_id <> 'leak all' GROUP BY 1, 2, 3, 4 ORDER BY 1;

-- what the orchestrator itself sets is gone as well
CREATE FUNCTION leak_orchestrator(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	inner_look jsonb;
BEGIN
	SET work_mem = '9MB';
	PERFORM set_config('leak.custom', 'leaked', false);
	PERFORM pg_advisory_lock(6003);
	inner_look := df_call_activity('leak_look', input);
	RETURN jsonb_build_object('in the activity', inner_look,
		'in the orchestrator', current_setting('work_mem'));
END $$;
SELECT df_start_singleton('leak_orchestrator', 'leak orchestrator', jsonb_build_object('owner', current_user));
SELECT runtime_status, output, failure FROM df_wait_for_completion('leak orchestrator');
SELECT df_start_singleton('leak_only', 'leak after', jsonb_build_object('owner', current_user, 'call', 'leak_look'));
SELECT runtime_status, output FROM df_wait_for_completion('leak after');
CALL until($$ NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid IN (6003, 6004)) $$);

-- a role that was taken on is put off again
CREATE ROLE regress_ds_other;
CREATE ROLE regress_ds_user LOGIN IN ROLE regress_ds_other;
SELECT df_grant_usage('regress_ds_user');
CREATE FUNCTION leak_roles(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb;
BEGIN
	x := df_call_activity('leak_role');
	RETURN jsonb_build_object('taken', x, 'left', df_call_activity('leak_look', input));
END $$;
CREATE FUNCTION leak_authorizations(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb;
BEGIN
	x := df_call_activity('leak_authorization');
	RETURN jsonb_build_object('taken', x, 'left', df_call_activity('leak_look', input));
END $$;
-- SET ROLE in the orchestrator: the activity is the owner's, all the same
CREATE FUNCTION leak_own_role(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	SET ROLE regress_ds_other;
	RETURN jsonb_build_object('left', df_call_activity('leak_look', input));
END $$;
SELECT df_start_singleton('leak_roles', 'leak roles', jsonb_build_object('owner', current_user));
SELECT runtime_status, output, failure FROM df_wait_for_completion('leak roles');
SELECT df_start_singleton('leak_authorizations', 'leak authorizations', jsonb_build_object('owner', current_user));
SELECT runtime_status, output, failure FROM df_wait_for_completion('leak authorizations');
SELECT df_start_singleton('leak_own_role', 'leak own role', jsonb_build_object('owner', current_user));
SELECT runtime_status, output, failure FROM df_wait_for_completion('leak own role');
SET SESSION AUTHORIZATION regress_ds_user;
SELECT df_start_singleton('leak_roles', 'leak roles of a user', jsonb_build_object('owner', current_user));
SELECT runtime_status, output, failure FROM df_wait_for_completion('leak roles of a user');
SELECT df_start_singleton('leak_own_role', 'leak own role of a user', jsonb_build_object('owner', current_user));
SELECT runtime_status, output, failure FROM df_wait_for_completion('leak own role of a user');
RESET SESSION AUTHORIZATION;

-- continue-as-new on a quiet server: the next execution begins at once
CREATE FUNCTION leak_continue(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'PREPARE leak_plan AS SELECT 1';
	EXECUTE 'CREATE TEMP TABLE leak_table (a int)';
	PERFORM pg_advisory_lock(4711);
	IF input::int < 3 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int + 1));
	END IF;
	RETURN to_jsonb((SELECT count(*) FROM pg_locks
		WHERE locktype = 'advisory' AND pid = pg_backend_pid()));
END $$;
SELECT df_start_singleton('leak_continue', 'leak continue', '0');
SELECT runtime_status, output, failure FROM df_wait_for_completion('leak continue');

SELECT df_revoke_usage('regress_ds_user');
DROP ROLE regress_ds_user, regress_ds_other;
DROP FUNCTION leak_look, leak_make, leak_role, leak_authorization, leak_all, leak_only, leak_orchestrator,
	leak_roles, leak_authorizations, leak_own_role, leak_continue;
