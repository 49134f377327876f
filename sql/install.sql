-- The extension can be created, dropped and created again, in any schema, and
-- grants PUBLIC nothing beyond what is safe.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
DROP EXTENSION durable_singleton;
CREATE EXTENSION durable_singleton;

-- the interface
\pset format unaligned
SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ') '
	|| CASE p.prokind WHEN 'p' THEN 'procedure' ELSE pg_get_function_result(p.oid) END AS signature
FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'df\_%'
ORDER BY p.proname COLLATE "C";
\pset format aligned
SELECT enumlabel FROM pg_enum WHERE enumtypid = 'df_runtime_status'::regtype
ORDER BY enumsortorder;
SELECT c.relname, regexp_replace(string_agg(a.attname, ', ' ORDER BY a.attnum), '((\w+, ){5}\w+,) ', E'\\1\n', 'g') AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'df\_%'
GROUP BY c.relname ORDER BY c.relname COLLATE "C";

-- none is strict, so that a NULL is an error and never a silent NULL; none
-- is called by the planner or in a parallel worker, but one that only calculates
SELECT proname FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'df\_%'
	AND (proisstrict OR provolatile <> 'v' OR proparallel <> 'u');

-- what PUBLIC may call: the functions for orchestrators, no other
SELECT proname FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'df\_%'
	AND has_function_privilege('public', oid, 'EXECUTE')
ORDER BY proname COLLATE "C";
-- no schema, table, sequence or view
SELECT nspname FROM pg_namespace
WHERE nspname = 'durable_singleton'
	AND (has_schema_privilege('public', oid, 'USAGE')
		OR has_schema_privilege('public', oid, 'CREATE'));
SELECT c.oid::regclass FROM pg_class c
	JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
		AND d.deptype = 'e'
	JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'durable_singleton'
WHERE c.relkind IN ('r', 'v') AND (
		has_table_privilege('public', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
		OR has_any_column_privilege('public', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
	OR c.relkind = 'S' AND has_sequence_privilege('public', c.oid, 'USAGE, SELECT, UPDATE');
-- every table and sequence is dumped with its data
SELECT c.oid::regclass AS not_dumped FROM pg_class c
	JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
		AND d.deptype = 'e'
	JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'durable_singleton'
WHERE c.relkind IN ('r', 'S') AND c.oid <> ALL (x.extconfig);

-- it stays in its schema
ALTER EXTENSION durable_singleton SET SCHEMA pg_catalog;

CREATE FUNCTION install_echo(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_object('echo', input);
END $$;
CREATE FUNCTION install_twice(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('install_echo', df_call_activity('install_echo', input));
END $$;

-- df_grant_usage is all that a role needs, df_revoke_usage takes it back
CREATE ROLE regress_ds_user LOGIN;
CREATE ROLE "regress ds ""quoted" LOGIN;
SET SESSION AUTHORIZATION regress_ds_user;
SELECT error_of($$ SELECT df_start_singleton('install_twice', 'install granted') $$);
SELECT error_of($$ SELECT df_grant_usage('regress_ds_user') $$);
SELECT error_of($$ SELECT count(*) FROM df_instances $$);
SELECT error_of($$ SELECT df_adopt_database() $$);
RESET SESSION AUTHORIZATION;
SELECT df_grant_usage('regress_ds_user');
SELECT df_grant_usage('regress ds "quoted');
-- all that PUBLIC has not, but for the administration
SELECT proname FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'df\_%'
	AND NOT has_function_privilege('regress_ds_user', oid, 'EXECUTE')
ORDER BY proname COLLATE "C";
SELECT c.relname, has_table_privilege('regress_ds_user', c.oid, 'SELECT') AS read,
	has_table_privilege('regress_ds_user', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS write
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'df\_%' AND c.relkind = 'v'
ORDER BY 1;
SELECT has_function_privilege('regress ds "quoted', 'df_terminate(text, text)', 'EXECUTE') AS quoted;
SET SESSION AUTHORIZATION regress_ds_user;
SELECT df_start_singleton('install_twice', 'install granted', '1');
SELECT runtime_status, output FROM df_wait_for_completion('install granted');
SELECT instance_id, runtime_status, output FROM df_instances;
SELECT count(*) > 0 AS history FROM df_history WHERE instance_id = 'install granted';
-- not even a user may touch the tables
SELECT error_of($$ SELECT * FROM durable_singleton.instance $$);
RESET SESSION AUTHORIZATION;
SELECT df_revoke_usage('regress_ds_user');
SELECT df_revoke_usage('regress ds "quoted');
SET SESSION AUTHORIZATION regress_ds_user;
SELECT error_of($$ SELECT df_start_singleton('install_twice', 'install granted') $$);
SELECT error_of($$ SELECT count(*) FROM df_instances $$);
RESET SESSION AUTHORIZATION;
SELECT error_of($$ SELECT df_grant_usage('regress_ds_nobody') $$);

-- workers that knew the old extension serve the new one
SELECT df_start_singleton('install_twice', 'install again', '1');
SELECT runtime_status, output FROM df_wait_for_completion('install again');
DROP EXTENSION durable_singleton;
SELECT nspname FROM pg_namespace WHERE nspname = 'durable_singleton';
SELECT proname FROM pg_proc WHERE proname LIKE 'df\_%';
CREATE EXTENSION durable_singleton;
SELECT count(*) AS instances FROM df_instances;
SELECT df_start_singleton('install_twice', 'install again', '2');
SELECT runtime_status, output FROM df_wait_for_completion('install again');

-- a CREATE EXTENSION that is rolled back leaves nothing
DROP EXTENSION durable_singleton;
BEGIN;
CREATE EXTENSION durable_singleton;
SELECT df_start_singleton('install_twice', 'install rolled back', '1');
ROLLBACK;
SELECT nspname FROM pg_namespace WHERE nspname = 'durable_singleton';
-- created, used and committed in one transaction
BEGIN;
CREATE EXTENSION durable_singleton;
SELECT df_start_singleton('install_twice', 'install at once', '3');
COMMIT;
SELECT runtime_status, output FROM df_wait_for_completion('install at once');
DROP EXTENSION durable_singleton;

-- in a schema of one's own, which nobody's search_path has
CREATE SCHEMA regress_df;
CREATE EXTENSION durable_singleton SCHEMA regress_df;
CREATE FUNCTION install_elsewhere(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	result jsonb := regress_df.df_call_activity('install_echo', input);
BEGIN
	PERFORM regress_df.df_create_timer('1 ms');
	RETURN result || regress_df.df_wait_for_external_event('GO');
END $$;
SELECT regress_df.df_start_singleton('install_elsewhere', 'install elsewhere', '4',
	reuse => '{Failed}');
SELECT regress_df.df_raise_event('install elsewhere', 'go', '{"event": 5}');
SELECT runtime_status, output FROM regress_df.df_wait_for_completion('install elsewhere');
SELECT instance_id, runtime_status FROM regress_df.df_instances;
SELECT event_type, name FROM regress_df.df_history ORDER BY seq;
SELECT regress_df.df_grant_usage('regress_ds_user');
SET SESSION AUTHORIZATION regress_ds_user;
SELECT regress_df.df_start_singleton('install_elsewhere', 'install granted', '6');
SELECT regress_df.df_raise_event('install granted', 'go', '{"event": 7}');
SELECT runtime_status, output FROM regress_df.df_wait_for_completion('install granted');
SELECT instance_id, runtime_status FROM regress_df.df_instances;
RESET SESSION AUTHORIZATION;
SELECT regress_df.df_revoke_usage('regress_ds_user');
SELECT has_schema_privilege('regress_ds_user', 'regress_df', 'USAGE') AS usage;
DROP EXTENSION durable_singleton;

CREATE EXTENSION durable_singleton;
DROP SCHEMA regress_df;
DROP ROLE regress_ds_user, "regress ds ""quoted";
DROP FUNCTION install_echo, install_twice, install_elsewhere;
