# Workers and servers die in the middle of activities: every instance ends, and
# every effect exists exactly once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "restart_after_crash = on\n");

# Each activity writes a token that it also returns, and has a gate to pass.
# The ledger has no constraint that would hide a second run.
$node->safe_psql('postgres', q{
CREATE TABLE ledger (instance text, step int, token uuid);
CREATE FUNCTION step(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	mine uuid := gen_random_uuid();
BEGIN
	INSERT INTO ledger VALUES (input ->> 'id', (input ->> 'step')::int, mine);
	PERFORM pg_advisory_xact_lock_shared(8, (input ->> 'step')::int);
	PERFORM pg_sleep(0.002);
	RETURN to_jsonb(mine);
END $$;
CREATE FUNCTION six_steps(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tokens jsonb := '[]';
BEGIN
	FOR n IN 1 .. 6 LOOP
		tokens := tokens || df_call_activity('step',
			jsonb_build_object('id', df_instance_id(), 'step', n));
		IF n = 3 THEN
			PERFORM df_wait_for_external_event('go');
			PERFORM df_create_timer('10 ms');
		END IF;
	END LOOP;
	RETURN tokens;
END $$;
});

my $instances = 60;

# Starts a batch, lets all workers get into the activity of that number, calls
# the function with the pid of one of them, and looks at what there is in the
# end.
sub survive
{
	my ($name, $step, $strike) = @_;
	my $gate = $node->background_psql('postgres');

	$gate->query_safe("SELECT pg_advisory_lock(8, $step)");
	$node->safe_psql('postgres', qq{
		BEGIN;
		SELECT count(df_start_singleton('six_steps', '$name ' || n))
			FROM generate_series(1, $instances) n;
		SELECT count(df_raise_event('$name ' || n, 'go'))
			FROM generate_series(1, $instances) n;
		COMMIT});
	my $workers = q{df_stat_workers JOIN pg_stat_activity USING (pid)
		WHERE wait_event = 'advisory'};
	$node->poll_query_until('postgres', "SELECT count(*) = 4 FROM $workers")
	  or die 'the workers do not get into the activity';
	my $pid = $node->safe_psql('postgres', "SELECT pid FROM $workers LIMIT 1");
	my $open = $node->safe_psql('postgres', qq{
		SELECT count(*) FROM df_instances WHERE instance_id LIKE '$name %'
			AND runtime_status <> 'Completed'});

	$strike->($pid);
	$gate->quit;
	note "$name: $open of $instances instances were still running";
	ok(wait_ended($node, 'postgres', "$name %"), "$name: every instance ends");
	is( $node->safe_psql('postgres', qq{
			SELECT runtime_status, count(*) FROM df_instances
			WHERE instance_id LIKE '$name %' GROUP BY 1}),
		"Completed|$instances",
		"$name: and has completed");
	is( $node->safe_psql('postgres', qq{
			SELECT count(*), count(DISTINCT (instance, step)) FROM ledger
			WHERE instance LIKE '$name %'}),
		join('|', (6 * $instances) x 2),
		"$name: every effect is there exactly once");
	is( $node->safe_psql('postgres', qq{
			SELECT count(*) FROM df_instances i
			WHERE instance_id LIKE '$name %'
				AND (output IS DISTINCT FROM (SELECT jsonb_agg(token ORDER BY step)
						FROM ledger WHERE instance = instance_id)
					OR output IS DISTINCT FROM (SELECT jsonb_agg(result ORDER BY seq)
						FROM df_history h WHERE h.instance_id = i.instance_id
							AND event_type = 'TaskCompleted'))}),
		0,
		"$name: ledger, history and output agree");
	return;
}

foreach my $round (1 .. 3)
{
	my $step = 2 * $round;

	survive("kill -9, $round", $step, sub {
		my ($pid) = @_;
		my $mark = -s $node->logfile;

		kill 'KILL', $pid;
		$node->wait_for_log(qr/$pid\) was terminated by signal 9/, $mark);
	});
	survive("pg_terminate_backend, $round", $step, sub {
		my ($pid) = @_;

		is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)"),
			't', 'a worker is told to go');
	});
	survive("immediate shutdown, $round", $step, sub {
		$node->stop('immediate');
		$node->start;
	});
}
survive('fast shutdown', 3, sub { $node->restart });

# All workers at once, again and again
survive('all workers', 5, sub {
	foreach (1 .. 5)
	{
		$node->poll_query_until('postgres', q{
			SELECT count(pg_terminate_backend(pid)) > 0 FROM df_stat_workers
			WHERE instance_id IS NOT NULL})
		  or die 'no worker is there';
	}
});

finish($node);
done_testing();
