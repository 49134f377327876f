-- ---------------------------------------------------------------------------
-- Privileges: the last part of the script
-- ---------------------------------------------------------------------------

-- Who may do what from the start.  ALTER DEFAULT PRIVILEGES may have given away
-- what was created here, or kept it from PUBLIC: both are taken back first.
-- The functions for orchestrators refuse to work anywhere else, so everybody
-- may have them, and the views need theirs.  All others are granted by
-- df_grant_usage.
DO $$
DECLARE
	for_everybody name[] := '{df_await, df_call_activity,
		df_call_sub_orchestrator, df_continue_as_new, df_create_timer,
		df_current_utc_datetime, df_execution_id, df_instance_id,
		df_is_replaying, df_new_guid, df_parent_instance_id, df_patched,
		df_record, df_retry_policy, df_schedule_activity, df_schedule_event,
		df_schedule_sub_orchestrator, df_schedule_timer, df_set_custom_status,
		df_wait_all, df_wait_any, df_wait_for_external_event,
		access_level, is_executing, statistics, workers}';
	command text;
BEGIN
	FOR command IN
		SELECT pg_catalog.format('REVOKE ALL ON %s FROM %s CASCADE', o.what,
				CASE a.grantee WHEN 0 THEN 'PUBLIC'
					ELSE a.grantee::regrole::text END)
		FROM (
			SELECT d.classid, d.objid
			FROM pg_catalog.pg_depend d
				JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
					AND d.refclassid = 'pg_catalog.pg_extension'::regclass
			WHERE x.extname = 'durable_singleton' AND d.deptype = 'e') m,
		LATERAL (
			SELECT 'SCHEMA ' || n.oid::regnamespace AS what, n.nspacl AS acl,
				n.nspowner AS owner
			FROM pg_catalog.pg_namespace n
			WHERE m.classid = 'pg_catalog.pg_namespace'::regclass
				AND n.oid = m.objid
			UNION ALL
			SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END
				|| c.oid::regclass, c.relacl, c.relowner
			FROM pg_catalog.pg_class c
			WHERE m.classid = 'pg_catalog.pg_class'::regclass
				AND c.oid = m.objid AND c.relkind IN ('r', 'v', 'S')
			UNION ALL
			SELECT 'ROUTINE ' || p.oid::regprocedure,
				coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)),
				p.proowner
			FROM pg_catalog.pg_proc p
			WHERE m.classid = 'pg_catalog.pg_proc'::regclass
				AND p.oid = m.objid
			UNION ALL
			SELECT 'TYPE ' || t.oid::regtype,
				coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner)),
				t.typowner
			FROM pg_catalog.pg_type t
			WHERE m.classid = 'pg_catalog.pg_type'::regclass
				AND t.oid = m.objid AND t.typelem = 0
				-- on those of tables pg_dump knows of no privileges
				AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c
					WHERE c.oid = t.typrelid AND c.relkind <> 'c')) o,
		LATERAL (SELECT DISTINCT e.grantee
			FROM pg_catalog.aclexplode(o.acl) e) a
		WHERE a.grantee <> o.owner
	LOOP
		EXECUTE command;
	END LOOP;

	FOR command IN
		SELECT 'GRANT EXECUTE ON ROUTINE ' || p.oid::regprocedure || ' TO PUBLIC'
		FROM pg_catalog.pg_proc p
			JOIN pg_catalog.pg_depend d ON d.objid = p.oid
				AND d.classid = 'pg_catalog.pg_proc'::regclass
				AND d.deptype = 'e'
			JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
				AND d.refclassid = 'pg_catalog.pg_extension'::regclass
		WHERE x.extname = 'durable_singleton' AND p.proname = ANY (for_everybody)
	LOOP
		EXECUTE command;
	END LOOP;
END
$$;
GRANT USAGE ON TYPE @extschema@.df_runtime_status, @extschema@.df_status,
	durable_singleton.http_response TO PUBLIC;

SELECT durable_singleton.request_visit();
