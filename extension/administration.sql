-- ---------------------------------------------------------------------------
-- Administration
-- ---------------------------------------------------------------------------

CREATE FUNCTION @extschema@.df_adopt_database()
RETURNS void
AS 'MODULE_PATHNAME', 'ds_adopt_database'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_adopt_database IS
	'makes a restored or cloned database the home of its instances, so that its workers run them';

-- Everything an application role needs: the functions for clients and the
-- views.  What administers the extension itself stays with its owner.
CREATE FUNCTION durable_singleton.usage_command(verb text, role name)
RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE verb
			WHEN 'GRANT' THEN pg_catalog.format('GRANT %s TO %I', o.what, role)
			ELSE pg_catalog.format('REVOKE %s FROM %I', o.what, role)
		END
	FROM (
		SELECT CASE p.prokind
				WHEN 'p' THEN 'EXECUTE ON PROCEDURE '
				ELSE 'EXECUTE ON FUNCTION '
			END || p.oid::regprocedure::text AS what
		FROM pg_catalog.pg_proc p
			JOIN pg_catalog.pg_depend d ON d.objid = p.oid
				AND d.classid = 'pg_catalog.pg_proc'::regclass
				AND d.deptype = 'e'
			JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
				AND d.refclassid = 'pg_catalog.pg_extension'::regclass
		WHERE x.extname = 'durable_singleton'
			AND (p.pronamespace = x.extnamespace
					AND p.proname LIKE 'df\_%'
					AND p.proname NOT IN ('df_adopt_database',
						'df_expose_http', 'df_grant_usage', 'df_hide_http',
						'df_revoke_usage')
				-- what the gateway calls
				OR p.pronamespace = 'durable_singleton'::regnamespace
					AND p.proname LIKE 'http\_%')
		UNION ALL
		SELECT 'SELECT ON ' || c.oid::regclass::text
		FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_depend d ON d.objid = c.oid
				AND d.classid = 'pg_catalog.pg_class'::regclass
				AND d.deptype = 'e'
			JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
				AND d.refclassid = 'pg_catalog.pg_extension'::regclass
		WHERE x.extname = 'durable_singleton'
			AND c.relnamespace = x.extnamespace AND c.relkind = 'v'
		UNION ALL
		SELECT 'USAGE ON SCHEMA durable_singleton'
		UNION ALL
		SELECT 'USAGE ON SCHEMA ' || n.oid::regnamespace::text
		FROM pg_catalog.pg_namespace n
			JOIN pg_catalog.pg_extension x ON x.extnamespace = n.oid
		WHERE x.extname = 'durable_singleton'
			AND NOT pg_catalog.has_schema_privilege('public', n.oid, 'USAGE')
	) o;
END;

CREATE FUNCTION @extschema@.df_grant_usage(role name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	command text;
BEGIN
	FOR command IN SELECT durable_singleton.usage_command('GRANT', role) LOOP
		EXECUTE command;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.df_grant_usage IS
	'lets a role start, watch and steer orchestrations of its own';

CREATE FUNCTION @extschema@.df_revoke_usage(role name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	command text;
BEGIN
	FOR command IN SELECT durable_singleton.usage_command('REVOKE', role) LOOP
		EXECUTE command;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.df_revoke_usage IS 'takes back what df_grant_usage granted';
