-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION durable_singleton UPDATE TO '1.1'" to load this file. \quit

-- As in the script of 1.0: nothing is looked up in the target schema.
SET LOCAL search_path = pg_catalog, pg_temp;

-- A change of a table waits for all transactions that have used the table, also
-- for prepared ones, and all other sessions wait for the change.  Better to fail
-- and to be run again.
SELECT pg_catalog.set_config('lock_timeout', '5s', true)
	WHERE pg_catalog.current_setting('lock_timeout') = '0';

-- The objects that exist so far, for the end of the script.
SELECT pg_catalog.set_config('durable_singleton_script.members',
	(SELECT pg_catalog.array_agg(d.classid::pg_catalog.text || ' ' || d.objid)
	FROM pg_catalog.pg_depend d
		JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
			AND d.refclassid = 'pg_catalog.pg_extension'::regclass
	WHERE x.extname = 'durable_singleton' AND d.deptype = 'e')::pg_catalog.text, true);

-- ---------------------------------------------------------------------------
-- The library
-- ---------------------------------------------------------------------------

-- A server keeps the library that it loaded when it started.  The library of
-- 1.0 lacks this function, and the functions of this script would fail with it.
DO $$
BEGIN
	CREATE FUNCTION durable_singleton.library_version()
	RETURNS text
	AS 'MODULE_PATHNAME', 'ds_library_version'
	LANGUAGE C STABLE PARALLEL SAFE;
EXCEPTION WHEN undefined_function THEN
	RAISE EXCEPTION USING
		ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = 'version 1.1 of extension "durable_singleton" needs the library of version 1.1',
		DETAIL = 'The server has loaded the library of an older version.',
		HINT = 'Install the library of version 1.1 and restart the server.';
END
$$;
COMMENT ON FUNCTION durable_singleton.library_version IS
	'version of the library that the server has loaded';

-- ---------------------------------------------------------------------------
-- Tables
-- ---------------------------------------------------------------------------

-- Children by their parent, in the order in which a purge takes them: a parent
-- may have millions.
DROP INDEX durable_singleton.instance_parent;
CREATE INDEX instance_parent ON durable_singleton.instance
	(parent_instance_id, instance_id) WHERE parent_instance_id IS NOT NULL;

-- ---------------------------------------------------------------------------
-- Cron expressions
-- ---------------------------------------------------------------------------

CREATE FUNCTION @extschema@.df_next_runs(cron text, time_zone text DEFAULT 'UTC',
	n integer DEFAULT 5, after timestamptz DEFAULT now())
RETURNS SETOF timestamptz
AS 'MODULE_PATHNAME', 'ds_next_runs'
LANGUAGE C STABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION @extschema@.df_next_runs IS
	'the next moments at which a cron expression is due';

-- ---------------------------------------------------------------------------
-- HTTP
-- ---------------------------------------------------------------------------

-- GET instances, also in databases that are not in UTF8
CREATE OR REPLACE FUNCTION durable_singleton.http_list(created_from text, created_to text,
	statuses text, id_prefix text, show_input boolean, page_size int, token text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
	large CONSTANT int := 4 * 1024 * 1024;
	wanted CONSTANT int := CASE WHEN page_size > 0 THEN least(page_size, 1000) ELSE 100 END;
	from_time CONSTANT timestamptz := coalesce(durable_singleton.http_time(created_from), '-infinity');
	to_time CONSTANT timestamptz := coalesce(durable_singleton.http_time(created_to), 'infinity');
	status_list CONSTANT @extschema@.df_runtime_status[] := durable_singleton.http_statuses(statuses);
	prefix CONSTANT text := coalesce(id_prefix, '');
	-- no id of 256 bytes that begins like this comes after it
	prefix_end text;
	last_id text := '';
	id text;
	item text;
	items text[] := '{}';
	size int := 0;
	more boolean := false;
BEGIN
	IF token <> '' THEN
		IF token !~ '^([0-9a-f]{2})+$' THEN
			RAISE EXCEPTION 'unknown continuation token' USING ERRCODE = 'SD400';
		END IF;
		last_id := convert_from(decode(token, 'hex'), 'UTF8');
	END IF;
	-- in a statement of its own: other encodings do not have the character, and
	-- chr() of a constant is evaluated wherever it stands
	IF prefix <> '' AND getdatabaseencoding() = 'UTF8' THEN
		prefix_end := prefix || repeat(chr(1114111), 64);
	END IF;
	FOR id IN
		SELECT i.instance_id FROM @extschema@.df_http_instances i
		WHERE i.instance_id > last_id COLLATE "C"
			AND i.instance_id >= prefix COLLATE "C"
			AND (prefix_end IS NULL OR i.instance_id <= prefix_end COLLATE "C")
			AND starts_with(i.instance_id, prefix)
			AND i.created_time BETWEEN from_time AND to_time
			AND (status_list IS NULL OR i.runtime_status = ANY (status_list))
		ORDER BY i.instance_id LIMIT wanted + 1
	LOOP
		IF cardinality(items) >= wanted OR size >= large THEN
			more := true;
			EXIT;
		END IF;
		last_id := id;
		item := durable_singleton.http_instance(id, show_input => show_input);
		IF item IS NOT NULL THEN
			items := items || item;
			size := size + length(item);
		END IF;
	END LOOP;
	RETURN ROW(200, '[' || array_to_string(items, ',') || ']', NULL, NULL, NULL,
		CASE WHEN more THEN encode(convert_to(last_id, 'UTF8'), 'hex') ELSE '' END, NULL)::durable_singleton.http_response;
END
$$;

-- ---------------------------------------------------------------------------
-- Privileges: the last part of the script
-- ---------------------------------------------------------------------------

-- What privileges.sql does for the objects of 1.0, for those that an upgrade
-- script adds.  The privileges on older objects stay: df_grant_usage and
-- administrators have granted them.  Every upgrade script calls it at its end
-- and then grants to PUBLIC what every role may use.
CREATE FUNCTION durable_singleton.withdraw_privileges(older text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	command text;
BEGIN
	FOR command IN
		SELECT format('REVOKE ALL ON %s FROM %s CASCADE', o.what,
				CASE a.grantee WHEN 0 THEN 'PUBLIC'
					ELSE a.grantee::regrole::text END)
		FROM (
			SELECT d.classid, d.objid
			FROM pg_depend d
				JOIN pg_extension x ON x.oid = d.refobjid
					AND d.refclassid = 'pg_extension'::regclass
			WHERE x.extname = 'durable_singleton' AND d.deptype = 'e'
				AND d.classid::text || ' ' || d.objid <> ALL (older)) m,
		LATERAL (
			SELECT 'SCHEMA ' || n.oid::regnamespace AS what, n.nspacl AS acl,
				n.nspowner AS owner
			FROM pg_namespace n
			WHERE m.classid = 'pg_namespace'::regclass AND n.oid = m.objid
			UNION ALL
			SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END
				|| c.oid::regclass, c.relacl, c.relowner
			FROM pg_class c
			WHERE m.classid = 'pg_class'::regclass AND c.oid = m.objid
				AND c.relkind IN ('r', 'v', 'S')
			UNION ALL
			SELECT 'ROUTINE ' || p.oid::regprocedure,
				coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
			FROM pg_proc p
			WHERE m.classid = 'pg_proc'::regclass AND p.oid = m.objid
			UNION ALL
			SELECT 'TYPE ' || t.oid::regtype,
				coalesce(t.typacl, acldefault('T', t.typowner)), t.typowner
			FROM pg_type t
			WHERE m.classid = 'pg_type'::regclass AND t.oid = m.objid
				AND t.typelem = 0
				-- on those of tables pg_dump knows of no privileges
				AND NOT EXISTS (SELECT FROM pg_class c
					WHERE c.oid = t.typrelid AND c.relkind <> 'c')) o,
		LATERAL (SELECT DISTINCT e.grantee FROM aclexplode(o.acl) e) a
		WHERE a.grantee <> o.owner
	LOOP
		EXECUTE command;
	END LOOP;
END
$$;
COMMENT ON FUNCTION durable_singleton.withdraw_privileges IS
	'takes from all roles but the owner what an upgrade script has just created';

SELECT durable_singleton.withdraw_privileges(
	pg_catalog.current_setting('durable_singleton_script.members')::pg_catalog.text[]);

GRANT EXECUTE ON FUNCTION @extschema@.df_next_runs TO PUBLIC;
