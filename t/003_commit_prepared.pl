# A start in a prepared transaction runs soon after COMMIT PREPARED and never
# before.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "max_prepared_transactions = 10\n");

$node->safe_psql('postgres', q{
CREATE TABLE ledger (instance text);
CREATE FUNCTION note_down(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	INSERT INTO ledger VALUES ($1 #>> '{}') RETURNING NULL::jsonb $$;
CREATE FUNCTION noting(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('note_down', to_jsonb(df_instance_id()));
END $$;
CREATE FUNCTION waiting(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
});
rescan_off($node);

sub entries
{
	my ($id) = @_;

	return $node->safe_psql('postgres',
		"SELECT count(*) FROM ledger WHERE instance = '$id'");
}

sub prepare
{
	my ($name, $sql) = @_;

	$node->safe_psql('postgres', "BEGIN; $sql; PREPARE TRANSACTION '$name'");
	return;
}

# Proves that workers had their chance: an instance that is started now runs
# to its end.
sub let_workers_run
{
	my ($id) = @_;

	$node->safe_psql('postgres', "SELECT df_start_singleton('noting', '$id')");
	wait_status($node, 'postgres', $id, 'Completed')
	  or die "instance $id does not end";
	return;
}

# COMMIT PREPARED to the end of the instance, seen by one session
sub commit_prepared
{
	my ($name, $id) = @_;

	return timed($node, 'postgres', qq{
		COMMIT PREPARED '$name';
		SELECT runtime_status FROM df_wait_for_completion('$id', '20 s')});
}

prepare('plain', "SELECT df_start_singleton('noting', 'plain')");
let_workers_run('bystander 1');
is(entries('plain'), 0, 'nothing has run after PREPARE TRANSACTION');
is($node->safe_psql('postgres', "SELECT count(*) FROM df_get_status('plain')"),
	0, 'the prepared instance is not visible');

my ($sqlstate) = error_of($node, 'postgres',
	"SET lock_timeout = '100ms'; SELECT df_start_singleton('noting', 'plain')");
is($sqlstate, '55P03',
	'another starter of the id waits for the end of the prepared transaction');

my ($status, $milliseconds) = commit_prepared('plain', 'plain');
note "COMMIT PREPARED to completion: $milliseconds ms";
is($status, 'Completed', 'the instance runs after COMMIT PREPARED');
cmp_ok($milliseconds, '<', 1000, 'it has run within a second');
is(entries('plain'), 1, 'its activity has run once');

foreach my $mode ('fast', 'immediate')
{
	my $id = "over $mode";

	prepare($mode, "SELECT df_start_singleton('noting', '$id')");
	$node->stop($mode);
	$node->start;
	let_workers_run("bystander $mode");
	is(entries($id), 0, "nothing has run after a restart ($mode)");
	($status, $milliseconds) = commit_prepared($mode, $id);
	note "after a restart ($mode): $milliseconds ms";
	is($status, 'Completed', "it runs after COMMIT PREPARED ($mode)");
	cmp_ok($milliseconds, '<', 1000, "within a second ($mode)");
	is(entries($id), 1, "once ($mode)");
}

prepare('back', "SELECT df_start_singleton('noting', 'back')");
$node->safe_psql('postgres', "ROLLBACK PREPARED 'back'");
let_workers_run('bystander 2');
is(entries('back'), 0, 'nothing has run after ROLLBACK PREPARED');
is($node->safe_psql('postgres', "SELECT count(*) FROM df_get_status('back')"),
	0, 'ROLLBACK PREPARED leaves no instance');
is( $node->safe_psql(
		'postgres', "SELECT df_start_singleton('noting', 'back')"),
	't',
	'the id is free after ROLLBACK PREPARED');
ok(wait_status($node, 'postgres', 'back', 'Completed'), 'and the new start runs');
is(entries('back'), 1, 'once');

# Events and terminates are hints of the same kind.
$node->safe_psql('postgres', "SELECT df_start_singleton('waiting', '$_')")
  foreach 'event', 'terminated';
ok( $node->poll_query_until('postgres', q{
		SELECT count(*) = 2 FROM df_instances WHERE waiting_for IS NOT NULL}),
	'two instances wait for an event');
prepare('event', "SELECT df_raise_event('event', 'go', '1')");
prepare('terminate', "SELECT df_terminate('terminated', 'prepared')");
let_workers_run('bystander 3');
is( $node->safe_psql('postgres', q{
		SELECT string_agg(DISTINCT runtime_status::text, ' ') FROM df_instances
		WHERE instance_id IN ('event', 'terminated')}),
	'Running',
	'neither the prepared event nor the prepared terminate has come through');
($status, $milliseconds) = commit_prepared('event', 'event');
note "COMMIT PREPARED of an event to completion: $milliseconds ms";
is($status, 'Completed', 'the event comes with COMMIT PREPARED');
cmp_ok($milliseconds, '<', 1000, 'within a second');
($status) = commit_prepared('terminate', 'terminated');
is($status, 'Terminated', 'the terminate comes with COMMIT PREPARED');

# A step that is under way is interrupted, as by any other terminate.
$node->safe_psql('postgres', q{
	CREATE FUNCTION nap() RETURNS void LANGUAGE sql AS $$ SELECT pg_sleep(600) $$;
	CREATE FUNCTION napping(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		RETURN df_call_activity('nap');
	END $$;
	SELECT df_start_singleton('napping', 'napping'), df_start_singleton('napping', 'napping on')});
ok(wait_in_activity($node, 'postgres', $_), "$_: an activity runs") foreach 'napping', 'napping on';
prepare('wake', "SELECT df_terminate('napping')");
$node->safe_psql('postgres', "COMMIT PREPARED 'wake'");
ok( $node->poll_query_until('postgres', q{
		SELECT string_agg(instance_id, ', ') FROM df_stat_workers WHERE instance_id IS NOT NULL},
		'napping on'),
	'a prepared terminate interrupts the step of its instance, and no other');

# What has committed must not end with an error.  The prepared transaction has
# the table locked; so who wants all of it gets it with the commit.
prepare('sleep', "SELECT df_terminate('napping on')");
my $locker = $node->background_psql('postgres');
$locker->query_until(qr/begun/, "BEGIN;\n\\echo begun\nLOCK TABLE durable_singleton.instance;\n");
ok( $node->poll_query_until('postgres', q{
		SELECT count(*) = 1 FROM pg_locks
		WHERE mode = 'AccessExclusiveLock' AND NOT granted}),
	'somebody waits for the table');
is((error_of($node, 'postgres', "SET statement_timeout = '3s';\nCOMMIT PREPARED 'sleep'"))[1],
	'', 'COMMIT PREPARED does not wait for the table to look whose step to interrupt');
$locker->query_until(qr/ended/, "COMMIT;\n\\echo ended\n");
$locker->quit;
is($node->safe_psql('postgres', q{SELECT runtime_status FROM df_get_status('napping on')}),
	'Terminated', 'it has happened');
is($node->safe_psql('postgres', q{
		SELECT count(pg_terminate_backend(pid)) FROM df_stat_workers
		WHERE instance_id = 'napping on'}),
	1, 'the step goes on to its end');

finish($node);
done_testing();
