# Rows from another database do not run before df_adopt_database(), however
# they are loaded, even during the load.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', init => { allows_streaming => 'logical' },
	conf => "durable_singleton.rescan_interval = '1s'\nmax_connections = 30\nmax_worker_processes = 16\n");
my $dir = PostgreSQL::Test::Utils::tempdir;

create_database($node, 'source');
$node->safe_psql('source', q{
CREATE TABLE ledger (instance text, step int);
CREATE FUNCTION step(id text, n int) RETURNS int LANGUAGE sql AS $$
	INSERT INTO public.ledger VALUES (id, n) RETURNING n $$;
CREATE FUNCTION do_step(n int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT public.df_call_activity('public.step', jsonb_build_object('id', public.df_instance_id(), 'n', n)) $$;
-- waits for an event, for a time that is over when it is restored, for tasks
CREATE FUNCTION event(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.do_step(1);
	PERFORM public.df_wait_for_external_event('go');
	RETURN public.do_step(2);
END $$;
CREATE FUNCTION timer(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.do_step(1);
	PERFORM public.df_create_timer('1 second');
	RETURN public.do_step(2);
END $$;
CREATE FUNCTION parent(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[] := ARRAY[public.df_schedule_sub_orchestrator('public.event', NULL, 'child'),
		public.df_schedule_activity('public.step', '{"id": "parent", "n": 1}')];
BEGIN
	RETURN public.df_wait_all(tasks);
END $$;
CREATE ROLE app LOGIN;
GRANT ALL ON ledger TO app;
SELECT df_grant_usage('app');
ALTER DATABASE source SET durable_singleton.keep_executions = 3;
ALTER ROLE app IN DATABASE source SET durable_singleton.step_commit = 'on';
SELECT df_start_singleton('event', 'event'), df_start_singleton('timer', 'timer'),
	df_start_singleton('parent', 'parent');
SET ROLE app;
SELECT df_start_singleton('event', 'of app');
});
ok($node->poll_query_until('source', q{
		SELECT (SELECT count(*) = 3 FROM df_instances WHERE waiting_for = 'event go')
			AND (SELECT count(*) = 5 FROM ledger)}),
	'instances wait');
$node->safe_psql('source', q{
	SELECT df_suspend('timer');
	ALTER DATABASE source SET durable_singleton.enabled = off});
ok($node->poll_query_until('source', "SELECT count(*) = 0 FROM df_stat_workers WHERE database = 'source'"),
	'the workers leave');
$node->safe_psql('source', q{SELECT df_resume('timer')});
my $content = q{
	SELECT instance_id, execution_id, owner, runtime_status, waiting_for, next_wake_time,
		parent_instance_id FROM df_instances ORDER BY 1};
my $all = $node->safe_psql('source', $content);
my $history = $node->safe_psql('source', 'SELECT * FROM df_history ORDER BY instance_id, execution_id, seq');

#
# All formats
#
my @pg_dump = ('pg_dump', '-d', $node->connstr('source'));
command_ok([ @pg_dump, '-Fc', '-f', "$dir/custom" ], 'pg_dump -Fc');
command_ok([ @pg_dump, '-Fd', '-j2', '-f', "$dir/directory" ], 'pg_dump -Fd -j2');
command_ok([ @pg_dump, '-Fp', '-f', "$dir/plain" ], 'pg_dump -Fp');
command_ok([ @pg_dump, '-Fp', '-C', '-f', "$dir/create" ], 'pg_dump -C');

my $n_copies = 0;

restore('custom', 'pg_restore', '-e', "$dir/custom");
goes_on(restore('directory, -j', 'pg_restore', '-e', '-j3', "$dir/directory"), 'directory, -j');
restore('one transaction', 'pg_restore', '-1', "$dir/custom");
restore('plain', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/plain");
goes_on(
	restore('by sections',
		map { [ 'pg_restore', '-e', "--section=$_", "$dir/custom" ] } qw(pre-data data post-data)),
	'by sections');

#
# A restore that ends half way, and is completed
#
my $copy = new_copy();
my $mark = -s $node->logfile;
$node->safe_psql('postgres', 'ALTER ROLE app RENAME TO other');
$node->command_fails([ 'pg_restore', '-d', $node->connstr($copy), "$dir/custom" ],
	'restore without a role fails');
$node->safe_psql('postgres', 'ALTER ROLE other RENAME TO app');
ok($node->wait_for_log(qr/"$copy" are paused/, $mark), 'what there is rests, without instances');
is($node->safe_psql($copy, 'SELECT count(*) FROM df_instances'), 0, 'there are none');
$node->command_ok(
	[
		'pg_restore', '-d', $node->connstr($copy), '-e', '--data-only',
		'-n', 'durable_singleton', '-t', 'instance', "$dir/custom"
	],
	'they come later');
is($node->safe_psql($copy, $content), $all, 'all of them');
$node->safe_psql($copy, q{GRANT ALL ON ledger TO app; SELECT df_grant_usage('app')});
goes_on($copy, 'half way');

# Instances come in before, or without, what says where they are from.
$copy = new_copy();
$node->command_ok([ 'pg_restore', '-d', $node->connstr($copy), '-e', '--section=pre-data', "$dir/custom" ],
	'tables only');
foreach my $table ('history', 'instance', 'task', 'inbox')
{
	$node->command_ok(
		[
			'pg_restore', '-d', $node->connstr($copy), '-e', '--data-only',
			'-n', 'durable_singleton', '-t', $table, "$dir/custom"
		],
		"data of $table");
}
# New instances of its own run there, whatever else has come.
is($node->safe_psql($copy, q{
		SELECT df_start_singleton('timer', 'new');
		SELECT runtime_status FROM df_wait_for_completion('new')}),
	"t\nCompleted", 'what starts there runs');
is($node->safe_psql($copy, q{SELECT DISTINCT instance FROM ledger}),
	'new', 'the instances from elsewhere rest');
$node->command_ok([ 'pg_restore', '-d', $node->connstr($copy), '-e', '--data-only', '-t', 'ledger', "$dir/custom" ],
	'data of the user');
$node->safe_psql($copy, q{DELETE FROM ledger WHERE instance = 'new'; SELECT df_purge('new')});
goes_on($copy, 'without a home');

# Back into the database that it was taken from: it may just be half restored.
$mark = -s $node->logfile;
$node->safe_psql('source', 'ALTER DATABASE source RESET durable_singleton.enabled');
$node->command_ok([ 'pg_restore', '-d', $node->connstr('source'), '-e', '--clean', '--if-exists', "$dir/custom" ],
	'restore over the original');
ok($node->wait_for_log(qr/"source" are paused/, $mark), 'it rests, too');
is($node->safe_psql('source', $content), $all, 'with all instances');
goes_on('source', 'over the original');

#
# pg_dumpall, in another cluster
#
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->append_conf('postgresql.conf', "shared_preload_libraries = 'durable_singleton'\n");
$other->start;
$node->safe_psql('postgres', 'DROP DATABASE source');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/create", '-d', $node->connstr('postgres') ],
	'restore of pg_dump -C');
$node->command_ok([ 'pg_dumpall', '-f', "$dir/all", '-d', $node->connstr('postgres') ], 'pg_dumpall');
$other->command_ok([ 'psql', '-Xq', '-f', "$dir/all", '-d', $other->connstr('postgres') ],
	'restore of it');
foreach my $server ($node, $other)
{
	is($server->safe_psql('source', q{
			SELECT pg_get_userbyid(setrole), unnest(setconfig) FROM pg_db_role_setting
			WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = 'source') ORDER BY 1, 2}),
		"app|durable_singleton.step_commit=on\nunknown (OID=0)|durable_singleton.enabled=off\nunknown (OID=0)|durable_singleton.keep_executions=3",
		'settings of database and role came with it: ' . $server->name);
	is($server->safe_psql('source', $content), $all, 'and all instances');
	$server->safe_psql('source', 'ALTER DATABASE source RESET durable_singleton.enabled');
	ok($server->wait_for_log(qr/"source" are paused/), 'they rest');
}
goes_on('source', 'in another cluster', $other);

#
# A subscriber of all tables
#
$node->safe_psql('postgres', 'CREATE DATABASE subscriber TEMPLATE template0');
command_ok([ @pg_dump, '-s', '-f', "$dir/schema" ], 'schema');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/schema", '-d', $node->connstr('subscriber') ],
	'the schema of the subscriber');
$mark = -s $node->logfile;
$node->safe_psql('source', q{
	CREATE PUBLICATION everything FOR ALL TABLES;
	SELECT pg_create_logical_replication_slot('everything', 'pgoutput')});
my $connection = $node->connstr('source');
$connection =~ s/'/''/g;
$node->safe_psql('subscriber', qq{
	CREATE SUBSCRIPTION everything CONNECTION '$connection' PUBLICATION everything
	WITH (create_slot = false, slot_name = everything)});
$node->wait_for_subscription_sync($node, 'everything', 'subscriber');
ok($node->wait_for_log(qr/"subscriber" are paused/, $mark), 'the subscriber rests');
is($node->safe_psql('subscriber', $content), $node->safe_psql('source', $content), 'it has all instances');
# The publisher goes on; what happens there arrives, and happens once.
goes_on('source', 'publisher');
$node->wait_for_catchup('everything');
is($node->safe_psql('subscriber', $content), $node->safe_psql('source', $content), 'what happens arrives');
is($node->safe_psql('subscriber', 'SELECT count(*), count(DISTINCT (instance, step)) FROM ledger'),
	'9|9', 'and has happened once');
# It takes over: no more comes, and what waits goes on there.
$node->safe_psql('source', q{SELECT df_start_singleton('event', 'moves')});
ok($node->poll_query_until('source', q{
		SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'moves'}),
	'one more waits');
# Untaken messages have ids that the subscriber's own sequence knows nothing of.
$node->safe_psql('source', q{SELECT df_raise_event('moves', 'early', to_jsonb(n)) FROM generate_series(1, 40) n});
$node->wait_for_catchup('everything');
$node->safe_psql('subscriber', q{
	ALTER SUBSCRIPTION everything DISABLE;
	ALTER SUBSCRIPTION everything SET (slot_name = NONE);
	DROP SUBSCRIPTION everything;
	SELECT df_adopt_database();
	SELECT df_raise_event('moves', 'late') FROM generate_series(1, 40);
	SELECT df_raise_event('moves', 'go')});
ok(wait_status($node, 'subscriber', 'moves', 'Completed'), 'adopted, it goes on with them');
is($node->safe_psql('source', q{SELECT runtime_status FROM df_get_status('moves')}),
	'Running', 'and the publisher does not know');

finish($node);
finish($other);
done_testing();

sub new_copy
{
	my $copy = 'copy' . ++$n_copies;

	$node->safe_psql('postgres', "CREATE DATABASE $copy TEMPLATE template0");
	return $copy;
}

# Into a new database, which it returns; one command or several
sub restore
{
	my ($name, @command) = @_;
	my $copy = new_copy();
	my $mark = -s $node->logfile;

	@command = ([@command]) unless ref $command[0];
	$node->command_ok([ @$_, '-d', $node->connstr($copy) ], "restore: $name") foreach @command;
	ok($node->wait_for_log(qr/"$copy" are paused/, $mark), "the log says that it is paused: $name");
	is($node->safe_psql($copy, $content), $all, "it has all instances: $name");
	is($node->safe_psql($copy, 'SELECT * FROM df_history ORDER BY instance_id, execution_id, seq'),
		$history, "and their history: $name");
	return $copy;
}

# Adopts the database, in which nothing must have moved until now.
sub goes_on
{
	my ($database, $name, $server) = @_;

	$server //= $node;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($server->safe_psql($database, 'SELECT count(*) FROM ledger'), 5, "nothing has moved: $name");
	$server->safe_psql($database, 'SELECT df_adopt_database()');
	ok(wait_status($server, $database, 'timer', 'Completed'), "adopted, a timer that is over fires: $name");
	$server->safe_psql($database, q{
		SELECT df_raise_event(instance_id, 'go') FROM df_instances WHERE waiting_for = 'event go'});
	ok(wait_ended($server, $database, '%'), "and all come to their ends: $name");
	is($server->safe_psql($database, q{
			SELECT string_agg(DISTINCT runtime_status::text, ' ') FROM df_instances}),
		'Completed', "good ones: $name");
	is($server->safe_psql($database, q{
			SELECT instance, string_agg(step::text, ' ' ORDER BY step) FROM ledger GROUP BY 1 ORDER BY 1}),
		"child|1 2\nevent|1 2\nof app|1 2\nparent|1\ntimer|1 2", "each step once: $name");
	return;
}
