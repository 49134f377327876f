# Work runs when it is due, not when a process polls: start to end, events,
# timers.  What is prompt depends on the machine and its load, so each time is
# compared with one that was measured beside it: a commit, or a start to end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use List::Util qw(max min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node =
  new_server('main', conf => "durable_singleton.worker_idle_timeout = '10min'\n");

$node->safe_psql('postgres', q{
CREATE TABLE plain (n int);
CREATE TABLE fired (instance text, due timestamptz, at timestamptz);
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION same(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION three(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('same', '1');
	PERFORM df_call_activity('same', '2');
	RETURN df_call_activity('same', '3');
END $$;
CREATE FUNCTION hold(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(8, 1);
	RETURN NULL;
END $$;
CREATE FUNCTION hold_then_event(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('hold');
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION three_events(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	data jsonb[];
BEGIN
	data[1] := df_wait_for_external_event('go');
	PERFORM df_call_activity('same', '1');
	data[2] := df_wait_for_external_event('go');
	data[3] := df_wait_for_external_event('go');
	RETURN to_jsonb(data);
END $$;
CREATE FUNCTION fire(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	INSERT INTO fired VALUES ($1 ->> 'id', ($1 ->> 'due')::timestamptz,
		clock_timestamp()) RETURNING NULL::jsonb $$;
CREATE FUNCTION timed(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	due timestamptz := df_current_utc_datetime() + (input #>> '{}')::interval;
BEGIN
	PERFORM df_create_timer(fire_at => due);
	RETURN df_call_activity('fire',
		jsonb_build_object('id', df_instance_id(), 'due', due));
END $$;
});
rescan_off($node);

#
# Start to completed, as a client sees it
#
foreach my $orchestrator ('once', 'three')
{
	my ($commit, $run) = start_to_completed($orchestrator, 60);

	note sprintf '%s: start to completed %.2f ms (median), a commit %.2f ms', $orchestrator, $run, $commit;
	cmp_ok($run, '<', 60 * $commit, "$orchestrator: start to completed takes some commits");
}

#
# An event that is committed while a step runs
#
my $gate = $node->background_psql('postgres');
my @milliseconds;

foreach my $n (1 .. 10)
{
	$gate->query_safe('SELECT pg_advisory_lock(8, 1)');
	$node->safe_psql('postgres',
		"SELECT df_start_singleton('hold_then_event', 'during $n')");
	wait_in_activity($node, 'postgres', "during $n")
	  or die 'no worker gets into the activity';
	$node->safe_psql('postgres', "SELECT df_raise_event('during $n', 'go', '$n')");
	my $line = $gate->query_safe(qq{
SELECT clock_timestamp() AS begun \\gset
SELECT pg_advisory_unlock(8, 1) AS unlocked \\gset
SELECT output, round(extract(epoch FROM clock_timestamp() - :'begun') * 1000, 2)
	FROM df_wait_for_completion('during $n', '20 s')});
	push @milliseconds, $1 if $line =~ /^$n\|(.*)$/;
}
$gate->quit;
is(scalar @milliseconds, 10, 'an event that comes during a step is not lost');
my (undef, $run) = start_to_completed('warm', 10);
note sprintf 'end of the step to completed %.2f ms (median), a start to completed %.2f ms',
  median(@milliseconds), $run;
cmp_ok(median(@milliseconds), '<', 20 * $run, 'the instance goes on at once');

# Events that come while the instance goes to sleep: no wake-up is lost.
$node->pgbench(
	'-n -c 6 -j 2 -t 100',
	0,
	[qr/processed: 600\/600/],
	[qr/^(?!.*(?:ERROR|aborted))/s],
	'six sessions start instances and send them events right away',
	{
		events => q{
\set n random(1, 1000000000)
SELECT df_start_singleton('three_events', 'burst ' || :client_id || ' ' || :n);
SELECT df_raise_event('burst ' || :client_id || ' ' || :n, 'go', '1');
SELECT df_raise_event('burst ' || :client_id || ' ' || :n, 'GO', '2');
SELECT df_raise_event('burst ' || :client_id || ' ' || :n, 'go', '3');
}
	});
ok(wait_ended($node, 'postgres', 'burst %'), 'all of them end, without a rescan');
is( $node->safe_psql('postgres', q{
		SELECT DISTINCT runtime_status, output, count(*) FROM df_instances
		WHERE instance_id LIKE 'burst %' GROUP BY 1, 2}),
	'Completed|[1, 2, 3]|600',
	'with their events in the order in which they were sent');

#
# Timers
#
$node->safe_psql('postgres', q{
	SELECT df_start_singleton('timed', 'timer ' || n,
		to_jsonb(format('%s ms', 200 + 40 * n)))
	FROM generate_series(1, 50) n});
ok(wait_ended($node, 'postgres', 'timer %'), 'fifty timers fire');
(undef, $run) = start_to_completed('beside timers', 10);
check_timers('timer %', 50, 'a worker is there', 20 * $run);

# The worker has gone; its timers have not.
$node->append_conf('postgresql.conf',
	"durable_singleton.worker_idle_timeout = '100ms'\n");
$node->reload;
my @cold;
foreach my $n (1 .. 3)
{
	ok($node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM df_stat_workers)'),
		'the worker retires');
	push @cold, (start_to_completed("cold $n", 1))[1];
	$node->safe_psql('postgres',
		qq{SELECT df_start_singleton('timed', 'cold timer $n', '"2 seconds"')});
	ok( $node->poll_query_until('postgres', qq{
			SELECT waiting_for = 'timer' AND NOT EXISTS (SELECT FROM df_stat_workers)
			FROM df_instances WHERE instance_id = 'cold timer $n'}),
		'the worker retires while the instance waits');
	ok(wait_ended($node, 'postgres', "cold timer $n"), 'the timer fires');
}
note sprintf 'start to completed without a worker %.2f ms (median)', median(@cold);
check_timers('cold timer %', 3, 'no worker is there', 10 * median(@cold));

$node->safe_psql('postgres', q{
	SELECT df_start_singleton('fire', 'later ' || n,
		jsonb_build_object('id', 'later ' || n, 'due', t), start_at => t)
	FROM generate_series(1, 3) n,
		LATERAL (SELECT clock_timestamp() + n * interval '400 ms' AS t) d});
ok(wait_ended($node, 'postgres', 'later %'), 'starts with start_at run');
check_timers('later %', 3, 'start_at', 10 * median(@cold));

# Runs instances and plain commits in turns in one session; returns the median
# of a commit and of a start to completed, in milliseconds.
sub start_to_completed
{
	my ($id, $n) = @_;
	my $orchestrator = $id eq 'three' ? 'three' : 'once';
	my ($script, %milliseconds) = ('');

	foreach (1 .. $n)
	{
		$script .= qq{
SELECT clock_timestamp() AS begun \\gset
INSERT INTO plain VALUES ($_);
SELECT 'commit', round(extract(epoch FROM clock_timestamp() - :'begun') * 1000, 3);
SELECT clock_timestamp() AS begun \\gset
SELECT df_start_singleton('$orchestrator', '$id $_') AS started \\gset
SELECT runtime_status, round(extract(epoch FROM clock_timestamp() - :'begun') * 1000, 3)
	FROM df_wait_for_completion('$id $_');
};
	}
	foreach my $line (split /\n/, $node->safe_psql('postgres', $script))
	{
		my ($what, $time) = split /\|/, $line;
		push @{ $milliseconds{$what} }, $time;
	}
	is(scalar @{ $milliseconds{Completed} // [] }, $n, "$id: completed");
	return map { median(@{ $milliseconds{$_} }) } 'commit', 'Completed';
}

sub check_timers
{
	my ($pattern, $count, $name, $limit) = @_;
	my @late = split /\n/, $node->safe_psql('postgres', qq{
		SELECT round(extract(epoch FROM at - due) * 1000, 1) FROM fired
		WHERE instance LIKE '$pattern'});

	is(scalar @late, $count, "$name: each fires once");
	note sprintf '%s: %.1f ms late (median), %.1f to %.1f ms', $name,
	  median(@late), min(@late), max(@late);
	cmp_ok(min(@late), '>=', 0, "$name: none fires early");
	cmp_ok(median(@late), '<', $limit, "$name: in time");
	return;
}

finish($node);
done_testing();
