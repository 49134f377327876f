# Long histories: a thousand activities in sequence cost little more each at
# the end than at the beginning, and an endless orchestration uses constant
# space.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# Autovacuum is as in a stock server; how far it gets in the time of this test
# is left to chance, so the test itself vacuums after every 10,000 turns.
my $node = new_server('main', conf => "durable_singleton.worker_max_lifetime = 0\n");

$node->safe_psql('postgres', q{
CREATE FUNCTION step(i int) RETURNS int LANGUAGE sql AS $$ SELECT i $$;
CREATE FUNCTION chain(n int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	sum bigint := 0;
BEGIN
	FOR i IN 1 .. n LOOP
		sum := sum + df_call_activity('step', jsonb_build_object('i', i))::int;
	END LOOP;
	RETURN sum;
END $$;
CREATE FUNCTION records(n int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	sum numeric := 0;
	value jsonb;
	told jsonb;
BEGIN
	FOR i IN 1 .. n LOOP
		value := df_record(to_jsonb(random()));
		sum := sum + value::numeric;
		IF i = n / 2 THEN
			PERFORM df_call_activity('step', '{"i": 0}');
		END IF;
	END LOOP;
	told := df_record(to_jsonb(sum));
	PERFORM df_create_timer('1 ms');
	RETURN jsonb_build_object('sum', sum, 'told before', told);
END $$;
-- stops after each 10,000 turns until it is told to go on
CREATE FUNCTION eternal(turn int, last int, activity boolean) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb;
BEGIN
	IF activity AND turn % 2 = 0 THEN
		x := df_call_activity('step', jsonb_build_object('i', turn));
	END IF;
	IF turn % 10000 = 0 THEN
		PERFORM df_wait_for_external_event('go on');
	END IF;
	IF turn < last THEN
		PERFORM df_continue_as_new(jsonb_build_object('turn', turn + 1, 'last', last, 'activity', activity));
	END IF;
	RETURN to_jsonb(turn);
END $$;
});

# --- a thousand activities -------------------------------------------------

$node->safe_psql('postgres', q{SELECT df_start_singleton('chain', 'warm', '{"n": 10}')});
wait_ended($node, 'postgres', 'warm') or die 'chain does not run';
my $begun = time;
$node->safe_psql('postgres', q{SELECT df_start_singleton('chain', 'chain', '{"n": 1000}')});
ok(wait_ended($node, 'postgres', 'chain'), 'a chain of 1000 activities ends');
note sprintf '%.1f s', time - $begun;
is( $node->safe_psql('postgres', q{SELECT runtime_status, output FROM df_get_status('chain')}),
	'Completed|500500', 'and has all their results');
my ($first, $last) = split /\|/, $node->safe_psql('postgres', q{
	SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE n BETWEEN 2 AND 200)::numeric, 3),
		round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE n > 800)::numeric, 3)
	FROM (SELECT row_number() OVER w AS n,
			extract(epoch FROM event_time - lag(event_time) OVER w)::float8 * 1000 AS ms
		FROM df_history WHERE instance_id = 'chain' AND event_type = 'TaskCompleted'
		WINDOW w AS (ORDER BY seq)) h});
note "a step costs $first ms among the first 200, $last ms among the last 200 (medians)";
SKIP:
{
	skip 'each replayed call costs a multiple in this build', 1 unless at_full_speed($node);
	cmp_ok($last, '<', 8 * $first,
		'a step at the end costs at most a few times one at the beginning');
}

# --- recorded values -------------------------------------------------------

$begun = time;
$node->safe_psql('postgres', q{SELECT df_start_singleton('records', 'records', '{"n": 2000}')});
ok(wait_ended($node, 'postgres', 'records'), 'an orchestrator with 2000 recorded values ends');
note sprintf '%.1f s', time - $begun;
is( $node->safe_psql('postgres', q{
		SELECT s.runtime_status, (output ->> 'sum')::numeric > 0, output -> 'sum' = output -> 'told before',
			(output ->> 'sum')::numeric = (SELECT sum(result::numeric) FILTER (WHERE n <= 2000) FROM
				(SELECT result, row_number() OVER (ORDER BY seq) AS n FROM df_history
				WHERE instance_id = 'records' AND event_type = 'GenericEvent') h)
		FROM df_get_status('records') s}),
	'Completed|t|t|t', 'each replay has seen the same values, and history has them');

# --- for ever --------------------------------------------------------------

my @kinds = (
	[ 'eternal', 'false', 'without activities' ],
	[ 'working', 'true',  'with an activity in every second turn' ]);

foreach my $kind (@kinds)
{
	my ($id, $activity, $name) = @$kind;
	my (@size, @memory);

	$node->safe_psql('postgres', 'VACUUM FULL');
	$begun = time;
	$node->safe_psql('postgres', qq{SELECT df_start_singleton('eternal', '$id',
		'{"turn": 1, "last": 100000, "activity": $activity}')});
	foreach my $round (1 .. 10)
	{
		poll_turn($id, $round * 10000)
		  or die "$name: turn " . $round * 10000 . ' is not reached';
		push @size,   size();
		push @memory, memory();
		$node->safe_psql('postgres', 'VACUUM');
		$node->safe_psql('postgres', "SELECT df_raise_event('$id', 'go on')");
	}
	ok(wait_ended($node, 'postgres', $id), "$name: 100,000 turns end");
	note sprintf '%s: %.1f s', $name, time - $begun;
	note 'kB before each vacuum: ', join ' ', @size;
	note 'kB of the worker: ', join ' ', map { $_ // '?' } @memory;
	my $largest = (sort { $b <=> $a } @size)[0];
	cmp_ok($largest, '<=', 2 * $size[0],
		"$name: tables and indexes never take more than twice the room of the first 10,000 turns");
	SKIP:
	{
		skip 'the worker cannot be watched', 1 if grep { !defined } @memory;
		cmp_ok($memory[-1] - $memory[1], '<', 16384,
			"$name: the worker's memory does not grow");
	}
	is( $node->safe_psql('postgres', qq{
			SELECT count(*), min(runtime_status), min(input ->> 'turn'), min(output::text)
			FROM df_instances WHERE instance_id = '$id'}),
		'1|Completed|100000|100000', "$name: one row tells of the last turn");
	is( $node->safe_psql('postgres', qq{
			SELECT (SELECT count(*) FROM df_executions WHERE instance_id = '$id'),
				(SELECT string_agg(event_type, ' ' ORDER BY seq) FROM df_history WHERE instance_id = '$id')}),
		'0|ExecutionStarted '
		  . ($activity eq 'true' ? 'TaskScheduled TaskCompleted ' : '')
		  . 'EventRaised ExecutionCompleted',
		"$name: the story is that of the last turn");
	$node->safe_psql('postgres', "SELECT df_purge('$id')");
}

# What is left is the history of the two instances above.
is( tables_with_rows(), 'history home instance',
	'no other table has a row');
is( $node->safe_psql('postgres', 'SELECT count(df_purge(instance_id)) FROM df_instances'),
	3, 'the others can be purged');
is(tables_with_rows(), 'home', 'and then all tables are empty');

# Waits until the instance waits at the end of that turn.
sub poll_turn
{
	my ($id, $turn) = @_;

	return $node->poll_query_until('postgres', qq{
		SELECT count(*) = 1 FROM df_instances WHERE instance_id = '$id'
			AND waiting_for IS NOT NULL AND (input ->> 'turn')::int = $turn});
}

# Tables of the extension with their indexes and TOAST tables, in kB.
sub size
{
	return $node->safe_psql('postgres', q{
		SELECT sum(pg_total_relation_size(oid) / 1024) FROM pg_class
		WHERE relnamespace = 'durable_singleton'::regnamespace AND relkind = 'r'});
}

# Memory of the largest worker that is its own, in kB; undefined where nobody
# can tell.
sub memory
{
	my @sizes = sort { $b <=> $a } map { -r "/proc/$_/status"
		? slurp_file("/proc/$_/status") =~ /^RssAnon:\s+(\d+) kB/m : () }
	  split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM df_stat_workers');

	return $sizes[0];
}

sub tables_with_rows
{
	my @tables = split /\n/, $node->safe_psql('postgres', q{
		SELECT relname FROM pg_class
		WHERE relnamespace = 'durable_singleton'::regnamespace AND relkind = 'r' ORDER BY 1});

	return join ' ', grep {
		$node->safe_psql('postgres', "SELECT EXISTS (SELECT FROM durable_singleton.$_)") eq 't'
	} @tables;
}

finish($node);
done_testing();
