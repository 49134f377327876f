# A step runs only as the owner of its instance, however it was started and
# whatever it tries; a superuser's instance runs only functions of superusers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "durable_singleton.worker_idle_timeout = '10min'\n");
my $su   = $node->safe_psql('postgres', 'SELECT current_user');

$node->safe_psql('postgres', q{
CREATE ROLE alice LOGIN;
CREATE ROLE member LOGIN IN ROLE alice;
CREATE ROLE mallory LOGIN;
SELECT df_grant_usage(r) FROM unnest('{alice,member,mallory}'::name[]) r;
-- what an attacker may hope for
GRANT CREATE ON SCHEMA public TO mallory, alice;
GRANT CREATE ON DATABASE postgres TO mallory;

CREATE FUNCTION who(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT to_jsonb(current_user || '/' || session_user || '/' || current_setting('is_superuser')) $$;
CREATE FUNCTION who_child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	RETURN jsonb_build_array(who(NULL), df_call_activity('who'));
END $$;
CREATE FUNCTION story(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input IS NULL THEN
		PERFORM df_call_activity('who');
		PERFORM df_continue_as_new('1');
	END IF;
	RETURN who(NULL) || df_call_activity('who') || df_await(df_schedule_activity('who'))
		|| df_call_sub_orchestrator('who_child');
END $$;
});

sub as
{
	my ($role, $sql) = @_;

	return $node->safe_psql('postgres', $sql, extra_params => [ '-U', $role ]);
}

sub result
{
	my ($id) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT coalesce(output::text, runtime_status || ' ' || (failure ->> 'sqlstate')) FROM df_wait_for_completion('$id')});
}

# All steps of story() as this role.
sub all_as
{
	my ($role) = @_;
	my $who = '"' . "$role/$role/" . ($role eq $su ? 'on' : 'off') . '"';

	return '[' . join(', ', ($who) x 5) . ']';
}

#
# However it was started
#
as('alice', q{
CREATE FUNCTION alices_start(id text) RETURNS boolean SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
	LANGUAGE sql AS $$ SELECT df_start_singleton('story', id) $$;
CREATE TABLE alices (id text);
CREATE FUNCTION alices_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_start_singleton('story', NEW.id);
	RETURN NEW;
END $$;
CREATE TRIGGER t BEFORE INSERT ON alices FOR EACH ROW EXECUTE FUNCTION alices_trigger();
GRANT INSERT ON alices TO mallory;
-- what a superuser runs for her without knowing: maintenance
CREATE FUNCTION alices_index(id text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.df_start_singleton('public.story', id || ' ' || clock_timestamp());
	RETURN id;
END $$;
CREATE TABLE alices_indexed (id text);
INSERT INTO alices_indexed VALUES ('indexed');
CREATE INDEX alices_index ON alices_indexed (alices_index(id));
CREATE MATERIALIZED VIEW alices_view AS SELECT alices_index('refreshed') WITH NO DATA;
});
my @starts = (
	[ 'a session of the role', 'alice', 'alice', "SELECT df_start_singleton('story', '%')" ],
	[ 'SET ROLE', $su, 'alice', "SET ROLE alice; SELECT df_start_singleton('story', '%')" ],
	[ 'SET SESSION AUTHORIZATION', $su, 'alice', "SET SESSION AUTHORIZATION alice; SELECT df_start_singleton('story', '%')" ],
	[ 'SET LOCAL ROLE that ends before the commit', $su, 'alice',
		"BEGIN; SET LOCAL ROLE alice; SELECT df_start_singleton('story', '%'); RESET ROLE; COMMIT" ],
	[ 'a member who became the role', 'member', 'alice', "SET ROLE alice; SELECT df_start_singleton('story', '%')" ],
	[ 'a member as himself', 'member', 'member', "SELECT df_start_singleton('story', '%')" ],
	[ 'a SECURITY DEFINER function', 'mallory', 'alice', "SELECT alices_start('%')" ],
	[ "a trigger on somebody else's table", 'mallory', 'mallory', "INSERT INTO alices VALUES ('%')" ],
	[ 'a superuser', $su, $su, "SELECT df_start_singleton('story', '%')" ],
);
foreach my $start (@starts)
{
	my ($name, $role, $owner, $sql) = @$start;

	as($role, $sql =~ s/%/$name =~ s{'}{''}r/er);
	is(result($name =~ s/'/''/r), all_as($owner), "started by $name: all steps are $owner\'s");
}
foreach my $role ($su, 'member')
{
	as($role, "SELECT df_restart('SET ROLE', false)");
	is(result('SET ROLE'), all_as('alice'), "restarted by $role: they are still alice's");
	my $new = as($role, "SELECT df_restart('SET ROLE')");
	is(result($new), all_as('alice'), 'under another id, too');
}
as($su, 'REINDEX INDEX alices_index; REFRESH MATERIALIZED VIEW alices_view; ANALYZE alices_indexed');
is( as($su, q{
		SELECT string_agg(DISTINCT owner::text, ' '), count(*) >= 3 FROM df_instances
		WHERE instance_id ~ '^(indexed|refreshed) '}),
	'alice|t', "what starts while a superuser maintains alice's objects is alice's");

#
# Whatever it tries
#
# each attempt in a subtransaction of its own; then, who is it?
$node->safe_psql('postgres', qq{
CREATE TABLE attempts (n int GENERATED ALWAYS AS IDENTITY, statement text);
GRANT SELECT ON attempts TO PUBLIC;
INSERT INTO attempts (statement) VALUES
	('SET ROLE $su'), ('SET LOCAL ROLE $su'), ('SET ROLE mallory'), ('RESET ROLE'),
	('SET SESSION AUTHORIZATION $su'), ('SET LOCAL SESSION AUTHORIZATION $su'),
	('RESET SESSION AUTHORIZATION'), ('SET SESSION AUTHORIZATION DEFAULT'),
	('SELECT set_config(''role'', ''$su'', false)'), ('SELECT set_config(''role'', ''none'', false)'),
	('SELECT set_config(''session_authorization'', ''$su'', false)'),
	('SELECT set_config(''is_superuser'', ''on'', false)'), ('SET is_superuser = on'),
	('ALTER ROLE alice SUPERUSER'), ('GRANT pg_write_all_data TO alice'), ('RESET ALL'), ('DISCARD ALL'),
	('SET durable_singleton.max_payload_size = 1'), ('SET durable_singleton.enabled = off'),
	('ALTER SYSTEM SET durable_singleton.enabled = off'), ('SET session_preload_libraries = evil'),
	('LOAD ''evil'''), ('COMMIT'), ('ROLLBACK'), ('SELECT pg_reload_conf()'),
	('UPDATE pg_authid SET rolsuper = true'), ('UPDATE durable_singleton.instance SET owner = 10'),
	('SELECT df_adopt_database()'), ('SELECT df_grant_usage(''alice'')'), ('CALL df_run()'),
	('CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION try_event()'),
	('SET search_path = nowhere'), ('SET work_mem = ''2MB'''), ('SET statement_timeout = 1'),
	('SET default_transaction_read_only = on'), ('SET session_replication_role = replica'),
	('LISTEN x'), ('SELECT pg_advisory_lock(4711)'), ('PREPARE left_over AS SELECT 1'),
	('DECLARE left_over CURSOR WITH HOLD FOR SELECT 1'), ('CREATE TEMP TABLE who (i int)'),
	('CREATE FUNCTION pg_temp.who(jsonb) RETURNS jsonb LANGUAGE sql AS ''SELECT ''''"fake"''''::jsonb''');
});
$node->safe_psql('postgres', q{
CREATE FUNCTION try_all() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	a record;
	found text[] := '{}';
BEGIN
	FOR a IN SELECT * FROM public.attempts ORDER BY n LOOP
		BEGIN
			EXECUTE a.statement;
		EXCEPTION WHEN OTHERS OR query_canceled THEN
			NULL;
		END;
		found := found || (public.who(NULL) #>> '{}');
	END LOOP;
	SET search_path = nowhere;
	SET ROLE none;
	RETURN to_jsonb(ARRAY(SELECT DISTINCT unnest(found) ORDER BY 1));
END $$;
CREATE FUNCTION try_activity(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT try_all() $$;
CREATE FUNCTION try_default(a jsonb DEFAULT try_all(), b int DEFAULT 1) RETURNS jsonb LANGUAGE sql AS $$ SELECT a $$;
CREATE FUNCTION try_caller(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity(input #>> '{}');
END $$;
CREATE FUNCTION try_pass(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN try_all();
END $$;
-- at the commit of the step
CREATE TABLE try_deferred (i int);
GRANT INSERT ON try_deferred TO PUBLIC;
CREATE FUNCTION try_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.try_all();
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON try_deferred DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION try_trigger();
CREATE FUNCTION try_commit(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO try_deferred VALUES (1);
	RETURN who(NULL);
END $$;
-- a type with code of its own
CREATE FUNCTION try_domain_check(text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.try_all();
	RETURN true;
END $$;
CREATE DOMAIN try_domain AS text CHECK (try_domain_check(VALUE));
CREATE FUNCTION try_typed(a try_domain) RETURNS jsonb LANGUAGE sql AS $$ SELECT public.who(NULL) $$;
CREATE FUNCTION try_typed_caller(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('try_typed', '{"a": "x"}');
END $$;
-- what is left of it for the next step of the worker
CREATE FUNCTION see_session(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('pid', pg_backend_pid(), 'who', public.who(NULL),
		'settings', (SELECT jsonb_agg(name ORDER BY name) FROM pg_settings WHERE source = 'session'),
		'path', current_setting('search_path'), 'locks', (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
		'prepared', (SELECT count(*) FROM pg_prepared_statements), 'cursors', (SELECT count(*) FROM pg_cursors WHERE name = 'left_over'),
		'temporary', (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema())) $$;
});
foreach my $role ('alice', 'mallory')
{
	my $clean;
	my $who = "\"$role/$role/off\"";

	foreach my $attack (
		[ 'nothing',            'who' ],
		[ 'the orchestrator',   'try_pass' ],
		[ 'an activity',        'try_caller', '"try_activity"' ],
		[ 'a default',          'try_caller', '"try_default"' ],
		[ 'the commit',         'try_caller', '"try_commit"' ],
		[ 'the commit of the last step', 'try_commit' ],
		[ 'the check of a type', 'try_typed_caller' ])
	{
		my ($place, $function, $input) = @$attack;
		my $id = "$role in $place";

		as($role, "SELECT df_start_singleton('$function', '$id'" . ($input ? ", '$input')" : ')'));
		like(result($id), qr/^\[?\Q$who\E\]?$/, "$role remains $role in $place");
		as($role, "SELECT df_start_singleton('see_session', 'after $id')");
		$clean //= result("after $id");
		is(result("after $id"), $clean, 'and the next step in this worker finds nothing of it');
	}
}

#
# What a superuser's instance runs
#
$node->safe_psql('postgres', q{
CREATE FUNCTION waits(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_wait_for_external_event('go');
	RETURN who(NULL);
END $$;
CREATE FUNCTION caller(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	CASE input ->> 'how'
		WHEN 'task' THEN
			RETURN df_await(df_schedule_activity(input ->> 'call', '{}'));
		WHEN 'child' THEN
			RETURN df_call_sub_orchestrator(input ->> 'call', '{}');
		ELSE
			RETURN df_call_activity(input ->> 'call', '{}');
	END CASE;
END $$;
CREATE SCHEMA own;
GRANT CREATE, USAGE ON SCHEMA own TO mallory;
CREATE FUNCTION own.waits_for(a int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_wait_for_external_event('go');
	RETURN who(NULL);
END $$;
});
as($su, qq{
	SELECT df_start_singleton('waits', 'dropped'), df_start_singleton('waits', 'given away'),
		df_start_singleton('own.waits_for', 'overloaded', '{"a": 1}')});
ok( $node->poll_query_until('postgres', "SELECT count(*) = 3 FROM df_instances WHERE waiting_for = 'event go'"),
	'instances of a superuser wait');
as('mallory', q{
	CREATE FUNCTION own.waits_for(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE mallory SUPERUSER; END $$;
	CREATE FUNCTION planted(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE mallory SUPERUSER; END $$});
# in a schema that comes first in a superuser's path by default
as('mallory', qq{
	CREATE SCHEMA "$su";
	GRANT USAGE ON SCHEMA "$su" TO PUBLIC;
	CREATE FUNCTION "$su".who(jsonb) RETURNS jsonb LANGUAGE plpgsql AS \$\$ BEGIN ALTER ROLE mallory SUPERUSER; END \$\$});
as($su, q{SELECT df_raise_event('overloaded', 'go')});
is(result('overloaded'), 'Failed 42501', 'an orchestrator that somebody overloads by a better fit does not run');
as($su, q{
	ALTER FUNCTION waits OWNER TO mallory;
	SELECT df_raise_event('given away', 'go')});
is(result('given away'), 'Failed 42501', 'nor one that has another owner now');
as('mallory', q{
	DROP FUNCTION waits;
	CREATE FUNCTION waits(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE mallory SUPERUSER; END $$});
as($su, q{SELECT df_raise_event('dropped', 'go')});
is(result('dropped'), 'Failed 42501', 'nor one that another role has replaced');
foreach my $how ('activity', 'task', 'child')
{
	foreach my $call ('planted', 'who')
	{
		as($su, qq{SELECT df_start_singleton('caller', '$how $call', '{"how": "$how", "call": "$call"}')});
		is(result("$how $call"), 'Failed 42501', "nor a function of another role as $how ($call)");
	}
}
as('mallory', qq{DROP SCHEMA "$su" CASCADE; DROP FUNCTION own.waits_for(jsonb)});
# by way of an instance of her own that a superuser restarts, or over her id
as('mallory', q{SELECT df_start_singleton('planted', 'mine')});
is(result('mine'), 'Failed 42501', 'she herself may not do what it does');
as($su, q{SELECT df_rewind('mine')});
is(result('mine'), 'Failed 42501', 'and a rewind by a superuser lets it go on as her');
is((error_of($node, 'postgres', q{SELECT df_start_singleton('planted', 'mine')}))[0], '42501', 'a superuser who starts it is refused');
is(result('mine'), 'Failed 42501', 'and runs nothing of hers');
is($node->safe_psql('postgres', "SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'"), 'f',
	'none of it has made her a superuser');
# roles that become superusers, or cease to be
$node->safe_psql('postgres', q{
	CREATE ROLE riser LOGIN;
	CREATE ROLE faller LOGIN SUPERUSER;
	SELECT df_grant_usage(r) FROM unnest('{riser,faller}'::name[]) r;
	CREATE FUNCTION waits_too(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM df_wait_for_external_event('go');
		RETURN df_call_activity('hers_now');
	END $$});
as('mallory', qq{
	CREATE FUNCTION hers(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS \$\$
	BEGIN
		PERFORM df_wait_for_external_event('go');
		RETURN who(NULL);
	END \$\$;
	-- in a session that was a superuser's this would still work
	CREATE FUNCTION hers_now(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS \$\$
	BEGIN
		SET LOCAL SESSION AUTHORIZATION "$su";
		ALTER ROLE mallory SUPERUSER;
		RETURN '"climbed"';
	EXCEPTION WHEN insufficient_privilege THEN
		RETURN who(NULL);
	END \$\$});
as('riser', "SELECT df_start_singleton('hers', 'riser')");
as('faller', "SELECT df_start_singleton('waits_too', 'faller')");
$node->poll_query_until('postgres', q{
	SELECT count(*) = 2 FROM df_instances WHERE instance_id IN ('riser', 'faller') AND waiting_for = 'event go'})
  or die 'they do not wait';
$node->safe_psql('postgres', q{
	ALTER ROLE riser SUPERUSER;
	ALTER ROLE faller NOSUPERUSER;
	SELECT df_raise_event(r, 'go') FROM unnest('{riser,faller}'::text[]) r});
is(result('riser'), 'Failed 42501', 'an owner that has become a superuser since runs nothing of others');
is(result('faller'), '"faller/faller/off"', 'and one that has ceased to be has no rights left');

#
# Roles that are hard to connect as
#
$node->safe_psql('postgres', q{ALTER SYSTEM SET durable_singleton.worker_idle_timeout = 0});
$node->reload;
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM df_stat_workers') or die 'workers stay';
my $later = $node->safe_psql('postgres', 'SHOW server_version_num') < 170000;
foreach my $case (
	[ 'CONNECTION LIMIT 0', 'CONNECTION LIMIT -1', 1 ],
	[ "VALID UNTIL '2000-01-01'", "VALID UNTIL 'infinity'", 1 ],
	[ 'NOLOGIN', 'LOGIN', !$later ],
	[ "SET role = mallory", 'RESET role', 1 ],
	[ 'SET role = pg_monitor', 'RESET role', 1 ],
	[ "SET session_authorization = mallory", 'RESET session_authorization', 1 ],
	[ 'IN DATABASE postgres SET role = mallory', 'IN DATABASE postgres RESET role', 1 ])
{
	my ($make, $unmake, $runs) = @$case;
	my $id = "role $make" =~ s/'//gr;

	$node->safe_psql('postgres', qq{
		BEGIN;
		SET LOCAL ROLE alice;
		SELECT df_start_singleton('story', '$id');
		RESET ROLE;
		ALTER ROLE alice $make;
		COMMIT});
	if (!$runs)
	{
		$node->wait_for_log(qr/FATAL: .*not permitted to log in/);
		is( as('mallory', "SELECT df_start_singleton('who', 'meanwhile $id'); SELECT output FROM df_wait_for_completion('meanwhile $id')"),
			"t\n\"mallory/mallory/off\"", "$make: others are not held up by a role that nobody can connect as");
		$node->safe_psql('postgres', "ALTER ROLE alice $unmake");
	}
	is(result($id), all_as('alice'), "ALTER ROLE alice $make: all steps run as alice" . ($runs ? '' : ' afterwards'));
	$node->safe_psql('postgres', "ALTER ROLE alice $unmake");
}
$node->safe_psql('postgres', "ALTER DATABASE postgres SET role = mallory");
$node->safe_psql('postgres', "SET ROLE none; SET ROLE alice; SELECT df_start_singleton('story', 'role of the database')");
ok( $node->poll_query_until('postgres', "SET ROLE none; SELECT output FROM df_get_status('role of the database')",
		"SET\n" . all_as('alice')), 'ALTER DATABASE ... SET role: all steps run as alice');
$node->safe_psql('postgres', "SET ROLE none; ALTER DATABASE postgres RESET role");
$node->safe_psql('postgres', q{
	BEGIN;
	SET LOCAL ROLE alice;
	SELECT df_start_singleton('story', 'renamed');
	RESET ROLE;
	ALTER ROLE alice RENAME TO alicia;
	COMMIT});
is(result('renamed'), all_as('alicia'), 'a role that is renamed goes on under its new name');

#
# Row-level security of users' tables
#
$node->safe_psql('postgres', q{
CREATE TABLE notes (owner name DEFAULT current_user, note text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = current_user);
GRANT ALL ON notes TO PUBLIC;
INSERT INTO notes VALUES ('alicia', 'hers'), ('mallory', 'mine');
CREATE FUNCTION read_notes(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_agg(note) FROM notes $$;
CREATE FUNCTION read_notes_twice(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN read_notes(NULL) || df_call_activity('read_notes');
END $$;
});
as($_, "SELECT df_start_singleton('read_notes_twice', 'notes $_')") foreach 'alicia', 'mallory';
is(result('notes alicia'), '["hers", "hers"]', 'row-level security holds in steps');
is(result('notes mallory'), '["mine", "mine"]', 'for each role');
$node->safe_psql('postgres', 'ALTER ROLE mallory SET row_security = off');
as('mallory', "SELECT df_start_singleton('read_notes_twice', 'notes mallory')");
is(result('notes mallory'), 'Failed 42501', 'and is not switched off by a setting');

finish($node);
done_testing();
