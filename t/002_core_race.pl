# 32 sessions start one id at the same moment: one start, never two.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $sessions = 32;
my $node     = new_server('main', conf => "max_connections = 60\n");

# An instance stays active until the conductor lets it end after the round.
# Rounds go in pairs: the first starts a fresh id, the second starts over the
# ended instance of the first.
$node->safe_psql('postgres', q{
CREATE FUNCTION held(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_wait_for_external_event('go');
	RETURN NULL;
END $$;

CREATE FUNCTION id_of(race text, round int) RETURNS text LANGUAGE sql
IMMUTABLE AS $$ SELECT race || '-' || (round + 1) / 2 $$;

CREATE FUNCTION wait_at_gate(sessions int, race int, round int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	WHILE sessions > (SELECT count(*) FROM pg_locks
		WHERE locktype = 'advisory' AND classid = race AND objid = round
			AND NOT granted)
	LOOP
		PERFORM pg_sleep(0.001);
	END LOOP;
END $$;

-- Opens the gate of a round when all sessions stand at it; all sessions at
-- the gate of the next one have the round behind them.  The caller has closed
-- the first gate.
CREATE PROCEDURE conduct(sessions int, race int, name text, rounds int)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM wait_at_gate(sessions, race, 1);
	FOR round IN 1 .. rounds LOOP
		PERFORM pg_advisory_lock(race, round + 1);
		PERFORM pg_advisory_unlock(race, round);
		PERFORM wait_at_gate(sessions, race, round + 1);
		IF EXISTS (SELECT FROM df_get_status(id_of(name, round))
			WHERE runtime_status IN ('Pending', 'Running'))
		THEN
			PERFORM df_raise_event(id_of(name, round), 'go');
			COMMIT;
			PERFORM df_wait_for_completion(id_of(name, round));
		END IF;
		COMMIT;
	END LOOP;
	PERFORM pg_advisory_unlock_all();
END $$;
});

# One race: returns for each round how many sessions got which answer.
#   autocommit   the start is a transaction of its own
#   block        the start's COMMIT is another round trip: starters overlap,
#                and at the higher levels all snapshots are older than the
#                first commit
sub race
{
	my ($number, $name, $rounds, $level) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir;
	my (@psql, @count);

	my $script = '';
	foreach my $round (1 .. $rounds + 1)
	{
		my $block = $level ne 'READ COMMITTED' || $round % 4 > 1;
		my $gate  = "SELECT FROM pg_advisory_xact_lock_shared($number, $round);\n";
		my $start =
		  "SELECT df_start_singleton('held', id_of('$name', $round)) AS answer \\gset\n";

		if ($round > $rounds)
		{
			$script .= $gate;
			last;
		}
		$script .= "\\set answer -\n";
		$script .=
		  $block
		  ? "BEGIN ISOLATION LEVEL $level;\n$gate$start\\set state :SQLSTATE\nCOMMIT;\n"
		  : "$gate$start\\set state :SQLSTATE\nSELECT;\n";
		$script .= "\\echo round $round :answer :state :SQLSTATE\n";
	}
	append_to_file("$dir/script", $script);

	my $conductor = $node->background_psql('postgres');
	$conductor->query_safe(
		"SET statement_timeout = '120s'; SELECT pg_advisory_lock($number, 1)");
	push @psql, start_psql($node, 'postgres', "$dir/script", "$dir/out$_")
	  foreach 1 .. $sessions;

	my $begun = time;
	$conductor->query_safe("CALL conduct($sessions, $number, '$name', $rounds)");
	$conductor->quit;
	$_->finish foreach @psql;
	note sprintf '%s: %d rounds in %.1f s', $name, $rounds, time - $begun;

	$count[$_] = {} foreach 1 .. $rounds;
	foreach my $session (1 .. $sessions)
	{
		foreach (split /\n/, slurp_file("$dir/out$session"))
		{
			my ($round, $answer, $state, $commit) =
			  /^round (\d+) ([tf-]) (\w{5}) (\w{5})$/
			  or next;

			# A start whose transaction did not commit has not happened.
			my ($error) = grep { $_ ne '00000' } $state, $commit;
			$count[$round]->{ $error // $answer }++;
		}
	}
	return @count[ 1 .. $rounds ];
}

sub rounds_where
{
	my ($condition, @count) = @_;

	return scalar grep { $condition->() } @count;
}

# Every execution that exists was answered by exactly one true.
sub executions
{
	my ($name) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT (SELECT count(*) FROM df_instances WHERE instance_id LIKE '$name-%')
			+ (SELECT count(*) FROM df_executions WHERE instance_id LIKE '$name-%')});
}

my @count = race(1, 'committed', 500, 'READ COMMITTED');
my @fresh = @count[ grep { $_ % 2 == 0 } 0 .. $#count ];
my @over  = @count[ grep { $_ % 2 == 1 } 0 .. $#count ];

is(rounds_where(sub { ($_->{t} // 0) == 1 }, @fresh),
	250, 'READ COMMITTED, fresh id: exactly one true in each of 250 rounds');
is(rounds_where(sub { ($_->{t} // 0) == 1 }, @over),
	250, 'READ COMMITTED, over an ended instance: exactly one true in each of 250 rounds'
);
is(rounds_where(sub { ($_->{f} // 0) == $sessions - 1 }, @count),
	500, 'READ COMMITTED: all the others got false');
is(executions('committed'), 500, 'READ COMMITTED: one execution for each true');

my $number = 1;
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	my ($name) = lc($level) =~ /^(\w+)/;
	my ($answers, $trues, $failures) = (0, 0, 0);

	@count = race(++$number, $name, 60, $level);
	foreach (@count)
	{
		$answers += ($_->{t} // 0) + ($_->{f} // 0) + ($_->{40001} // 0);
		$trues    += $_->{t}     // 0;
		$failures += $_->{40001} // 0;
	}
	note "$level: $trues true, $failures times 40001, of $answers";

	is(rounds_where(sub { ($_->{t} // 0) > 1 }, @count),
		0, "$level: never a second true");
	is($answers, 60 * $sessions, "$level: a loser gets false or 40001");
	cmp_ok($trues, '>=', $level eq 'SERIALIZABLE' ? 1 : 60,
		"$level: there are winners");
	is(executions($name), $trues, "$level: one execution for each true");
}

finish($node);
done_testing();
