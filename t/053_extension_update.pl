# ALTER EXTENSION UPDATE while instances are active: workers and sessions
# continue; tables of a version that does not match the library give a clear
# error.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "durable_singleton.rescan_interval = '1s'\n");

# The installed extension, with scripts beside it that lead to new versions
my $dir = PostgreSQL::Test::Utils::tempdir_short;
my ($setting, $path) = split /\|/, $node->safe_psql('postgres', q{
	SELECT name, setting FROM pg_settings
	WHERE name IN ('extension_destdir', 'extension_control_path')
		AND setting NOT IN ('', '$system')});
plan skip_all => 'the extension is in the folder of the server'
  unless defined $setting;
my ($installed) = $path =~ /^([^:]*)/;
$dir .= '/ext';
# links: the server must know the library as the one that it has loaded
system('cp', '-rs', $installed, $dir) == 0 or die 'cp';
my ($control) = map { chomp; $_ } `find $dir/ -name durable_singleton.control`;
my $scripts = $control =~ s!/[^/]*$!!r;
my ($version) = slurp_file($control) =~ /^default_version = '(.*)'/m;
# one that changes nothing of what the library needs
append_to_file("$scripts/durable_singleton--$version--$version.1.sql", qq{
ALTER TABLE durable_singleton.instance SET (fillfactor = 80);
ALTER TABLE durable_singleton.instance ALTER COLUMN input SET STORAGE EXTERNAL;
CREATE INDEX instance_name ON durable_singleton.instance (name);
COMMENT ON FUNCTION df_start_singleton IS 'updated';
CREATE FUNCTION df_version() RETURNS text LANGUAGE sql AS \$\$ SELECT '$version.1' \$\$;
CREATE OR REPLACE VIEW df_updated AS SELECT instance_id FROM df_instances;
});
# and one that another library would need, there and back
append_to_file("$scripts/durable_singleton--$version.1--2.0.sql", q{
ALTER TABLE durable_singleton.instance RENAME COLUMN n_archived TO n_past;
});
append_to_file("$scripts/durable_singleton--$version--3.0.sql", q{
ALTER TABLE durable_singleton.instance ADD COLUMN priority int;
});
append_to_file("$scripts/durable_singleton--2.0--2.1.sql", q{
ALTER TABLE durable_singleton.instance RENAME COLUMN n_past TO n_archived;
});
$path =~ s/^\Q$installed\E/$dir/;
$node->append_conf('postgresql.conf', "$setting = '$path'\n");
$node->reload;
$node->poll_query_until('postgres', "SHOW $setting", $path)
  or die 'the new versions are not there';

my $functions = q{
CREATE TABLE ledger (instance text, step int);
CREATE FUNCTION step(id text, n int) RETURNS int LANGUAGE sql AS $$
	SELECT pg_advisory_xact_lock_shared(n);
	INSERT INTO ledger VALUES (id, n) RETURNING n $$;
CREATE FUNCTION do_step(n int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'n', n)) $$;
CREATE FUNCTION held(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_array(do_step(1), do_step(2));
END $$;
CREATE FUNCTION event(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(3);
	PERFORM df_wait_for_external_event('go', '1 hour');
	RETURN do_step(4);
END $$;
CREATE FUNCTION round(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(5);
	IF NOT EXISTS (SELECT FROM df_stat_workers) THEN
		RETURN input;
	END IF;
	PERFORM df_continue_as_new(to_jsonb((input #>> '{}')::int + 1));
	RETURN NULL;
END $$;
CREATE FUNCTION ready(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
};
$node->safe_psql('postgres', $functions);
my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(1)');
# Sessions that have used the extension, and one in a transaction
my $session = $node->background_psql('postgres');
$session->query_safe(q{SELECT df_start_singleton('ready', 'first', '1')});
$node->safe_psql('postgres', q{
	SELECT df_start_singleton('held', 'held'), df_start_singleton('event', 'event'),
		df_start_singleton('round', 'round', '0')});
ok(wait_in_activity($node, 'postgres', 'held'), 'a step is under way');
ok($node->poll_query_until('postgres', q{
		SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'event'}),
	'an instance waits');
my $worker = q{SELECT pid FROM df_stat_workers WHERE instance_id = 'held'};
my $pid = $node->safe_psql('postgres', $worker);

#
# An update that the library can do with
#
my (undef, $milliseconds) =
  timed($node, 'postgres', qq{ALTER EXTENSION durable_singleton UPDATE TO '$version.1'});
note "ALTER EXTENSION UPDATE: $milliseconds ms";
cmp_ok($milliseconds, '<', 2000, 'ALTER EXTENSION UPDATE does not wait for a step');
is($node->safe_psql('postgres', 'SELECT df_version()'), "$version.1", 'the new version is there');
is($node->safe_psql('postgres', $worker), $pid, 'the step goes on');
my $before = $node->safe_psql('postgres', q{SELECT input FROM df_instances WHERE instance_id = 'round'});
ok($node->poll_query_until('postgres', qq{
		SELECT (input #>> '{}')::int > $before + 5 FROM df_instances WHERE instance_id = 'round'}),
	'the instance that never waits goes on');
$gate->query_safe('SELECT pg_advisory_unlock(1)');
is($node->safe_psql('postgres', q{SELECT output FROM df_wait_for_completion('held')}),
	'[1, 2]', 'the step ends, and the next one');
is($session->query_safe(q{
		SELECT df_raise_event('event', 'go');
		SELECT output FROM df_wait_for_completion('event')}),
	"\n4", 'a session from before reaches an instance from before');
is($session->query_safe(q{
		SELECT df_start_singleton('ready', 'first', '2');
		SELECT output FROM df_wait_for_completion('first')}),
	"t\n2", 'and starts');
is($node->safe_psql('postgres', q{
		SELECT instance, string_agg(step::text, ' ' ORDER BY step) FROM ledger
		WHERE instance <> 'round' GROUP BY 1 ORDER BY 1}),
	"event|3 4\nheld|1 2", 'each step has run once');
$node->safe_psql('postgres', q{SELECT df_terminate('round')});

# One that is rolled back has not happened.
$node->safe_psql('postgres', q{
	BEGIN; ALTER EXTENSION durable_singleton UPDATE TO '2.0'; ROLLBACK});
is($node->safe_psql('postgres', q{
		SELECT df_start_singleton('ready', 'first', '3');
		SELECT output FROM df_wait_for_completion('first')}),
	"t\n3", 'after an update that was rolled back, instances run');

#
# An update that needs another library
#
$gate->query_safe('SELECT pg_advisory_lock(1)');
$node->safe_psql('postgres', q{
	SELECT df_start_singleton('held', 'held again'), df_start_singleton('event', 'event again')});
ok(wait_in_activity($node, 'postgres', 'held again'), 'a step is under way');
ok($node->poll_query_until('postgres', q{
		SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'event again'}),
	'an instance waits');
$node->safe_psql('postgres', q{ALTER EXTENSION durable_singleton UPDATE TO '2.0'});
foreach my $call (
	q{SELECT df_start_singleton('ready', 'new')},
	q{SELECT df_start_singleton('ready', 'first')},
	q{SELECT df_raise_event('event again', 'go')},
	q{SELECT df_get_status('event again')},
	q{SELECT df_wait_for_completion('event again')},
	q{SELECT df_terminate('event again')},
	q{SELECT df_purge('first')})
{
	my ($sqlstate, $message, $hint) = error_of($node, 'postgres', $call);

	is("$sqlstate $message; $hint",
		'55000 tables of extension "durable_singleton" do not match the version of its library; '
		  . 'Install the library of version 2.0 and restart the server.',
		"told: $call");
}
$gate->query_safe('SELECT pg_advisory_unlock(1)');
$node->safe_psql('postgres', q{ALTER EXTENSION durable_singleton UPDATE TO '2.1'});
is($node->safe_psql('postgres', q{
		SELECT output FROM df_wait_for_completion('held again');
		SELECT df_raise_event('event again', 'go');
		SELECT output FROM df_wait_for_completion('event again')}),
	"[1, 2]\n\n4", 'when they fit again, both go on');
is($node->safe_psql('postgres', q{
		SELECT instance, string_agg(step::text, ' ' ORDER BY step) FROM ledger
		WHERE instance LIKE '% again' GROUP BY 1 ORDER BY 1}),
	"event again|3 4\nheld again|1 2", 'each step once');

# A step that is under way when the tables get another column
create_database($node, 'other');
$node->safe_psql('other', $functions);
my $other_gate = $node->background_psql('other');
$other_gate->query_safe('SELECT pg_advisory_lock(1)');
$node->safe_psql('other', q{SELECT df_start_singleton('held', 'held')});
ok(wait_in_activity($node, 'other', 'held'), 'a step is under way in another database');
my $mark = -s $node->logfile;
$node->safe_psql('other', q{ALTER EXTENSION durable_singleton UPDATE TO '3.0'});
$other_gate->query_safe('SELECT pg_advisory_unlock(1)');
ok($node->wait_for_log(qr/tables of extension "durable_singleton" do not match the version/, $mark),
	'the log tells of the step that cannot be written');
ok($node->poll_query_until('postgres', q{
		SELECT count(*) = 0 FROM df_stat_workers WHERE instance_id IS NOT NULL}),
	'no worker is stuck in it');
is($node->safe_psql('other', q{SELECT count(*) FROM ledger}), 0, 'the step is undone');

# Also after a restart the instance waits, without a worker that tries, and the
# log tells of it once.
$other_gate->quit;
$gate->quit;
$session->quit;
$mark = -s $node->logfile;
$node->restart;
my $waits = qr/WARNING:  .*orchestrations in database "other" wait because their tables do not match the version of the library/;
ok($node->wait_for_log($waits, $mark), 'the log tells of the database that waits');
my $n_transactions = q{SELECT xact_commit FROM pg_stat_database WHERE datname = 'other'};
my $first = $node->safe_psql('postgres', $n_transactions);
ok($node->poll_query_until('postgres', "SELECT ($n_transactions) >= $first + 6"),
	'janitors have looked again');
my @told = grep { /durable_singleton|orchestrations|of another version/ }
  split /\n/, slurp_file($node->logfile, $mark);
is(scalar(grep { /$waits/ } @told), 1, 'the log tells of it once');
is(scalar(grep { /ERROR|FATAL/ } @told), 0, 'no worker tries in vain') or diag(join "\n", @told);
is($node->safe_psql('postgres', q{
		SELECT count(*) FROM df_stat_workers WHERE database = 'other'}), 0, 'none is there');
is($node->safe_psql('postgres', q{
		SELECT df_start_singleton('ready', 'first', '4');
		SELECT output FROM df_wait_for_completion('first')}),
	"t\n4", 'other databases go on');
$node->safe_psql('other', 'DROP EXTENSION durable_singleton');
$node->safe_psql('other', 'CREATE EXTENSION durable_singleton');
is($node->safe_psql('other', q{
		SELECT df_start_singleton('ready', 'new', '5');
		SELECT output FROM df_wait_for_completion('new')}),
	"t\n5", 'and so does this one with tables that fit');

finish($node);
done_testing();
