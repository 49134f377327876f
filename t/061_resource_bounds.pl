# Work leaves nothing behind: a worker does not grow with the instances that it
# runs, waiting instances use no memory, a full queue of hints loses nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

plan skip_all => 'needs /proc' unless -r '/proc/self/status';

# One worker does all the work; it stays.
my $node = new_server('main', conf => q{
durable_singleton.max_workers = 1
durable_singleton.worker_max_lifetime = 0
durable_singleton.worker_idle_timeout = 1h
max_connections = 30
});

$node->safe_psql('postgres', q{
CREATE FUNCTION answer(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION ask(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('answer', input);
END $$;
CREATE FUNCTION for_event(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE SEQUENCE number;
GRANT USAGE ON number TO PUBLIC;
CREATE FUNCTION at_gate(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(31);
	RETURN NULL;
END $$;
});
rescan_off($node);

sub query
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

# memory of a process that is its own, in kB
sub memory
{
	my ($pid) = @_;
	my ($anonymous) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m;

	return $anonymous;
}

sub launcher_pid
{
	return query(q{
		SELECT pid FROM pg_stat_activity
		WHERE backend_type = 'durable_singleton launcher'});
}

my $shared_memory = q{
	SELECT name, size, allocated_size FROM pg_shmem_allocations
	WHERE name LIKE 'durable%' ORDER BY name};
my $allocated = query($shared_memory);

# --- a worker that has run very many instances -----------------------------

my $batch   = 10_000;
my $batches = in_full() ? 100 : 10;
my $run     = 0;

# Runs a batch of instances, removes it, and returns the memory of the worker.
sub run_batch
{
	query("SELECT count(df_start_singleton('ask', 'many ' || n, '1')) FROM generate_series(1, $batch) n");
	$node->poll_query_until('postgres', qq{
		SELECT count(*) = $batch FROM df_instances WHERE runtime_status = 'Completed'})
	  or die 'the batch does not end';
	query("SELECT df_purge_by('-infinity')");
	$run += $batch;
	return query('SELECT pid FROM df_stat_workers');
}

my $worker = run_batch();
my $first  = memory($worker);
my $last   = $worker;
my $begun  = time;

$last = run_batch() foreach 1 .. $batches;
is($last, $worker, "one worker has run $run instances");
note sprintf '%d instances in %.1f s; the worker had %d kB after the first %d, and %d kB after the last',
  $run, time - $begun, $first, $batch, memory($worker);
cmp_ok(memory($worker) - $first, '<', 1024, 'it has grown by less than 1 MB');
is(query($shared_memory), $allocated, 'shared memory is as it was');

# --- waiting instances -----------------------------------------------------

my $waiting  = 100_000;
my $launcher = launcher_pid();
my $before   = memory($launcher);

query("SELECT count(df_start_singleton('for_event', 'waiting ' || n)) FROM generate_series(1, $waiting) n");
ok( $node->poll_query_until('postgres', qq{
		SELECT count(*) = $waiting FROM df_instances WHERE waiting_for = 'event go'}),
	"$waiting instances wait");
is(query('SELECT pid FROM df_stat_workers'), $worker, 'it is the same worker');
note sprintf 'the worker has %d kB, the launcher %d kB, before %d kB',
  memory($worker), memory($launcher), $before;
cmp_ok(memory($worker) - $first, '<', 1024, 'the worker keeps nothing of them');
cmp_ok(memory($launcher) - $before, '<', 256, 'nor does the launcher');
is(query($shared_memory), $allocated, 'shared memory is as it was');

# --- more hints than there is room for -------------------------------------

# While the only worker sits in an activity, sessions of five roles start more
# than all queues together hold, and more for each role than its queue holds:
# each start is a transaction, hence a hint, of its own.
my $gate   = $node->background_psql('postgres');
my $starts = 3000;
my @roles  = map { "r$_" } 1 .. 5;

$gate->query_safe('SELECT pg_advisory_lock(31)');
query("SELECT df_start_singleton('at_gate', 'gate')");
wait_in_activity($node, 'postgres', 'gate') or die 'the worker is not at the gate';
query("CREATE ROLE $_ LOGIN; SELECT df_grant_usage('$_')") foreach @roles;
foreach my $role (@roles)
{
	$node->pgbench(
		"-n -c 1 -t $starts -U $role",
		0,
		[qr/processed: $starts\/$starts/],
		[qr/^$/],
		"$role starts $starts instances while no worker is free",
		{
			"start_$role" => "SELECT df_start_singleton('answer', '$role ' || nextval('number'), '1');\n"
		});
}
is( query("SELECT count(*) FROM df_instances WHERE instance_id ~ '^r' AND runtime_status = 'Pending'"),
	5 * $starts, 'all of them are waiting for a worker');
$gate->query_safe('SELECT pg_advisory_unlock(31)');
$gate->quit;
$begun = time;
ok( $node->poll_query_until('postgres',
		"SELECT bool_and(runtime_status = 'Completed') FROM df_instances WHERE instance_id ~ '^r'"),
	'no hint was lost: all complete, without a rescan');
note sprintf 'after %.1f s', time - $begun;

finish($node);
done_testing();
