-- Workers obey the settings of the owner's role and of the database, and none
-- of these prevents an instance from ending.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE SCHEMA set_schema;
CREATE FUNCTION set_schema.set_hidden(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"by the role''s path"'::jsonb $$;
CREATE FUNCTION set_show(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(current_setting(input #>> '{}')) $$;
CREATE FUNCTION set_story(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	shown jsonb;
	t timestamptz := df_current_utc_datetime();
	g uuid := df_new_guid();
BEGIN
	shown := df_call_activity('set_show', input);
	PERFORM df_record(to_jsonb(t));
	PERFORM df_create_timer('1 ms');
	PERFORM df_create_timer(fire_at => t + interval '2 ms');
	PERFORM df_wait_for_external_event('never', '1 ms');
	IF df_wait_for_external_event('go') ->> 'at' <> '2026-01-02 03:04:05' THEN
		RAISE EXCEPTION 'not that event';
	END IF;
	RETURN shown;
END $$;
-- runs set_story under a role with this setting
CREATE PROCEDURE set_run(name text, value text) LANGUAGE plpgsql AS $$
DECLARE
	s df_status;
BEGIN
	EXECUTE format('CREATE ROLE regress_ds_user LOGIN');
	EXECUTE format('ALTER ROLE regress_ds_user SET %I = %s', name, value);
	PERFORM df_grant_usage('regress_ds_user');
	SET LOCAL ROLE regress_ds_user;
	PERFORM df_start_singleton('set_story', 'set ' || name, to_jsonb(name));
	PERFORM df_raise_event('set ' || name, 'go', '{"at": "2026-01-02 03:04:05"}');
	RESET ROLE;
	COMMIT;
	s := df_wait_for_completion('set ' || name);
	RAISE WARNING '%: % %', name, s.runtime_status, coalesce(s.output, s.failure -> 'message');
	PERFORM df_revoke_usage('regress_ds_user');
	DROP ROLE regress_ds_user;
	COMMIT;
END $$;
CALL set_run('work_mem', '''5MB''');
CALL set_run('TimeZone', '''Asia/Kolkata''');
CALL set_run('DateStyle', 'German, DMY');
CALL set_run('IntervalStyle', 'sql_standard');
CALL set_run('bytea_output', 'escape');
CALL set_run('extra_float_digits', '0');
CALL set_run('standard_conforming_strings', 'off');
CALL set_run('default_transaction_isolation', 'serializable');
CALL set_run('default_transaction_deferrable', 'on');
CALL set_run('row_security', 'off');
CALL set_run('lock_timeout', '1');
CALL set_run('idle_in_transaction_session_timeout', '1');
CALL set_run('idle_session_timeout', '1');
CALL set_run('synchronous_commit', 'off');
CALL set_run('session_replication_role', 'replica');
CALL set_run('enable_indexscan', 'off');
CALL set_run('plan_cache_mode', 'force_custom_plan');
CALL set_run('jit', 'off');

-- the role's search_path finds the activity
CREATE FUNCTION set_path(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('set_hidden');
END $$;
CREATE ROLE regress_ds_user LOGIN;
ALTER ROLE regress_ds_user SET search_path = set_schema, public;
GRANT USAGE ON SCHEMA set_schema TO regress_ds_user;
SELECT df_grant_usage('regress_ds_user');
SET SESSION AUTHORIZATION regress_ds_user;
SELECT df_start_singleton('set_path', 'set path');
SELECT runtime_status, output FROM df_wait_for_completion('set path');
RESET SESSION AUTHORIZATION;
SELECT df_revoke_usage('regress_ds_user');

DROP SCHEMA set_schema CASCADE;
DROP PROCEDURE set_run;
DROP FUNCTION set_show, set_story, set_path;
DROP ROLE regress_ds_user;
