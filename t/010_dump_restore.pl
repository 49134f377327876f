# A dump contains all instances; in the restored database they do not run
# before df_adopt_database().
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "durable_singleton.rescan_interval = '1s'\n");

create_database($node, 'source');
$node->safe_psql('source', q{
CREATE TABLE ledger (instance text, step int);
CREATE FUNCTION step(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	INSERT INTO ledger VALUES ($1 ->> 'id', ($1 ->> 'step')::int)
	RETURNING to_jsonb(step) $$;
CREATE FUNCTION orders(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	data jsonb := '[]';
BEGIN
	data := data || df_call_activity('step',
		jsonb_build_object('id', df_instance_id(), 'step', 1));
	PERFORM df_set_custom_status('"half way"');
	data := data || df_wait_for_external_event('go');
	data := data || df_wait_for_external_event('go');
	data := data || df_call_activity('step',
		jsonb_build_object('id', df_instance_id(), 'step', 2));
	RETURN data;
END $$;
CREATE FUNCTION broken(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'broken';
END $$;
CREATE FUNCTION timed(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('5 ms');
	PERFORM df_call_activity('step',
		jsonb_build_object('id', df_instance_id(), 'step', 1));
	RETURN NULL;
END $$;

SELECT df_start_singleton('orders', 'order ' || n, to_jsonb(n)) FROM generate_series(1, 5) n;
SELECT df_start_singleton('broken', 'broken');
SELECT df_start_singleton('timed', 'later', start_at => now() + interval '1 day');
SELECT df_expose_http('orders');
});
ok( $node->poll_query_until('source', q{
		SELECT count(*) = 5 FROM df_instances WHERE waiting_for = 'event go'}),
	'instances wait');
ok(wait_status($node, 'source', 'broken', 'Failed'), 'one has failed');

# Past executions, an ended instance with its history, an event in the inbox
$node->safe_psql('source', q{
	SELECT df_raise_event('order 1', 'go', '"a"'), df_raise_event('order 1', 'go', '"b"')});
ok(wait_status($node, 'source', 'order 1', 'Completed'), 'one has completed');
$node->safe_psql('source', q{
	SELECT df_start_singleton('orders', 'order 1');
	SELECT df_raise_event('order 2', 'go', '"first"');
	SELECT df_raise_event('order 3', 'other', '"kept"')});
ok( $node->poll_query_until('source', q{
		SELECT count(*) = 5 FROM df_instances WHERE waiting_for = 'event go'}),
	'all wait again');

$node->safe_psql('postgres', 'CREATE DATABASE target');
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('source') ],
	'pg_dump works');
my $mark = -s $node->logfile;
$node->command_ok(
	[
		'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump,
		'-d',   $node->connstr('target')
	],
	'the dump can be restored');

my %content = (
	'instances' => 'SELECT * FROM df_instances ORDER BY instance_id',
	'history' =>
	  'SELECT * FROM df_history ORDER BY instance_id, execution_id, seq',
	'functions exposed over HTTP' => 'SELECT * FROM df_http_functions',
	'past executions' => 'SELECT * FROM df_executions ORDER BY execution_id');
foreach my $what (sort keys %content)
{
	my $expected = $node->safe_psql('source', $content{$what});

	isnt($expected, '', "there is something: $what");
	is($node->safe_psql('target', $content{$what}),
		$expected, "the copy has the same: $what");
}

#
# The original goes on, the copy does not
#
ok($node->wait_for_log(qr/WARNING:.*paused/, $mark), 'the copy warns that it is paused');
my $resting = $node->safe_psql('target', $content{instances});
$node->safe_psql('target', q{
	SELECT df_raise_event('order 2', 'go', '"second"')});
$node->safe_psql('source', q{
	SELECT df_raise_event('order 2', 'go', '"second"')});
ok(wait_status($node, 'source', 'order 2', 'Completed'), 'the original goes on');
is($node->safe_psql('target', $content{instances}),
	$resting, 'the copy is paused, with an event that came since');
ok($node->poll_query_until('target', "SELECT count(*) = 0 FROM pg_stat_activity
		WHERE datname = 'target' AND pid <> pg_backend_pid()"),
	'no worker stays in the copy');

$node->safe_psql('target', 'SELECT df_adopt_database()');
is( $node->safe_psql('target', q{
		SELECT output FROM df_wait_for_completion('order 2')}),
	'[1, "first", "second", 2]',
	'df_adopt_database() sets it going, with the events from before and after');
$node->safe_psql('target', q{
	SELECT df_raise_event(instance_id, 'go', '"x"') FROM df_instances, generate_series(1, 2)
	WHERE waiting_for = 'event go'});
ok( $node->poll_query_until('target', q{
		SELECT count(*) = 5 FROM df_instances
		WHERE name = 'orders' AND runtime_status = 'Completed'}),
	'all instances of the copy can be finished');
is( $node->safe_psql('target', q{
		SELECT instance, step, count(*) FROM ledger
		WHERE instance <> 'order 1' GROUP BY 1, 2 HAVING count(*) <> 1}),
	'',
	'what was done before the dump is not done again');
is( $node->safe_psql('target', "SELECT runtime_status, next_wake_time > now()
		FROM df_instances WHERE instance_id = 'later'"),
	'Pending|t',
	'what is not due yet is still to come');
is( $node->safe_psql('target', q{
		SELECT df_start_singleton('timed', 'new');
		SELECT runtime_status FROM df_wait_for_completion('new')}),
	"t\nCompleted",
	'new instances run in the copy');
is( $node->safe_psql('source', q{
		SELECT runtime_status, count(*) FROM df_instances
		WHERE name = 'orders' GROUP BY 1 ORDER BY 1}),
	"Running|4\nCompleted|1",
	'the copy has not touched the original');

finish($node);
done_testing();
