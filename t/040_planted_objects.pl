# Objects planted where a search_path finds them first never run inside the
# extension, and no role changes the extension's tables.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "durable_singleton.worker_idle_timeout = '1s'\n");

# Mallory may create objects in a schema that everybody's search_path begins
# with, even before pg_catalog: more than an attacker can hope for.
$node->safe_psql('postgres', q{
CREATE ROLE alice LOGIN;
CREATE ROLE mallory LOGIN;
CREATE ROLE writer LOGIN IN ROLE pg_write_all_data, pg_read_all_data;
SELECT df_grant_usage(r) FROM unnest('{alice,mallory,writer}'::name[]) r;
CREATE SCHEMA evil AUTHORIZATION mallory;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE TABLE evil.trophies (runner name, what text);
GRANT INSERT ON evil.trophies TO PUBLIC;
});

sub as
{
	my ($role, $sql) = @_;

	return $node->safe_psql('postgres', $sql, extra_params => [ '-U', $role ]);
}

sub error_as
{
	my ($role, $sql) = @_;

	return (error_of($node, 'postgres', $sql, extra_params => [ '-U', $role ]))[0];
}

# A double of each function, operator and cast of pg_catalog on ordinary types;
# each says in whose name it ran and comes to NULL.
as('mallory', q{
SET client_min_messages = error;
CREATE FUNCTION evil.catch(what text) RETURNS void LANGUAGE sql
	SET search_path = pg_catalog AS $$ INSERT INTO evil.trophies VALUES (current_user, what) $$;
CREATE FUNCTION pg_temp.plain(type oid) RETURNS boolean LANGUAGE sql AS $$
	SELECT typtype = 'b' AND typcategory IN ('B', 'N', 'S', 'D', 'T', 'U', 'A')
		AND typnamespace = 'pg_catalog'::regnamespace
	FROM pg_type WHERE oid = type $$;
DO $do$
DECLARE
	r record;
BEGIN
	FOR r IN
		SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments,
			format_type(p.prorettype, NULL) AS result
		FROM pg_proc p
		WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
			AND NOT p.proretset AND p.provariadic = 0
			AND pg_temp.plain(p.prorettype)
			AND (SELECT coalesce(bool_and(pg_temp.plain(t)), true) FROM unnest(p.proargtypes) t)
			AND p.proallargtypes IS NULL
			AND p.proname NOT IN ('nextval', 'currval')
	LOOP
		EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS
			$$ BEGIN PERFORM evil.catch(%L); RETURN NULL; END $$', r.proname,
			r.arguments, r.result, r.proname);
	END LOOP;
	FOR r IN
		SELECT o.oprname, format_type(nullif(o.oprleft, 0), NULL) AS l,
			format_type(o.oprright, NULL) AS r, format_type(o.oprresult, NULL) AS result,
			row_number() OVER () AS n
		FROM pg_operator o
		WHERE o.oprnamespace = 'pg_catalog'::regnamespace
			AND (o.oprleft = 0 OR pg_temp.plain(o.oprleft))
			AND pg_temp.plain(o.oprright) AND pg_temp.plain(o.oprresult)
	LOOP
		EXECUTE format('CREATE FUNCTION evil.operator_%s(%s) RETURNS %s LANGUAGE plpgsql AS
			$$ BEGIN PERFORM evil.catch(%L); RETURN NULL; END $$', r.n,
			concat_ws(', ', r.l, r.r), r.result, 'operator ' || r.oprname);
		EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.operator_%s, %s RIGHTARG = %s)',
			r.oprname, r.n, 'LEFTARG = ' || r.l || ',', r.r);
	END LOOP;
	-- tables in the place of ours and of the catalog's
	FOR r IN
		SELECT relname FROM pg_class
		WHERE relnamespace = ANY ('{durable_singleton,pg_catalog}'::regnamespace[])
			AND relkind IN ('r', 'v')
	LOOP
		EXECUTE format('CREATE TABLE evil.%I (trap int)', r.relname);
	END LOOP;
END $do$;
-- what compares exactly the types that our statements compare
CREATE FUNCTION evil.same(df_runtime_status, df_runtime_status) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.catch('operator = of statuses'); RETURN NULL; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.same, LEFTARG = df_runtime_status, RIGHTARG = df_runtime_status);
CREATE FUNCTION evil.same(regrole, regrole) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.catch('operator = of owners'); RETURN NULL; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.same, LEFTARG = regrole, RIGHTARG = regrole);
CREATE TYPE evil.box AS (what text);
CREATE FUNCTION evil.boxed(df_runtime_status) RETURNS evil.box LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.catch('cast of a status'); RETURN NULL; END $$;
CREATE CAST (df_runtime_status AS evil.box) WITH FUNCTION evil.boxed(df_runtime_status) AS IMPLICIT;
CREATE FUNCTION evil.boxed(regrole) RETURNS evil.box LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.catch('cast of an owner'); RETURN NULL; END $$;
CREATE CAST (regrole AS evil.box) WITH FUNCTION evil.boxed(regrole) AS IMPLICIT;
});
cmp_ok($node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_proc WHERE pronamespace = 'evil'::regnamespace}),
	'>', 1500, 'doubles of most of pg_catalog are planted');

# The code under test finds what it needs itself, so that only the extension's
# own look-ups can go wrong.
$node->safe_psql('postgres', q{
CREATE FUNCTION act(input jsonb) RETURNS jsonb LANGUAGE plpgsql
	SET search_path = pg_catalog, public AS $$ BEGIN RETURN to_jsonb(current_user::text); END $$;
CREATE FUNCTION act_named(a int, b text DEFAULT 'x') RETURNS int LANGUAGE plpgsql
	SET search_path = pg_catalog, public AS $$ BEGIN RETURN a + 1; END $$;
CREATE FUNCTION act_fails(input jsonb) RETURNS jsonb LANGUAGE plpgsql
	SET search_path = pg_catalog, public AS $$ BEGIN RAISE unique_violation; END $$;
CREATE FUNCTION child(input jsonb) RETURNS jsonb LANGUAGE plpgsql
	SET search_path = pg_catalog, public AS $$
BEGIN
	PERFORM df_wait_for_external_event('never', '1 ms', '1');
	RETURN df_call_activity('act');
END $$;
CREATE FUNCTION story(input jsonb) RETURNS jsonb LANGUAGE plpgsql
	SET search_path = pg_catalog, public AS $$
DECLARE
	tasks int[];
	failed text;
BEGIN
	PERFORM df_current_utc_datetime(), df_new_guid(), df_record('1'), df_patched('p'),
		df_set_custom_status('"on its way"');
	tasks := ARRAY[df_schedule_activity('act'), df_schedule_timer('1 ms'),
		df_schedule_sub_orchestrator('child'), df_schedule_event('no', '1 ms')];
	PERFORM df_wait_any(tasks);
	PERFORM df_wait_all(tasks);
	PERFORM df_call_activity('act_named', '{"a": 1}');
	PERFORM df_create_timer('1 ms');
	BEGIN
		PERFORM df_call_activity('act_fails', NULL, df_retry_policy(2, '1 ms', retry_on => '{23505}'));
	EXCEPTION WHEN unique_violation THEN
		failed := SQLSTATE;
	END;
	PERFORM df_call_sub_orchestrator('child');
	PERFORM df_wait_for_external_event('go');
	IF input::text = '1' THEN
		PERFORM df_continue_as_new('2');
	END IF;
	RETURN df_call_activity('act');
END $$;
-- all that a client can do, in one session
CREATE FUNCTION clients(id text) RETURNS boolean LANGUAGE plpgsql
	SET search_path = pg_catalog, public AS $$
BEGIN
	PERFORM df_start_singleton('story', id, '1', start_at => '2200-01-01'),
		df_start_new('story', id || ' new', '1', '2200-01-01');
	PERFORM df_suspend(id, 'x');
	PERFORM df_resume(id, 'x');
	PERFORM df_terminate(id || ' new', 'x');
	PERFORM df_restart(id || ' new', false);
	PERFORM df_terminate(id || ' new', 'y');
	PERFORM df_purge(id || ' new');
	PERFORM df_purge_by('2020-01-01', '2020-01-02', '{Failed}');
	PERFORM df_start_singleton('story', id, '1', 'terminate');
	PERFORM df_raise_event(id, 'go', '1');
	PERFORM df_raise_event(id, 'GO', '2');
	PERFORM FROM df_get_status(id, true, true, true);
	PERFORM FROM df_instances;
	PERFORM FROM df_history;
	PERFORM FROM df_executions;
	PERFORM FROM df_stat_workers;
	PERFORM FROM df_stat;
	RETURN true;
END $$;
ALTER DATABASE postgres SET search_path = evil, pg_catalog, public;
});

#
# Everything that the extension can do, with the trap in front of pg_catalog
#
foreach my $role ('alice', 'postgres')
{
	my $user = $role eq 'postgres' ? getpwuid($<) : $role;
	my $id = "planted: $role";

	# temporary objects come before all others by default
	$node->safe_psql('postgres', qq{
		SET client_min_messages = error;
		CREATE TEMP TABLE instance (trap int);
		CREATE TEMP TABLE history (trap int);
		CREATE TEMP TABLE task (trap int);
		CREATE TEMP TABLE home (trap int);
		CREATE TEMP TABLE pg_roles (trap int);
		CREATE DOMAIN pg_temp.jsonb AS pg_catalog.text;
		CREATE DOMAIN pg_temp.text AS pg_catalog.int4;
		SET search_path = pg_temp, evil, pg_catalog, public;
		SELECT public.clients('$id')}, extra_params => [ '-U', $user ]);
	like( $node->safe_psql('postgres', qq{
			SET search_path = evil, pg_catalog, public;
			CALL public.df_wait('$id', '60 s')}, extra_params => [ '-U', $user ]),
		qr/"output": "$user".*"runtime_status": "Completed"/,
		"an instance of ${role}'s runs through it all");
	$node->safe_psql('postgres', qq{
		SET search_path = evil, pg_catalog, public;
		SELECT FROM public.df_get_status('$id', true, true);
		SELECT FROM public.df_wait_for_any(ARRAY['$id']::pg_catalog.text[]);
		CALL public.df_run()}, extra_params => [ '-U', $user ]);
}
$node->safe_psql('postgres', q{
	SELECT public.df_grant_usage('alice');
	SELECT public.df_revoke_usage('mallory');
	SELECT public.df_grant_usage('mallory');
	SELECT public.df_adopt_database()});

# the janitor, which is a superuser, looks for work, for owners who are gone and
# for what is to be purged
$node->safe_psql('postgres', q{
	SET search_path = pg_catalog, public;
	CREATE ROLE gone LOGIN;
	SELECT df_grant_usage('gone');
	SET ROLE gone;
	SELECT df_start_singleton('story', 'planted: gone', '1', start_at => '2200-01-01');
	RESET ROLE;
	SELECT df_revoke_usage('gone');
	ALTER DATABASE postgres SET durable_singleton.retention = '1d';
	DROP ROLE gone});
$node->restart;
ok( $node->poll_query_until('postgres',
		"SELECT runtime_status FROM public.df_get_status('planted: gone')", 'Failed'),
	'the janitor has been there');
is( $node->safe_psql('postgres', q{
		SET search_path = pg_catalog, public;
		SELECT DISTINCT runner, what FROM evil.trophies ORDER BY 1, 2}),
	'', 'nothing that was planted ever ran');
# the trap itself works
$node->safe_psql('postgres', "SELECT 'a'::pg_catalog.text = 'a'::pg_catalog.text", extra_params => [ '-U', 'alice' ]);
is( $node->safe_psql('postgres', q{
		SET search_path = pg_catalog, public;
		SELECT DISTINCT runner, what FROM evil.trophies}),
	'alice|operator =', 'though it would have been caught');
$node->safe_psql('postgres', q{
	ALTER DATABASE postgres RESET search_path;
	ALTER DATABASE postgres RESET durable_singleton.retention});

#
# The tables
#
my @tables = split /\n/, $node->safe_psql('postgres', q{
	SELECT relname FROM pg_class WHERE relnamespace = 'durable_singleton'::regnamespace AND relkind = 'r' ORDER BY 1});

my %column = map { split /\|/ } split /\n/, $node->safe_psql('postgres', q{
	SELECT c.relname, min(a.attname COLLATE "C") FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'durable_singleton'::regnamespace AND a.attnum > 0 AND a.attidentity = ''
	GROUP BY 1});
foreach my $role ('alice', 'writer')
{
	foreach my $table (@tables)
	{
		foreach my $attack (
			"INSERT INTO durable_singleton.$table OVERRIDING SYSTEM VALUE SELECT * FROM durable_singleton.$table",
			"UPDATE durable_singleton.$table SET $column{$table} = $column{$table}",
			"DELETE FROM durable_singleton.$table",
			"TRUNCATE durable_singleton.$table",
			"COPY durable_singleton.$table FROM '/dev/null'",
			"CREATE TRIGGER t BEFORE INSERT ON durable_singleton.$table FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
			"CREATE RULE r AS ON INSERT TO durable_singleton.$table DO INSTEAD NOTHING",
			"CREATE INDEX ON durable_singleton.$table ((1))",
			"ALTER TABLE durable_singleton.$table DISABLE TRIGGER ALL",
			"CREATE POLICY p ON durable_singleton.$table")
		{
			is(error_as($role, $attack), '42501', "refused to $role: $attack");
		}
	}
	foreach my $attack (
		'CREATE TABLE durable_singleton.mine (i int)',
		'DROP EXTENSION durable_singleton',
		'ALTER EXTENSION durable_singleton ADD ROLE ' . $role,
		'ALTER FUNCTION df_start_singleton RENAME TO mine',
		'CREATE OR REPLACE VIEW df_instances AS SELECT 1',
		'SELECT durable_singleton.request_visit()',
		"SELECT durable_singleton.usage_command('GRANT', 'x')",
		'SELECT df_adopt_database()')
	{
		isnt(error_as($role, $attack), '', "refused to $role: $attack");
	}
}

# A row of his own making would have a superuser run what he likes.
is( error_as('writer', q{
		INSERT INTO durable_singleton.instance (created_time, owner, home, execution_id,
			instance_id, name, function_schema, input, ready_time, status, turn, history_length)
		SELECT now(), 10::regrole, home, gen_random_uuid(), 'forged', 'query_to_xml', 'pg_catalog',
			'{"query": "ALTER ROLE mallory SUPERUSER", "nulls": true, "tableforest": false, "targetns": ""}',
			now(), 'Pending', 0, 0
		FROM durable_singleton.instance LIMIT 1}),
	'42501', 'pg_write_all_data cannot forge an instance');
is($node->safe_psql('postgres', "SELECT count(*) FROM df_get_status('forged')"), 0, 'none is there');

#
# Privileges that administrators give away beforehand, or withhold
#
$node->safe_psql('postgres', 'CREATE DATABASE generous');
my $query = q{
	SELECT o.what, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'), a.privilege_type
	FROM (
		SELECT c.oid::regclass::text, c.relacl, c.relowner, c.oid FROM pg_class c WHERE relkind <> 'c'
		UNION ALL SELECT p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner)),
			p.proowner, p.oid FROM pg_proc p
		UNION ALL SELECT t.oid::regtype::text, coalesce(t.typacl, acldefault('T', t.typowner)),
			t.typowner, t.oid FROM pg_type t WHERE typelem = 0
		UNION ALL SELECT n.oid::regnamespace::text, n.nspacl, n.nspowner, n.oid FROM pg_namespace n)
		o (what, acl, owner, oid)
		JOIN pg_depend d ON d.objid = o.oid AND d.deptype = 'e'
		JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'durable_singleton',
		LATERAL aclexplode(o.acl) a
	WHERE a.grantee <> o.owner
	ORDER BY 1, 2, 3};
$node->safe_psql('postgres', q{
	SELECT df_revoke_usage(r) FROM unnest('{alice,mallory,writer}'::name[]) r});
my $expected = $node->safe_psql('postgres', $query);
$node->safe_psql('generous', q{
	ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO mallory, PUBLIC;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO mallory WITH GRANT OPTION;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO mallory;
	ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO mallory, PUBLIC;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO mallory;
	ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC;
	CREATE EXTENSION durable_singleton});
is($node->safe_psql('generous', $query), $expected,
	'default privileges make no difference to the extension');
$node->safe_psql('generous', q{
	SELECT df_grant_usage('alice');
	CREATE FUNCTION act(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
	GRANT EXECUTE ON FUNCTION act TO PUBLIC});
is( $node->safe_psql('generous', q{
		SELECT df_start_singleton('act', 'generous', '1');
		SELECT output FROM df_wait_for_completion('generous');
		SELECT count(*) FROM df_instances;
		SELECT count(*) > 0 FROM df_history}, extra_params => [ '-U', 'alice' ]),
	"t\n1\n1\nt", 'and a role that was granted the usage can use it');

# A schema of the right name is no extension: somebody else's tables, with
# triggers that lie in wait for the janitor and for clients.
$node->safe_psql('postgres', 'CREATE DATABASE decoy OWNER mallory');
$node->safe_psql('decoy', q{
	CREATE SCHEMA durable_singleton;
	CREATE TABLE durable_singleton.trophies (runner name);
	CREATE FUNCTION durable_singleton.catch() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO durable_singleton.trophies VALUES (current_user);
		RETURN NEW;
	END $$;
	CREATE TABLE durable_singleton.home (system_identifier bigint, database_oid oid);
	CREATE TABLE durable_singleton.instance (owner regrole, ready_time timestamptz, status text, instance_id text, home int);
	CREATE TABLE durable_singleton.inbox (id bigint, run_id uuid, kind "char", instance_id text);
	INSERT INTO durable_singleton.instance VALUES ('mallory', now(), 'Running', 'x', 1);
	INSERT INTO durable_singleton.inbox VALUES (1, NULL, 'e', 'x');
	CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON durable_singleton.inbox EXECUTE FUNCTION durable_singleton.catch();
	CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON durable_singleton.instance EXECUTE FUNCTION durable_singleton.catch();
	}, extra_params => [ '-U', 'mallory' ]);
$node->restart;
$node->safe_psql('generous', q{
	SELECT df_start_singleton('act', 'after the restart');
	SELECT FROM df_wait_for_completion('after the restart')});
$node->poll_query_until('postgres', q{
	SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'durable_singleton janitor'})
  or die 'the janitor does not go';
is($node->safe_psql('decoy', 'SELECT count(*) FROM durable_singleton.trophies'),
	0, 'a schema that only looks like the extension is left alone');
is( (error_of($node, 'decoy', 'CREATE EXTENSION durable_singleton', extra_params => [ '-U', 'mallory' ]))[0],
	'42501', 'and not even the owner of a database can create the extension');

finish($node);
done_testing();
