# A result that an activity passed to the outside world is never lost in a
# crash, in the modes of step_commit that promise it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The WAL writer is slow, so that an asynchronous commit is really lost in a
# crash.  It is woken for each page of WAL that is full: without images of whole
# pages there are few, and not one behind each commit.
my $instances = 4;
my $node      = new_server('main', conf => qq{
wal_writer_delay = '10s'
full_page_writes = off
durable_singleton.max_workers = $instances
});

# The first activity draws a value, the second one tells it to a file and, as
# long as there is a file "stay", does not come to its end.
$node->safe_psql('postgres', q{
CREATE FUNCTION draw(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT to_jsonb(gen_random_uuid()) $$;
CREATE FUNCTION tell(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY (SELECT %L) TO PROGRAM %L', input ->> 'value',
		format('cat >> "%s/%s"', input ->> 'dir', input ->> 'id'));
	IF (pg_stat_file((input ->> 'dir') || '/stay', true)).size IS NOT NULL THEN
		PERFORM pg_sleep(600);
	END IF;
	RETURN NULL;
END $$;
CREATE FUNCTION draw_and_tell(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	value jsonb := df_call_activity('draw');
BEGIN
	PERFORM df_call_activity('tell', jsonb_build_object('value', value,
		'dir', input, 'id', df_instance_id()));
	RETURN value;
END $$;
});

my %taken_back;

foreach my $round (1 .. 2)
{
	foreach my $mode ('group', 'on', 'off')
	{
		crash($mode, "$mode-$round");
	}
}
cmp_ok($taken_back{off}, '>', 0,
	'off, which does not promise it, does take values back: the crashes are real');
crash_after_freeze();

sub crash
{
	my ($mode, $name) = @_;
	my $dir        = PostgreSQL::Test::Utils::tempdir_short;
	my $taken_back = 0;

	append_to_file("$dir/stay", '');
	$node->safe_psql('postgres',
		"ALTER SYSTEM SET durable_singleton.step_commit = '$mode'");
	$node->reload;
	$node->poll_query_until('postgres', 'SHOW durable_singleton.step_commit', $mode)
	  or die 'step_commit did not change';
	$node->safe_psql('postgres', qq{
		SELECT df_start_singleton('draw_and_tell', '$name-' || n, to_jsonb('$dir'::text))
		FROM generate_series(1, $instances) n});
	$node->poll_query_until('postgres', q{
			SELECT count(*) FROM df_stat_workers JOIN pg_stat_activity USING (pid)
			WHERE wait_event = 'PgSleep'},
		$instances)
	  or die 'the activities do not run';
	$node->stop('immediate');

	my %told = map { $_ => slurp_file("$dir/$name-$_") } 1 .. $instances;
	is(scalar(grep { length == 37 } values %told),
		$instances, "$name: each instance has told a value before the crash");

	unlink "$dir/stay";
	$node->start;
	ok(wait_ended($node, 'postgres', "$name-%"), "$name: all instances end");
	foreach my $n (1 .. $instances)
	{
		my $drawn = $node->safe_psql('postgres', qq{
			SELECT result #>> '{}' FROM df_history WHERE instance_id = '$name-$n'
				AND event_type = 'TaskCompleted' AND name = 'draw'});

		is( $node->safe_psql('postgres',
				"SELECT runtime_status, output #>> '{}' FROM df_get_status('$name-$n')"),
			"Completed|$drawn",
			"$name: state and history of $n agree");
		like(slurp_file("$dir/$name-$n"),
			qr/^$drawn$/m, "$name: $n has told what it holds now");
		$taken_back++ if $told{$n} ne "$drawn\n";
	}
	$taken_back{$mode} += $taken_back;
	note "$name: $taken_back of $instances values that were told were taken back";
	is($taken_back, 0, "$name: no value that was told has been taken back")
	  if $mode ne 'off';
	return;
}

# Vacuum freezes the rows of a step that has not been flushed yet, and another
# process goes on.  Who flushes WAL by himself is stopped.
sub crash_after_freeze
{
	my $dir = PostgreSQL::Test::Utils::tempdir_short;

	append_to_file("$dir/stay", '');
	$node->append_conf('postgresql.conf', q{
durable_singleton.step_commit = group
durable_singleton.enabled = off
bgwriter_lru_maxpages = 0
autovacuum = off
});
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET ALL');
	$node->restart;
	$node->safe_psql('postgres', qq{SELECT df_start_singleton('draw_and_tell', 'frozen', to_jsonb('$dir'::text))});
	my @flushers = split /\n/, $node->safe_psql('postgres', q{
		SELECT pid FROM pg_stat_activity
		WHERE backend_type IN ('walwriter', 'checkpointer', 'durable_singleton launcher')});
	is(@flushers, 3, 'frozen: who flushes WAL is found');
	kill 'STOP', @flushers;
	$node->safe_psql('postgres', 'CALL df_run(1)');
	$node->safe_psql('postgres', q{
		SET synchronous_commit = off;
		VACUUM (FREEZE) durable_singleton.instance;
		VACUUM (FREEZE) durable_singleton.history});
	my $drawn = $node->safe_psql('postgres', q{
		SELECT result #>> '{}' FROM df_history WHERE instance_id = 'frozen' AND event_type = 'TaskCompleted'});
	is($node->safe_psql('postgres', q{SELECT pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()}),
		't', 'frozen: the step is not on disk yet');
	my $session = $node->background_psql('postgres');
	$session->query_until(qr/^$/, "CALL df_run(1);\n");
	$node->poll_query_until('postgres', q{
			SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'})
	  or die 'the activity does not run';
	is(slurp_file("$dir/frozen"), "$drawn\n", 'frozen: the next one tells its value');
	# the postmaster ends those that are stopped, too
	$node->stop('immediate');
	unlink "$dir/stay";
	$node->start;
	$node->append_conf('postgresql.conf', 'durable_singleton.enabled = on');
	$node->reload;
	ok(wait_ended($node, 'postgres', 'frozen'), 'frozen: the instance ends');
	is($node->safe_psql('postgres', q{SELECT output #>> '{}' FROM df_get_status('frozen')}),
		$drawn, 'frozen: what it has told has not been taken back');
	return;
}

finish($node);
done_testing();
