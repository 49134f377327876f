# From 1.0 to the version that is tested while 1,000 instances run and clients
# start more: new files, a restart, ALTER EXTENSION UPDATE, and nothing is lost
# or done twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use ReleasedVersion;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $missing = why_no_release('1.0');
plan skip_all => $missing if $missing;

my $instances = 1000;
my $version = tested_version();
my $node = released_server('main', '1.0', conf => "durable_singleton.rescan_interval = '5s'\n");

$node->safe_psql('postgres', q{
CREATE EXTENSION durable_singleton;
CREATE SEQUENCE client_starts;
-- what clients were told, in the transaction of the start
CREATE TABLE started (instance text);
CREATE TABLE ledger (instance text, step int);
CREATE FUNCTION step(id text, n int) RETURNS int LANGUAGE sql AS $$
	INSERT INTO ledger VALUES (id, n) RETURNING n $$;
CREATE FUNCTION child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'n', 1));
END $$;
-- six steps of its own, and one of a child
CREATE FUNCTION work(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	id text := df_instance_id();
	t int[];
BEGIN
	FOR n IN 1..2 LOOP
		PERFORM df_call_activity('step', jsonb_build_object('id', id, 'n', n));
	END LOOP;
	PERFORM df_create_timer(make_interval(secs => (input->>'pause')::float));
	t := ARRAY[df_schedule_activity('step', jsonb_build_object('id', id, 'n', 3)),
		df_schedule_activity('step', jsonb_build_object('id', id, 'n', 4)),
		df_schedule_sub_orchestrator('child', NULL, 'child of ' || id)];
	PERFORM df_wait_all(t);
	PERFORM df_wait_for_external_event('go');
	FOR n IN 5..6 LOOP
		PERFORM df_call_activity('step', jsonb_build_object('id', id, 'n', n));
	END LOOP;
	RETURN '6';
END $$;
});

# Starts an instance, and looks at another one.
my $script = PostgreSQL::Test::Utils::tempdir . '/clients.sql';
append_to_file($script, q{
\set n random(1, 1000)
BEGIN;
SELECT nextval('client_starts') AS i \gset
SELECT df_start_singleton('child', 'client ' || :i);
INSERT INTO started VALUES ('client ' || :i);
COMMIT;
SELECT runtime_status FROM df_get_status('work ' || :n);
});
my $steps = q{SELECT count(*) FROM ledger WHERE instance LIKE 'work %'};
my $events = qq{SELECT count(df_raise_event('work ' || n, 'go')) FROM generate_series(%d, %d) n};

$node->safe_psql('postgres', qq{
	SELECT count(df_start_singleton('work', 'work ' || n, jsonb_build_object('pause', n % 20 * 0.5)))
	FROM generate_series(1, $instances) n});
$node->safe_psql('postgres', sprintf($events, 1, 250));
ok($node->poll_query_until('postgres', "SELECT ($steps) >= 500"), 'the library of 1.0 has done some steps');

install_tested_version($node);
$node->restart;
my ($stdout, $stderr) = ('', '');
my $clients = IPC::Run::start([
		$node->installed_command('pgbench'), '-n', '-c', '4', '-T', '20', '-f', $script,
		$node->connstr('postgres') ], '<', \undef, '>', \$stdout, '2>', \$stderr);
$node->safe_psql('postgres', sprintf($events, 251, 500));
my $before = $node->safe_psql('postgres', $steps);
my $clients_before = $node->safe_psql('postgres', 'SELECT count(*) FROM started');
ok($node->poll_query_until('postgres', "SELECT ($steps) >= $before + 200 AND (SELECT count(*) FROM started) > $clients_before"),
	'the new library goes on with the tables of 1.0');
my $at_update = $node->safe_psql('postgres', $steps);
my (undef, $milliseconds) = timed($node, 'postgres', 'ALTER EXTENSION durable_singleton UPDATE');
is($node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'durable_singleton'}),
	$version, 'ALTER EXTENSION UPDATE under load');
cmp_ok($at_update, '<', 6 * $instances, "it runs between steps: $at_update are done");
$clients_before = $node->safe_psql('postgres', 'SELECT count(*) FROM started');
$node->safe_psql('postgres', sprintf($events, 501, $instances));
ok($node->poll_query_until('postgres', "SELECT count(*) > $clients_before FROM started"), 'clients go on');
IPC::Run::finish($clients);
is(join("\n", $stderr =~ /^.*(?:ERROR|error|aborted).*$/mg), '', 'no client saw an error');
like($stdout, qr/number of failed transactions: 0 /, 'no transaction of theirs failed');
ok($node->poll_query_until('postgres', q{
		SELECT bool_and(runtime_status NOT IN ('Pending', 'Running')) FROM df_instances}), 'all end')
  or diag($node->safe_psql('postgres', q{SELECT runtime_status, waiting_for, count(*) FROM df_instances GROUP BY 1, 2}));

my $completed = $node->safe_psql('postgres', q{
	SELECT count(*) FROM df_instances WHERE instance_id LIKE 'work %' AND runtime_status = 'Completed' AND output = '6'});
my $lost = $node->safe_psql('postgres', qq{
	WITH expected AS (
		SELECT 'work ' || n AS instance, step FROM generate_series(1, $instances) n, generate_series(1, 6) step
		UNION ALL SELECT 'child of work ' || n, 1 FROM generate_series(1, $instances) n
		UNION ALL SELECT instance, 1 FROM started)
	SELECT count(*) FROM expected e WHERE NOT EXISTS (
		SELECT FROM ledger l WHERE l.instance = e.instance AND l.step = e.step)});
my $doubled = $node->safe_psql('postgres', q{
	SELECT count(*) FROM (SELECT FROM ledger GROUP BY instance, step HAVING count(*) > 1) x});
my $unknown = $node->safe_psql('postgres', q{
	SELECT count(*) FROM ledger l WHERE instance LIKE 'client %'
		AND NOT EXISTS (SELECT FROM started s WHERE s.instance = l.instance)});
my $n_started = $node->safe_psql('postgres', 'SELECT count(*) FROM started');

is($completed, $instances, 'all instances have completed');
is($lost, 0, 'no step is lost');
is($doubled, 0, 'no step is doubled');
is($unknown, 0, 'no start that was rolled back has run');
measured(sprintf '%d of %d instances completed, and %d started by clients meanwhile; steps lost %d, doubled %d; '
	  . 'ALTER EXTENSION UPDATE took %d ms after %d of %d steps',
	$completed, $instances, $n_started, $lost, $doubled, $milliseconds, $at_update, 6 * $instances);
finish($node);
done_testing();
