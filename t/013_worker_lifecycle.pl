# Workers start when they are needed, retire when they are not, and are never
# too many.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "durable_singleton.worker_idle_timeout = '300ms'\n");

$node->safe_psql('postgres', q{
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION my_pid(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT to_jsonb(pg_backend_pid()) $$;
CREATE FUNCTION hold(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(8, 1);
	RETURN NULL;
END $$;
CREATE FUNCTION holding(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('hold');
END $$;
CREATE FUNCTION nap(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT NULL::jsonb FROM pg_sleep(0.005) $$;
CREATE FUNCTION long_step(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT NULL::jsonb FROM pg_sleep(600) $$;
CREATE FUNCTION long(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('long_step');
END $$;
CREATE FUNCTION careful(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('long_step');
EXCEPTION WHEN OTHERS THEN
	RETURN to_jsonb(SQLSTATE);
END $$;
});
my @roles = map { "role$_" } 1 .. 5;
$node->safe_psql('postgres',
	"CREATE ROLE $_ LOGIN; SELECT df_grant_usage('$_')")
  foreach @roles;
rescan_off($node);

sub workers
{
	return $node->safe_psql('postgres', 'SELECT count(*) FROM df_stat_workers');
}

sub no_workers
{
	return $node->poll_query_until('postgres', q{
		SELECT NOT EXISTS (SELECT FROM df_stat_workers)
			AND NOT EXISTS (SELECT FROM pg_stat_activity
				WHERE datname IS NOT NULL AND backend_type <> 'client backend')});
}

sub configure
{
	my ($setting, $value) = @_;

	$node->safe_psql('postgres',
		"ALTER SYSTEM SET durable_singleton.$setting = '$value'");
	$node->reload;
	$node->poll_query_until('postgres',
		"SELECT current_setting('durable_singleton.$setting') = '$value'")
	  or die "$setting did not change";
	return;
}

sub as
{
	my ($role, $sql) = @_;

	return $node->safe_psql('postgres', $sql, extra_params => [ '-U', $role ]);
}

#
# Coming and going
#
ok(no_workers(), 'no worker is there without work');
my $mark = -s $node->logfile;
foreach my $n (1 .. 3)
{
	is( $node->safe_psql('postgres', qq{
			SELECT df_start_singleton('my_pid', 'on demand $n');
			SELECT (SELECT count(*) FROM df_stat_workers WHERE to_jsonb(pid) = output)
			FROM df_wait_for_completion('on demand $n')}),
		"t\n1",
		"a start brings a worker ($n)");
	ok(no_workers(), "it retires when it is idle ($n)");
}
unlike(
	slurp_file($node->logfile, $mark),
	qr/ERROR|FATAL|WARNING|exit code/,
	'coming and going leaves nothing in the log');

#
# Never too few: what stands behind a long step gets another worker, though
# there was one idle worker for all of them at first
#
my $gate = $node->background_psql('postgres');

configure('worker_idle_timeout', '10min');
$node->safe_psql('postgres', q{
	SELECT df_start_singleton('once', 'warm');
	SELECT runtime_status FROM df_wait_for_completion('warm')});
is(workers(), 1, 'one worker is there and idle');
$gate->query_safe('SELECT pg_advisory_lock(8, 1)');
$node->safe_psql('postgres',
	"SELECT df_start_singleton('holding', 'first ' || n) FROM generate_series(1, 3) n");
is( $node->safe_psql('postgres', q{
		SELECT df_start_singleton('once', 'fourth');
		SELECT runtime_status FROM df_wait_for_completion('fourth')}),
	"t\nCompleted",
	'a short instance does not wait for three long steps');
is($node->safe_psql('postgres', q{
		SELECT count(*) FROM df_stat_workers JOIN pg_stat_activity USING (pid)
		WHERE wait_event = 'advisory'}), 3, 'which run side by side');
$gate->query_safe('SELECT pg_advisory_unlock(8, 1)');
wait_ended($node, 'postgres', 'first %') or die 'the steps do not end';

#
# Never too many
#
configure('max_workers', 2);

$gate->query_safe('SELECT pg_advisory_lock(8, 1)');
as($_, "SELECT df_start_singleton('holding', '$_: holding')") foreach @roles;
my $in_activity = q{
	SELECT count(*) FROM df_stat_workers JOIN pg_stat_activity USING (pid)
	WHERE wait_event = 'advisory'};
ok($node->poll_query_until('postgres', $in_activity, '2'),
	'two workers execute steps');
is(workers(), 2, 'max_workers: there are no more');
is($node->safe_psql('postgres', q{
		SELECT count(*) FROM df_instances WHERE runtime_status = 'Pending'}),
	3, 'the other instances wait for a worker');
$gate->query_safe('SELECT pg_advisory_unlock(8, 1)');
ok(wait_ended($node, 'postgres', '%: holding'),
	'workers change roles until all are served');
cmp_ok(workers(), '<=', 2, 'and are still no more');

# Idle workers of one role make room for another one.
my ($result, $milliseconds) = timed(
	$node, 'postgres',
	join(";\n", map {
		my $role = $roles[ $_ % 5 ];
		"SET SESSION AUTHORIZATION $role;
		SELECT df_start_singleton('once', '$role: turn $_', '1');
		SELECT output FROM df_wait_for_completion('$role: turn $_')"
	} 1 .. 10) . ';RESET SESSION AUTHORIZATION');
is($result, join("\n", ("t\n1") x 10), 'five roles take turns in two workers');
note sprintf '%.0f ms a turn', $milliseconds / 10;
cmp_ok($milliseconds, '<', 10_000, 'each within a second');

# A role with a long queue does not keep the others out.
configure('max_workers', 1);
as('role1', q{
	SELECT count(df_start_singleton('nap', 'role1: queue ' || n)) FROM generate_series(1, 1500) n});
$node->poll_query_until('postgres', q{
	SELECT count(*) > 10 FROM df_instances
	WHERE instance_id LIKE 'role1: queue %' AND runtime_status = 'Completed'})
  or die 'the queue does not move';
foreach my $role (@roles[ 1 .. 4 ])
{
	($result, $milliseconds) = timed($node, 'postgres', qq{
		SELECT df_start_singleton('once', '$role: late', '1');
		SELECT output FROM df_wait_for_completion('$role: late')},
		extra_params => [ '-U', $role ]);
	is($result, "t\n1", "$role is served by the only worker");
	cmp_ok($milliseconds, '<', 2000, 'within a second and something');
}
cmp_ok($node->safe_psql('postgres', q{
	SELECT count(*) FROM df_instances
	WHERE instance_id LIKE 'role1: queue %' AND runtime_status <> 'Completed'}),
	'>', 0, 'before the queue of the first is empty');
ok(wait_ended($node, 'postgres', 'role1: queue %'), 'the queue gets done');
configure('max_workers', 4);

#
# Cancelling
#
foreach my $case ([ 'careful', 'Completed|"SD408"|' ], [ 'long', 'Failed||57014' ])
{
	my ($function, $expected) = @$case;

	$node->safe_psql('postgres', "SELECT df_start_singleton('$function', '$function')");
	wait_in_activity($node, 'postgres', $function)
	  or die 'no worker gets into the activity';
	my $pid = $node->safe_psql('postgres',
		"SELECT pid FROM df_stat_workers WHERE instance_id = '$function'");
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	is( $node->safe_psql('postgres', qq{
			SELECT runtime_status, output, substring(failure::text FROM '57014')
			FROM df_wait_for_completion('$function')}),
		$expected,
		"pg_cancel_backend is a failure of the activity ($function)");
	is($node->safe_psql('postgres', "SELECT count(*) FROM df_stat_workers WHERE pid = $pid"),
		1, 'the worker stays');
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	is( $node->safe_psql('postgres', qq{
			SELECT df_start_singleton('my_pid', 'after $function');
			SELECT output FROM df_wait_for_completion('after $function')}),
		"t\n$pid",
		'and a cancel of the idle worker does nothing');
}

#
# Getting old
#
configure('worker_max_lifetime', '1s');
ok( $node->poll_query_until('postgres', q{
		SELECT df_start_singleton('my_pid', 'young') AS x \gset
		SELECT output <> (SELECT output FROM df_get_status('after long'))
		FROM df_wait_for_completion('young')}),
	'an old worker is replaced');

#
# Switched off
#
create_database($node, 'app');
$node->safe_psql('app', q{
	CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
	ALTER DATABASE app SET durable_singleton.enabled = off});
$node->safe_psql('app', "SELECT df_start_singleton('once', 'off ' || n) FROM generate_series(1, 2) n");
is( $node->safe_psql('postgres', q{
		SELECT df_start_singleton('once', 'on');
		SELECT runtime_status FROM df_wait_for_completion('on')}),
	"t\nCompleted",
	'workers run in a database');
is( $node->safe_psql('app', 'SELECT DISTINCT runtime_status FROM df_instances'),
	'Pending',
	'and not in one where they are switched off');
$node->safe_psql('app', 'CALL df_run()');
is( $node->safe_psql('app', 'SELECT DISTINCT runtime_status FROM df_instances'),
	'Completed',
	'where df_run does it');
$node->safe_psql('app', 'ALTER DATABASE app RESET durable_singleton.enabled');
is( $node->safe_psql('app', q{
		SELECT df_start_singleton('once', 'on');
		SELECT runtime_status FROM df_wait_for_completion('on')}),
	"t\nCompleted",
	'until they are switched on');
$gate->quit;

#
# Others have taken all of PostgreSQL's background workers
#
my $crowded = new_server('crowded', conf => "max_worker_processes = 2\n");
$crowded->safe_psql('postgres', q{
	CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
	SELECT df_start_singleton('once', 'crowded')});
ok($crowded->wait_for_log(
		qr/WARNING:  out of background worker slots for orchestrations\n.*HINT:  You might need to increase max_worker_processes/),
	'where there is no room for workers, the log tells it');
$crowded->safe_psql('postgres', 'CALL df_run()');
is($crowded->safe_psql('postgres', q{SELECT runtime_status FROM df_get_status('crowded')}),
	'Completed', 'and df_run does their work');
$crowded->safe_psql('postgres', q{SELECT df_start_singleton('once', 'later')});
$crowded->append_conf('postgresql.conf', "max_worker_processes = 8\n");
$crowded->restart;
ok(wait_status($crowded, 'postgres', 'later', 'Completed'), 'until there is room');
finish($crowded);

finish($node);
done_testing();
