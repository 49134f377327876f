# Tasks of one instance run in parallel in several workers, cost the same each
# no matter how many there are, and happen exactly once or, if terminated, not
# at all.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use Ledger;
use List::Util qw(min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('main', conf => "restart_after_crash = on\n");

create_ledger($node);
$node->safe_psql('postgres', q{
CREATE SEQUENCE passes;
CREATE SEQUENCE arrived;

-- ends when all of the party have begun
CREATE FUNCTION meet(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM nextval('arrived');
	FOR i IN 1 .. 6000 LOOP
		IF (SELECT last_value >= (input ->> 'party')::int FROM arrived) THEN
			RETURN to_jsonb(pg_backend_pid());
		END IF;
		PERFORM pg_sleep(0.01);
	END LOOP;
	RAISE EXCEPTION 'the others do not come';
END $$;
CREATE FUNCTION double(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT to_jsonb(2 * input::int) $$;
CREATE FUNCTION child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('double', input);
END $$;

-- sequences are not rolled back: they count the passes of an orchestrator
CREATE FUNCTION party(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
BEGIN
	PERFORM nextval('passes');
	FOR i IN 1 .. (input ->> 'party')::int LOOP
		t[i] := df_schedule_activity('meet', input);
	END LOOP;
	RETURN df_wait_all(t);
END $$;
CREATE FUNCTION fan_out(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
	results jsonb;
BEGIN
	PERFORM nextval('passes');
	FOR i IN 1 .. (input ->> 'n')::int LOOP
		IF input ->> 'of' = 'children' THEN
			t[i] := df_schedule_sub_orchestrator('child', to_jsonb(i));
		ELSE
			t[i] := df_schedule_activity('double', to_jsonb(i));
		END IF;
	END LOOP;
	results := df_wait_all(t);
	RETURN jsonb_build_array(jsonb_array_length(results),
		(SELECT count(*) FROM jsonb_array_elements(results) WITH ORDINALITY r (x, i)
			WHERE x <> to_jsonb(2 * i)));
END $$;
-- from task "from" on they have to pass the gate
CREATE FUNCTION writing(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
BEGIN
	PERFORM nextval('passes');
	FOR i IN 1 .. (input ->> 'n')::int LOOP
		t[i] := df_schedule_activity('write', jsonb_strip_nulls(jsonb_build_object(
			'id', df_instance_id(), 'step', i,
			'gate', CASE WHEN i >= (input ->> 'from')::int THEN input -> 'gate' END)));
	END LOOP;
	RETURN df_wait_all(t);
END $$;
-- two to four tasks, awaited in all the ways there are
CREATE FUNCTION small(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	n int := 2 + input::int % 3;
	t int[];
	w int;
BEGIN
	FOR i IN 1 .. n LOOP
		t[i] := df_schedule_activity('nap', jsonb_build_object('id', df_instance_id(), 'step', i));
	END LOOP;
	CASE input::int % 4
		WHEN 0 THEN
			RETURN df_wait_all(t);
		WHEN 1 THEN
			w := df_wait_any(t);
			RETURN jsonb_build_array(df_await(w)) || df_wait_all(array_remove(t, w));
		WHEN 2 THEN
			WHILE t <> '{}' LOOP
				w := df_wait_any(t || df_schedule_timer('1 hour'));
				t := array_remove(t, w);
			END LOOP;
			RETURN jsonb_build_array(df_await(w));
		ELSE
			FOREACH w IN ARRAY t LOOP
				PERFORM df_await(w);
			END LOOP;
			RETURN df_wait_all(ARRAY[w, df_schedule_event('go')]);
	END CASE;
END $$;
-- all kinds of tasks with short timers and retries between
CREATE FUNCTION mixed(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[] := ARRAY[df_schedule_activity('nap', '{"step": 1}'),
		df_schedule_activity('fail', '{"step": 2}', df_retry_policy(10, '1 ms')),
		df_schedule_sub_orchestrator('child', '3')];
	w int;
BEGIN
	PERFORM df_await(t[1 + input::int % 3]);
	PERFORM df_create_timer('1 ms');
	w := df_wait_any(ARRAY[df_schedule_event('never'), df_schedule_timer('2 ms')]);
	PERFORM df_call_activity('fail', '{"step": 3}', df_retry_policy(10, '1 ms'));
	PERFORM df_wait_for_external_event('never', '1 ms');
	RETURN df_wait_all(t || df_schedule_timer('1 ms'));
END $$;
-- every other time
CREATE SEQUENCE failures;
CREATE FUNCTION fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('failures') % 2 = 0 THEN
		RAISE EXCEPTION 'no luck';
	END IF;
	RETURN input -> 'step';
END $$;
CREATE FUNCTION nap(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger VALUES (input ->> 'id', (input ->> 'step')::int);
	PERFORM pg_sleep(random() * 0.002);
	RETURN input -> 'step';
END $$;
});
rescan_off($node);

sub query
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

my $at_gate = at_gate();

# What the extension still has open for tasks.
sub open_tasks
{
	return query('SELECT count(*) FROM durable_singleton.task');
}

#
# Side by side
#
query(q{SELECT df_start_singleton('party', 'party', '{"party": 4}')});
is( query(q{
		SELECT runtime_status, (SELECT count(DISTINCT pid) FROM jsonb_array_elements(output) pid)
		FROM df_wait_for_completion('party', '120 s')}),
	'Completed|4',
	'four tasks, each of which waits for the others to begin, run in four workers');
cmp_ok(query('SELECT last_value FROM passes'), '<=', 3,
	'the orchestrator has been replayed for the wait, not for each task');

#
# How much it costs
#
# Runs a fan-out; returns milliseconds for one task.
sub fan_out
{
	my ($of, $n, $name) = @_;
	my $input = qq({"of": "$of", "n": $n});

	query("SELECT setval('passes', 1, false)");
	my ($result, $milliseconds) = timed($node, 'postgres', qq{
		SELECT df_start_singleton('fan_out', '$name', '$input') AS started \\gset
		SELECT runtime_status, output FROM df_wait_for_completion('$name', '900 s')},
		timeout => 900);
	my $passes = query('SELECT last_value FROM passes');

	note sprintf '%s: %.1f s, %.2f ms each, %d passes',
	  $name, $milliseconds / 1000, $milliseconds / $n, $passes;
	is($result, "Completed|[$n, 0]", "$name: all results are there, in order and right");
	cmp_ok($passes, '<=', 5, "$name: a handful of passes");
	is( query(qq{
			SELECT count(*) FROM df_history WHERE instance_id = '$name'
				AND event_type IN ('TaskCompleted', 'SubOrchestrationInstanceCompleted')}),
		$n,
		"$name: history has the end of each");
	return $milliseconds / $n;
}

foreach my $case ([ 'tasks', 1000, 10000, 30000 ], [ 'children', 300, 3000 ])
{
	my ($of, $least, @more) = @$case;

	fan_out($of, 20, "20 $of");
	my $each = min(map { fan_out($of, $least, "$least $of, $_") } 1 .. 3);
	foreach my $n (@more)
	{
		my $time = fan_out($of, $n, "$n $of");

		# somebody else may have had the machine
		foreach my $again (1 .. 2)
		{
			$time = min($time, fan_out($of, $n, "$n $of, again $again"))
			  if $time > 2 * $each;
		}
		cmp_ok($time, '<=', 2.5 * $each,
			"one of $n $of costs about what one of $least does");
	}
}
is(open_tasks(), 0, 'nothing of all that is open any more');

# Others do not have to wait until all those tasks have run.
query(q{SELECT df_start_singleton('fan_out', 'crowd', '{"of": "tasks", "n": 30000}')});
$node->poll_query_until('postgres', "SELECT waiting_for = 'all of 30000 tasks' FROM df_instances WHERE instance_id = 'crowd'")
  or die 'the tasks do not begin';
my ($result, $milliseconds) = timed($node, 'postgres', q{
	SELECT df_start_singleton('child', 'beside', '1') AS started \gset
	SELECT runtime_status, output FROM df_wait_for_completion('beside')});
note "an instance beside 30000 tasks: $milliseconds ms";
is($result, 'Completed|2', 'an instance beside 30000 tasks runs');
is(query("SELECT runtime_status FROM df_get_status('crowd')"),
	'Running', 'and does not wait for all of them');
ok(wait_ended($node, 'postgres', 'crowd'), 'they, too, come to their end');

# One worker is enough, for tasks and for children that wait for children.
query('ALTER SYSTEM SET durable_singleton.max_workers = 1');
$node->reload;
query('SELECT count(pg_terminate_backend(pid)) FROM df_stat_workers');
query(q{
	SELECT df_start_singleton('fan_out', 'alone ' || of, jsonb_build_object('of', of, 'n', 50))
	FROM unnest('{tasks,children}'::text[]) of});
ok(wait_ended($node, 'postgres', 'alone %'), 'one worker alone brings fan-outs to their end');
query('ALTER SYSTEM RESET durable_singleton.max_workers');
$node->reload;

#
# Suspended in the middle
#
my $gate = $node->background_psql('postgres');

$gate->query_safe('SELECT pg_advisory_lock(8, 4)');
query(q{SELECT df_start_singleton('writing', 'still', '{"n": 100, "from": 11, "gate": 4}')});
ok($node->poll_query_until('postgres', $at_gate, '4'), 'suspend: four tasks run');
query("SELECT df_suspend('still')");
$gate->query_safe('SELECT pg_advisory_unlock(8, 4)');
ok( $node->poll_query_until('postgres',
		"SELECT count(*) FROM ledger WHERE instance = 'still'", '14'),
	'suspend: they finish');
fan_out('tasks', 20, 'beside the suspended one');
is( query(q{
		SELECT count(*), (SELECT runtime_status FROM df_get_status('still'))
		FROM ledger WHERE instance = 'still'}),
	'14|Suspended',
	'suspend: no other begins');
query("SELECT df_resume('still')");
ok(wait_ended($node, 'postgres', 'still'), 'resume: all of them run');
is( query(q{
		SELECT count(*), count(DISTINCT step),
			(SELECT output FROM df_get_status('still')) = jsonb_agg(token ORDER BY step)
		FROM ledger WHERE instance = 'still'}),
	'100|100|t',
	'resume: each of the hundred exactly once');

#
# Terminated with tasks that run, and many that have not begun
#

foreach my $how ('df_terminate', 'on_conflict')
{
	$gate->query_safe('SELECT pg_advisory_lock(8, 1)');
	query(qq{SELECT df_start_singleton('writing', '$how', '{"n": 200, "from": 1, "gate": 1}')});
	ok($node->poll_query_until('postgres', $at_gate, '4'), "$how: four tasks run");
	my $begun = time;
	query($how eq 'df_terminate'
		? "SELECT df_terminate('$how', 'enough')"
		: qq{SELECT df_start_singleton('fan_out', '$how', '{"of": "tasks", "n": 3}', on_conflict => 'terminate')});
	ok($node->poll_query_until('postgres', $at_gate, '0'), "$how: all of them are interrupted");
	my $seconds = time - $begun;
	note sprintf '%s: %.2f s', $how, $seconds;
	cmp_ok($seconds, '<', 5, "$how: soon");
	$gate->query_safe('SELECT pg_advisory_unlock(8, 1)');

	# Whatever could still begin would do so before this one ends.
	fan_out('tasks', 20, "after $how");
	is( query("SELECT runtime_status FROM df_wait_for_completion('$how')"),
		$how eq 'df_terminate' ? 'Terminated' : 'Completed',
		"$how: it has ended");
	is(query(qq{
			SELECT (SELECT count(*) FROM ledger WHERE instance = '$how'),
				(SELECT count(*) FROM df_history WHERE instance_id = '$how'
					AND name = 'write' AND event_type IN ('TaskCompleted', 'TaskFailed'))}),
		'0|0',
		"$how: what ran is undone, what had not begun has not run");
	ok( $node->poll_query_until('postgres', 'SELECT count(*) FROM durable_singleton.task', '0'),
		"$how: nothing of it is open");
}
$gate->quit;

#
# Processes die in the middle of a fan-out
#
sub survive
{
	my ($name, $strike) = @_;
	my $n       = 500;
	my $holding = $node->background_psql('postgres');

	$holding->query_safe('SELECT pg_advisory_lock(8, 2)');
	query("SELECT setval('passes', 1, false)");
	query(qq{SELECT df_start_singleton('writing', '$name', '{"n": $n, "from": 250, "gate": 2}')});
	$node->poll_query_until('postgres', $at_gate, '4')
	  or die 'the workers do not get into the tasks';
	my $done = query("SELECT count(*) FROM ledger WHERE instance = '$name'");

	$strike->(query(q{
		SELECT pid FROM df_stat_workers WHERE instance_id IS NOT NULL LIMIT 1}));
	$holding->quit;
	note "$name: $done of $n tasks had ended";
	ok(wait_ended($node, 'postgres', $name), "$name: the instance ends");
	is( query(qq{
			SELECT runtime_status, jsonb_array_length(output) FROM df_get_status('$name')}),
		"Completed|$n",
		"$name: it has completed");
	is( query(qq{
			SELECT count(*), count(DISTINCT step) FROM ledger WHERE instance = '$name'}),
		"$n|$n",
		"$name: every effect is there exactly once");
	is( query(qq{
			SELECT output = (SELECT jsonb_agg(token ORDER BY step)
					FROM ledger WHERE instance = '$name'),
				(SELECT count(*) FROM df_history WHERE instance_id = '$name'
					AND event_type = 'TaskCompleted')
			FROM df_get_status('$name')}),
		"t|$n",
		"$name: ledger, history and results agree");
	return;
}

foreach my $round (1 .. 2)
{
	my %strikes = strikes($node);

	survive("$_, $round", $strikes{$_}) foreach sort keys %strikes;
}

#
# No wake-up is lost: many small ones, which end while others look
#
$node->pgbench(
	'-n -c 6 -j 2 -t 150',
	0,
	[qr/processed: 900\/900/],
	[qr/^(?!.*(?:ERROR|aborted))/s],
	'six sessions start small fan-outs and send each an event',
	{
		small => q{
SELECT nextval('arrived') AS n \gset
BEGIN;
SELECT df_start_singleton('small', 'small ' || :n, to_jsonb(:n));
COMMIT;
SELECT df_raise_event('small ' || :n, 'go', '0') WHERE :n % 4 = 3;
}
	});
ok(wait_ended($node, 'postgres', 'small %'), 'all of them end, without a rescan');
is( query(q{
		SELECT runtime_status, count(*) FROM df_instances
		WHERE instance_id LIKE 'small %' GROUP BY 1}),
	'Completed|900',
	'and have completed');
is( query(q{
		SELECT count(*) - count(DISTINCT (instance, step)),
			count(*) - (SELECT sum(2 + input::int % 3) FROM df_instances
				WHERE instance_id LIKE 'small %')
		FROM ledger WHERE instance LIKE 'small %'}),
	'0|0',
	'each task has run exactly once');
is(open_tasks(), 0, 'nothing of them is open');

# Nor when there is nobody else, whose own wake-up would help.
$node->pgbench(
	'-n -c 1 -t 400',
	0,
	[qr/processed: 400\/400/],
	[qr/^(?!.*(?:ERROR|aborted))/s],
	'one session starts instances one after the other, and none takes ten seconds',
	{
		mixed => q{
SELECT nextval('arrived') AS n \gset
SELECT df_start_singleton('mixed', 'mixed ' || :n, to_jsonb(:n));
SELECT 1 / (output = '[1, 2, 6, null]')::int FROM df_wait_for_completion('mixed ' || :n, '10 s');
}
	});

finish($node);
done_testing();
