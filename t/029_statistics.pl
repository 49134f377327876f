# df_stat counts exactly: under load with rollbacks, savepoints and workers
# that are told to exit; its histograms; prepared transactions; several
# databases, and more than have an entry; after a crash.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The databases postgres and one fill the places.
my $node = new_server('main', conf => q{
durable_singleton.max_stat_databases = 2
max_prepared_transactions = 5
restart_after_crash = on
});

my $functions = q{
CREATE TABLE ledger (instance text, n int);
CREATE FUNCTION act(id text, n int, fail boolean = false) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger VALUES (id, n);
	IF fail THEN
		RAISE EXCEPTION 'no luck';
	END IF;
	RETURN n;
END $$;
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION story(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	arguments jsonb := jsonb_build_object('id', df_instance_id(), 'n', 1);
BEGIN
	PERFORM df_call_activity('act', arguments);
	PERFORM df_wait_all(ARRAY[df_schedule_activity('act', arguments),
		df_schedule_activity('act', arguments)]);
	PERFORM df_call_activity('act', arguments || jsonb_build_object('fail', df_instance_id() LIKE '%3'),
		df_retry_policy(2, '1 ms'));
	RETURN NULL;
END $$;
CREATE FUNCTION timed(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('5 ms');
	RETURN NULL;
END $$;
CREATE FUNCTION waits(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION held(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT pg_advisory_xact_lock(29); SELECT $1 $$;
};

sub new_database
{
	my ($database) = @_;

	create_database($node, $database);
	$node->safe_psql($database, $functions);
	return;
}

# The columns, in the order in which they are given.
sub stat_of
{
	my ($database, @column) = @_;

	return split /\|/, $node->safe_psql($database, 'SELECT ' . join(', ', @column) . ' FROM df_stat');
}

my $takes = 'latency_histogram[cardinality(latency_histogram)]';
my $attempts = 'activity_histogram[cardinality(activity_histogram)]';

$node->safe_psql('postgres', $functions);
is((stat_of('postgres', 'database'))[0], 'postgres', 'postgres has a place');
new_database('one');

#
# Load
#
my $run = sub { return $_[0] . q{
\set n random(1, 1000000000)
BEGIN;
} . $_[1] };
my $start = q{SELECT df_start_singleton('story', 'load ' || :client_id || ' ' || :n || '%s');};
$node->pgbench(
	'-n -c 4 -j 2 -t 60',
	0,
	[qr/processed: 240\/240/],
	[qr/^(?!.*(?:ERROR|aborted))/s],
	'starts, rollbacks, savepoints, and workers that are told to go',
	{
		'1_commit@4' => $run->('', sprintf($start, 'a') . "\nCOMMIT;\n"),
		'2_rollback@2' => $run->('', sprintf($start, 'b') . "\nROLLBACK;\n"),
		'3_savepoints@4' => $run->('', sprintf($start, 'c') . qq{
SAVEPOINT one;
} . sprintf($start, 'd3') . q{
SAVEPOINT two;
} . sprintf($start, 'e') . q{
ROLLBACK TO one;
} . sprintf($start, 'f3') . q{
SAVEPOINT three;
} . sprintf($start, 'g') . q{
RELEASE three;
COMMIT;
}),
		'4_exception@2' => $run->('', q{
DO $$
BEGIN
	FOR n IN 1 .. 3 LOOP
		BEGIN
			PERFORM df_start_singleton('waits', 'load ' || random() || ' h');
			IF n <> 2 THEN
				RAISE EXCEPTION 'undone';
			END IF;
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	END LOOP;
END $$;
COMMIT;
}),
		'5_terminate@2' => $run->('', sprintf($start, 'i') . q{
SELECT df_terminate('load ' || :client_id || ' ' || :n || 'i');
COMMIT;
}),
		'6_workers@1' => $run->('', q{
SET LOCAL client_min_messages = error;
SELECT count(pg_terminate_backend(pid)) FROM df_stat_workers;
COMMIT;
})
	});
ok( $node->poll_query_until('postgres', q{
		SELECT NOT EXISTS (SELECT FROM df_instances
			WHERE name = 'story' AND runtime_status IN ('Pending', 'Running'))}),
	'all of it ends');
$node->safe_psql('postgres', q{
	SELECT df_terminate(instance_id) FROM df_instances WHERE name = 'waits'});
ok( $node->poll_query_until('postgres',
		'SELECT workers_busy = 0 AND queue_depth = 0 AND NOT search_pending FROM df_stat'),
	'and the workers rest');
my @counted = stat_of('postgres', qw(instances_started instances_completed instances_failed
	instances_terminated activities_completed activities_failed activities_retried), $attempts);
my @happened = split /\|/, $node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE runtime_status = 'Completed'),
		count(*) FILTER (WHERE runtime_status = 'Failed'),
		count(*) FILTER (WHERE runtime_status = 'Terminated'),
		(SELECT count(*) FROM ledger),
		count(*) FILTER (WHERE failure ->> 'message' = 'no luck')
	FROM df_instances});
note "counted: @counted";
cmp_ok($happened[$_], '>', 0, 'there is something to be counted') foreach 0 .. $#happened;
is("@counted[0 .. 3]", "@happened[0 .. 3]", 'instances: started, completed, failed, terminated');
is($counted[4], $happened[4], 'activities that completed are those whose effects are there');
is($counted[5], $happened[5], 'activities that failed are those that failed their instances');
cmp_ok($counted[6], '>=', $counted[5], 'each after another attempt');
is($counted[7], $counted[4] + $counted[5] + $counted[6], 'their times make up the histogram');

my ($started) = stat_of('one', 'instances_started');
is($started, 0, 'the other database has none of it');

# The statements of docs/operations.md, for a role that may use the extension
$node->safe_psql('postgres', q{
	CREATE ROLE watcher LOGIN;
	SELECT df_grant_usage('watcher')});
my ($section) = slurp_file("$FindBin::RealBin/../docs/operations.md") =~ /^## What to monitor\n(.*?)^## /ms;
my @statement = $section =~ /^```sql\n(.*?)^```/msg;
cmp_ok(scalar @statement, '>', 2, 'the documentation has statements');
foreach my $statement (@statement)
{
	my ($status, $stdout, $stderr) = $node->psql('postgres', $statement, extra_params => [ '-U', 'watcher' ]);
	ok($status == 0 && $stderr eq '' && $stdout ne '', 'they run') or diag("$statement: $stderr");
	note $stdout;
}

#
# Hints that are taken, and how long they lay
#
rescan_off($node);
$node->poll_query_until('one', 'SELECT NOT search_pending FROM df_stat') or die 'the searches go on';
my ($before) = stat_of('one', $takes);
foreach my $n (1 .. 20)
{
	$node->safe_psql('one', qq{
		SELECT df_start_singleton('once', 'one $n');
		SELECT FROM df_wait_for_completion('one $n')});
}
ok($node->poll_query_until('one', "SELECT $takes - $before = 20 AND workers_busy = 0 FROM df_stat"),
	'twenty starts, twenty takes');
foreach my $n (1 .. 5)
{
	$node->safe_psql('one', qq{
		SELECT df_start_singleton('timed', 'timed $n');
		SELECT FROM df_wait_for_completion('timed $n')});
}
ok($node->poll_query_until('one', "SELECT $takes - $before = 30 AND workers_busy = 0 FROM df_stat"),
	'five timers, ten takes');
is((stat_of('one', 'hints_lost'))[0], 0, 'no hint was lost');

# The only worker is held for a while.
$node->safe_psql('postgres', 'ALTER SYSTEM SET durable_singleton.max_workers = 1');
$node->reload;
$node->poll_query_until('postgres', 'SHOW durable_singleton.max_workers', '1') or die 'no reload';
my $gate = $node->background_psql('one');
$gate->query_safe('SELECT pg_advisory_lock(29)');
$node->safe_psql('one', "SELECT df_start_singleton('held', 'held')");
wait_in_activity($node, 'one', 'held') or die 'no worker gets into the activity';
my @slow = stat_of('one', 'latency_histogram[12]', 'latency_sum', $takes);
$node->safe_psql('one', "SELECT df_start_singleton('once', 'delayed')");
ok($node->poll_query_until('one', q{SELECT queue_oldest > '600 ms' AND queue_depth = 1 AND workers = 1
		AND workers_busy = 1 FROM df_stat}),
	'df_stat shows that a start waits, and for how long');
$gate->query_safe('SELECT pg_advisory_unlock(29)');
wait_ended($node, 'one', 'delayed') or die 'it does not end';
my @then = stat_of('one', 'latency_histogram[12]', 'latency_sum', $takes, 'histogram_bounds[12]');
is($then[3], 500, 'the bucket up to half a second');
is($then[0], $slow[0], 'does not have it');
cmp_ok($then[1] - $slow[1], '>=', 600, 'the sum has its time');
is($then[2] - $slow[2], 1, 'it is one more');

# What falls due while nobody has time waits from that moment on.
$gate->query_safe('SELECT pg_advisory_lock(29)');
$node->safe_psql('one', "SELECT df_start_singleton('held', 'held again')");
wait_in_activity($node, 'one', 'held again') or die 'no worker gets into the activity';
$node->safe_psql('one', q{SELECT df_start_singleton('once', 'due', start_at => clock_timestamp() + '100 ms')});
ok($node->poll_query_until('one', q{SELECT queue_oldest > '600 ms' AND search_pending AND queue_depth = 0
		FROM df_stat}),
	'what is due is ready, although nobody has searched for it');
@slow = stat_of('one', 'latency_histogram[12]', 'latency_sum');
$gate->query_safe('SELECT pg_advisory_unlock(29)');
$gate->quit;
ok(wait_ended($node, 'one', 'due'), 'it runs');
@then = stat_of('one', 'latency_histogram[12]', 'latency_sum', 'due_searches > 0');
cmp_ok($then[1] - $slow[1], '>=', 600, 'its time counts from there');
is($then[2], 't', 'it was searched for');

#
# Prepared transactions
#
($started) = stat_of('one', 'instances_started');
foreach my $n (1, 2)
{
	$node->safe_psql('one', qq{
		BEGIN;
		SELECT df_start_singleton('once', 'prepared $n');
		SAVEPOINT s;
		SELECT df_start_singleton('once', 'prepared $n undone');
		ROLLBACK TO s;
		PREPARE TRANSACTION 'prepared $n'});
}
is((stat_of('one', 'instances_started'))[0], $started, 'prepared is not committed');
$node->safe_psql('one', "COMMIT PREPARED 'prepared 1'");
is((stat_of('one', 'instances_started'))[0], $started + 1, 'COMMIT PREPARED counts');
$node->safe_psql('one', "ROLLBACK PREPARED 'prepared 2'");
is((stat_of('one', 'instances_started'))[0], $started + 1, 'ROLLBACK PREPARED does not');
$node->safe_psql('one', q{
	BEGIN;
	SELECT df_raise_event('missing', 'go') WHERE false;
	CREATE TABLE empty ();
	PREPARE TRANSACTION 'prepared 1'});
$node->safe_psql('one', "COMMIT PREPARED 'prepared 1'");
is((stat_of('one', 'instances_started'))[0], $started + 1, 'nor does another one of the same name');

#
# More databases than places
#
foreach my $database ('two', 'three')
{
	new_database($database);
	$node->safe_psql($database, "SELECT df_start_singleton('waits', 'x')");
}
my $session = $node->background_psql('two');
$session->query_safe("SELECT df_start_singleton('waits', 'y')");
is( $node->safe_psql('two', "SELECT coalesce(database, 'shared'), instances_started FROM df_stat"),
	'shared|3', 'databases without a place are counted together');
is( $node->safe_psql('three', "SELECT coalesce(database, 'shared'), instances_started FROM df_stat"),
	'shared|3', 'in one row for all of them');
is((stat_of('postgres', 'instances_started'))[0], $happened[0], 'and apart from the others');
$node->safe_psql('postgres', 'DROP DATABASE one');
ok($node->poll_query_until('two', "SELECT coalesce(database = 'two', false) FROM df_stat"),
	'the place of a dropped database is for another one');
is($session->query_safe("SELECT df_start_singleton('waits', 'z')"), 't', 'a session that was there before');
$session->quit;
is( $node->safe_psql('two', 'SELECT instances_started, stats_reset > pg_postmaster_start_time() FROM df_stat'),
	'1|t', 'counts there, from then on');
is( $node->safe_psql('three', "SELECT coalesce(database, 'shared'), instances_started FROM df_stat"),
	'shared|3', 'what was counted together stays so');

#
# A crash
#
my ($reset) = stat_of('postgres', 'stats_reset');
$node->safe_psql('postgres', q{
	CREATE FUNCTION crash(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		IF (SELECT count(*) FROM ledger WHERE instance = 'gate') = 0 THEN
			PERFORM pg_sleep(600);
		END IF;
		RETURN NULL;
	END $$;
	BEGIN;
	SELECT df_start_singleton('once', 'prepared before');
	PREPARE TRANSACTION 'before';
	SELECT df_start_singleton('crash', 'crash')});
wait_in_activity($node, 'postgres', 'crash') or die 'no worker gets into the activity';
my ($worker) = split /\n/, $node->safe_psql('postgres',
	"SELECT pid FROM df_stat_workers WHERE instance_id = 'crash'");
my $mark = -s $node->logfile;
kill 'KILL', $worker;
ok($node->wait_for_log(qr/executing instance "crash" crashed/, $mark), 'a worker crashes');
ok($node->poll_query_until('postgres', "SELECT crashes = 1 AND stats_reset > '$reset' FROM df_stat"),
	'that is the first thing to be counted anew');
is( $node->safe_psql('postgres', 'SELECT instances_started, instances_completed, activities_completed FROM df_stat'),
	'0|0|0', 'all else is forgotten');
$node->safe_psql('postgres', "COMMIT PREPARED 'before'");
is((stat_of('postgres', 'instances_started'))[0], 0, 'so is what was prepared before');
$node->safe_psql('postgres', "INSERT INTO ledger VALUES ('gate', 1)");
$node->safe_psql('postgres', "SELECT df_terminate('crash')");
ok($node->poll_query_until('postgres', 'SELECT instances_terminated = 1 AND steps_undone >= 1 FROM df_stat'),
	'the step that is interrupted was undone');

finish($node, crashes => 1);
done_testing();
