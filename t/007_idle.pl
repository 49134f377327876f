# Waiting costs nothing: no process, transaction, snapshot or lock, and no
# transactions in an idle database.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

# Autovacuum would be a transaction of somebody else.
my $node = new_server('main', conf => q{
durable_singleton.worker_idle_timeout = '1s'
autovacuum = off
});

# The instances live in a database of their own: what happens in it is seen
# from "postgres".
create_database($node, 'app');
$node->safe_psql('app', q{
CREATE FUNCTION for_event(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION for_event_or_timer(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go', '1 day');
END $$;
CREATE FUNCTION for_timer(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 day');
	RETURN NULL;
END $$;
});
rescan_off($node);

my $begun = time;
$node->safe_psql('app', q{
	SELECT count(df_start_singleton(f, f || ' ' || n))
	FROM generate_series(1, 10000) n,
		LATERAL (SELECT CASE WHEN n % 10 = 0 THEN 'for_timer'
			WHEN n % 2 = 0 THEN 'for_event_or_timer' ELSE 'for_event' END) k(f)});
ok( $node->poll_query_until('app',
		'SELECT count(*) = 10000 FROM df_instances WHERE waiting_for IS NOT NULL'),
	'10000 instances wait for events and timers');
note sprintf 'started and waiting after %.1f s', time - $begun;
ok( $node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'app'"),
	'their workers retire');

# What happens in the database from here on is the extension's own doing.
my $counters = q{
	SELECT xact_commit + xact_rollback, pg_snapshot_xmax(pg_current_snapshot())
	FROM pg_stat_database WHERE datname = 'app'};
my ($processes, $holders, $locks, $samples) = (0, 0, 0, 0);
my $before = $node->safe_psql('postgres', $counters);
my $launcher = $node->safe_psql('postgres', q{
	SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'durable_singleton%'});
note "backends of the extension: ", $launcher;
my $wakeups = switches($launcher);

$begun = time;
while (time - $begun < 15)
{
	my @sample = split /\|/, $node->safe_psql('postgres', q{
		SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = 'app'),
			(SELECT count(*) FROM pg_stat_activity
				WHERE (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)
					AND pid <> pg_backend_pid()),
			(SELECT count(*) FROM pg_locks WHERE pid IS DISTINCT FROM pg_backend_pid())});

	$processes += $sample[0];
	$holders   += $sample[1];
	$locks     += $sample[2];
	$samples++;
	usleep(250_000);
}
note "$samples samples in 15 s";
cmp_ok($samples, '>=', 10, 'the idle period was watched');
is($processes, 0, 'no process is there for waiting instances');
is($holders,   0, 'nobody holds a transaction or a snapshot');
is($locks,     0, 'nobody holds a lock');
is($node->safe_psql('postgres', $counters),
	$before, 'not one transaction in 15 s');
SKIP:
{
	skip 'the launcher cannot be watched', 1 if !defined $wakeups;
	my $woken = switches($launcher) - $wakeups;

	note "the launcher woke up $woken times";
	cmp_ok($woken, '<', 30, 'the launcher does not poll');
}

# The search for lost work, every second now, leaves a still database alone.
$before = $node->safe_psql('postgres', $counters);
$node->safe_psql('postgres',
	"ALTER SYSTEM SET durable_singleton.rescan_interval = '1s'");
$node->reload;
my $ended = wait_still($node, $counters);
isnt($ended, $before, 'the database is searched while that is not sure');
isnt($ended, undef, 'then four rescans go by without a transaction in it');

# That nobody was told of this timer is what a lost hint comes to.
$node->safe_psql('app', q{
	UPDATE durable_singleton.instance SET ready_time = now(), wait_fire_at = now()
	WHERE instance_id = 'for_timer 10'});
ok( $node->poll_query_until('app', q{
		SELECT runtime_status = 'Completed' FROM df_instances
		WHERE instance_id = 'for_timer 10'}),
	'the search takes place when something has happened');
rescan_off($node);

# All of them can still be finished.
$begun = time;
$node->safe_psql('app', q{
	SELECT count(df_raise_event(instance_id, 'go', '1')) FROM df_instances
	WHERE waiting_for LIKE 'event%'});
ok( $node->poll_query_until('app', q{
		SELECT count(*) = 9000 FROM df_instances
		WHERE runtime_status = 'Completed' AND output = '1'}),
	'9000 events finish 9000 instances');
note sprintf 'finished after %.1f s', time - $begun;
$node->safe_psql('app', q{
	SELECT count(df_terminate(instance_id)) FROM df_instances
	WHERE waiting_for = 'timer'});
is( $node->safe_psql('app', q{
		SELECT runtime_status, count(*) FROM df_instances GROUP BY 1 ORDER BY 1}),
	"Completed|9001\nTerminated|999",
	'the others can be terminated');

# How often a process has gone to sleep; undefined where nobody can tell.
sub switches
{
	my ($pid) = @_;

	return undef if $pid !~ /^\d+$/ || !-r "/proc/$pid/status";
	my ($count) =
	  slurp_file("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m;
	return $count;
}

finish($node);
done_testing();
