# A step that catches its cancel, or waits for a program, does not keep its
# worker: not after max_activity_time, not after df_terminate, and not when its
# database is dropped.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('main', conf => q{
durable_singleton.max_workers = 1
});
my $functions = q{
CREATE TABLE heard (what text, at timestamptz DEFAULT clock_timestamp());
-- hears of each cancel, and goes on: outside, so that it is seen though nothing commits
CREATE FUNCTION deaf() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		BEGIN
			PERFORM pg_sleep(60);
		EXCEPTION WHEN query_canceled THEN
			RAISE LOG 'cancel caught: %', SQLERRM;
		END;
	END LOOP;
END $$;
CREATE FUNCTION deaf_orchestrator() RETURNS jsonb LANGUAGE sql AS $$ SELECT deaf(); SELECT '1'::jsonb $$;
-- cleans up when it is canceled, which takes a moment, and then ends
CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_sleep(60);
EXCEPTION WHEN query_canceled THEN
	RAISE LOG 'tidies up';
	PERFORM pg_sleep(0.2);
	RAISE;
END $$;
CREATE FUNCTION shell(seconds int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY heard (what) FROM PROGRAM %L', format('sleep %s; echo done', seconds));
END $$;
CREATE FUNCTION one(f text, input jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity(f, input) $$;
CREATE FUNCTION one_task(f text) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_await(df_schedule_activity(f)) $$;
CREATE FUNCTION quick() RETURNS jsonb LANGUAGE sql AS $$ SELECT '1'::jsonb $$;
};
$node->safe_psql('postgres', $functions);

sub start_in_step
{
	my ($function, $id, $input, $step, $database) = @_;
	$database //= 'postgres';
	$node->safe_psql($database, "SELECT df_start_singleton('$function', '$id', $input)");
	$node->poll_query_until($database, "SELECT count(*) = 1 FROM df_stat_workers WHERE instance_id = '$id' AND function_name = '$step'")
	  or die "$id does not execute $step";
	return;
}

sub status_at_end
{
	my ($id) = @_;

	wait_ended($node, 'postgres', $id) or return 'has not ended';
	return $node->safe_psql('postgres', "SELECT runtime_status FROM df_get_status('$id')");
}

# Milliseconds until another instance has completed, in the only worker.
sub time_of_quick
{
	my ($id) = @_;
	my $begun = time;

	$node->safe_psql('postgres', "SELECT df_start_singleton('quick', '$id')");
	is(status_at_end($id), 'Completed', 'another instance gets the worker');
	return (time - $begun) * 1000;
}

# --- df_terminate ---
my $mark = -s $node->logfile;
foreach my $case ([ 'one', q{'{"f": "deaf"}'}, 'deaf' ], [ 'one_task', q{'{"f": "deaf"}'}, 'deaf' ], [ 'deaf_orchestrator', 'NULL', 'deaf_orchestrator' ])
{
	my ($function, $input, $step) = @$case;
	my $id = "terminated $function";
	$mark = -s $node->logfile;
	start_in_step($function, $id, $input, $step);
	$node->safe_psql('postgres', "SELECT df_terminate('$id')");
	my $took = time_of_quick("after $id");
	my $log = slurp_file($node->logfile, $mark);
	is(() = $log =~ /LOG:  cancel caught/g, 3, "$function: it has been canceled three times");
	like($log, qr/ending worker with PID \d+ because its step went on.*\n.*DETAIL:  Function $step of instance "$id"/, 'the log says why its worker ends');
	measured(sprintf '%s: %.0f ms', $id, $took);
}
is($node->safe_psql('postgres', 'SELECT crashes FROM df_stat'), 0, 'no crash was counted');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT runtime_status::text, ' ') FROM df_instances WHERE instance_id LIKE 'terminated %'}),
	'Terminated', 'they are terminated');
# a start over the id
start_in_step('one', 'over', q{'{"f": "deaf"}'}, 'deaf');
$node->safe_psql('postgres', q{SELECT df_start_singleton('quick', 'over', on_conflict => 'terminate')});
is(status_at_end('over'), 'Completed', 'an instance is started over a deaf one');
# one that hears it is not hurried
$mark = -s $node->logfile;
start_in_step('one', 'tidy', q{'{"f": "tidy"}'}, 'tidy');
$node->safe_psql('postgres', q{SELECT df_terminate('tidy')});
time_of_quick('after tidy');
my $log = slurp_file($node->logfile, $mark);
is(() = $log =~ /LOG:  tidies up/g, 1, 'a step that tidies up does so once');
unlike($log, qr/ending worker/, 'and keeps its worker');

# --- programs ---
foreach my $how ('terminate', 'over')
{
	start_in_step('one', "program $how", q{'{"f": "shell", "input": {"seconds": 300}}'}, 'shell');
	$node->safe_psql('postgres', $how eq 'terminate' ? "SELECT df_terminate('program $how')"
		: "SELECT df_start_singleton('quick', 'program $how', on_conflict => 'terminate')");
	my $took = time_of_quick("after program $how");
	cmp_ok($took, '<', 30000, "$how: a step that waits for a program is interrupted");
	measured(sprintf 'program, %s: %.0f ms', $how, $took);
}
create_database($node, 'doomed');
$node->safe_psql('doomed', $functions);
start_in_step('one', 'program', q{'{"f": "shell", "input": {"seconds": 300}}'}, 'shell', 'doomed');
my $begun = time;
$node->safe_psql('postgres', 'DROP DATABASE doomed');
cmp_ok(time - $begun, '<', 30, 'DROP DATABASE does not wait for a program');

# --- a session in CALL df_run ---
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET durable_singleton.enabled = off');
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM df_stat_workers');
$node->safe_psql('postgres', q{SELECT df_start_singleton('one', 'in session', '{"f": "deaf"}')});
$mark = -s $node->logfile;
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query('SELECT pg_backend_pid()');
$session->query_until(qr/begun/, "\\echo begun\nCALL df_run();\n");
$node->poll_query_until('postgres', qq{SELECT EXISTS (SELECT FROM df_instances WHERE instance_id = 'in session' AND runtime_status = 'Running')})
  or die 'it does not run';
$node->poll_query_until('postgres', qq{SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $pid})
  or die 'it does not sleep: ' . $node->safe_psql('postgres', 'SELECT * FROM pg_stat_activity');
$node->safe_psql('postgres', q{SELECT df_terminate('in session')});
for my $n (1 .. 5)
{
	$node->wait_for_log(qr/LOG:  cancel caught/, $mark);
	$mark += index(substr(slurp_file($node->logfile), $mark), 'LOG:  cancel caught') + 10;
}
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid"), 1, 'a session is canceled again and again, but lives');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
eval { $session->quit };
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET durable_singleton.enabled');

# --- max_activity_time ---
$node->safe_psql('postgres', q{ALTER DATABASE postgres SET durable_singleton.max_activity_time = '300 ms'});
$node->append_conf('postgresql.conf', 'durable_singleton.crash_limit = 2');
$node->reload;
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM df_stat_workers');
$mark = -s $node->logfile;
start_in_step('one', 'limited', q{'{"f": "deaf"}'}, 'deaf');
is(status_at_end('limited'), 'Failed', 'a deaf step fails its instance, after crash_limit times');
$log = slurp_file($node->logfile, $mark);
like($log, qr/worker ended because a step went on.*\n.*Function deaf of instance "limited" reached durable_singleton.max_activity_time/,
	'the log says why the worker ends');
is($node->safe_psql('postgres', q{SELECT failure->>'sqlstate' || ' ' || (failure->>'detail') FROM df_instances WHERE instance_id = 'limited'}),
	'57P02 It was executing function deaf.', 'and the failure which function it was');
is($node->safe_psql('postgres', 'SELECT crashes FROM df_stat'), 2, 'each time counts as a crash');
is(() = $log =~ /LOG:  cancel caught: canceling statement due to statement timeout/g, 2, 'the first cancel is a time-out');
is(() = $log =~ /LOG:  cancel caught/g, 6, 'and each time it has been canceled three times');
time_of_quick('after limited');
# statement_timeout comes once, as in a session, and the limit nevertheless
$node->safe_psql('postgres', q{ALTER DATABASE postgres SET statement_timeout = '100 ms'});
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM df_stat_workers');
$node->safe_psql('postgres', q{SELECT df_start_singleton('one', 'both', '{"f": "deaf"}')});
is(status_at_end('both'), 'Failed', 'a smaller statement_timeout does not turn the limit off');
# what hears it fails as ever
$node->safe_psql('postgres', q{SELECT df_start_singleton('one', 'hears', '{"f": "tidy"}')});
is(status_at_end('hears'), 'Failed', 'a step that hears the time-out fails');
is($node->safe_psql('postgres', q{SELECT failure->>'sqlstate' FROM df_instances WHERE instance_id = 'hears'}), '57014', 'with query_canceled');

finish($node);
done_testing();
