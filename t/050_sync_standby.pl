# With synchronous replication nothing acknowledged is lost with the primary:
# no end that a client has seen, no result that an activity built on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SyncStandby;
use Test::More;

my $primary = new_server('primary', init => { allows_streaming => 1 },
	conf => qq{
max_connections = 30
restart_after_crash = on
});

$primary->safe_psql('postgres', q{
CREATE TABLE ledger (instance text, step int);
CREATE FUNCTION step(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	INSERT INTO ledger VALUES ($1 ->> 'id', ($1 ->> 'step')::int)
	RETURNING to_jsonb(step) $$;
CREATE FUNCTION do_step(n int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'step', n)) $$;
CREATE FUNCTION once(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
-- an activity that ends when the test says so, and one that tells the world
CREATE FUNCTION held() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_xact_lock_shared(1) $$;
CREATE FUNCTION tell(file text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY (SELECT 1) TO %L', file);
END $$;
CREATE FUNCTION two(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('held', '{}');
	PERFORM df_call_activity('tell', jsonb_build_object('file', (input #>> '{}') || '/second'));
	RETURN '"two"';
END $$;
CREATE FUNCTION task(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_wait_for_external_event('go');
	RETURN df_await(df_schedule_activity('tell', jsonb_build_object('file', (input #>> '{}') || '/task')));
END $$;
});
my $standby = new_sync_standby($primary);

my $dir = PostgreSQL::Test::Utils::tempdir_short;
my @ids = map { "one $_" } 1 .. 4;

my $gate = $primary->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(1)');
$primary->safe_psql('postgres', qq{
	SELECT df_start_singleton('once', id) FROM unnest('{@{[join ',', @ids]}}'::text[]) id;
	SELECT df_start_singleton('two', 'two', '"$dir"');
	SELECT df_start_singleton('task', 'task', '"$dir"')});
ok( $primary->poll_query_until('postgres', q{
		SELECT count(*) = 5 FROM df_instances WHERE waiting_for = 'event go'}),
	'instances wait');
ok(wait_in_activity($primary, 'postgres', 'two'), 'one is in an activity');
$primary->wait_for_catchup($standby);

#
# Nothing is told that no standby has
#
$standby->stop('immediate');

# The sender of the events does without a confirmation, so do the steps.
$primary->safe_psql('postgres', q{
	SET synchronous_commit = local;
	SELECT df_raise_event(instance_id, 'go', '"gone"') FROM df_instances
	WHERE waiting_for = 'event go'});
$gate->quit;
ok( $primary->poll_query_until('postgres', q{
		SELECT count(*) = 4 FROM df_instances
		WHERE name = 'once' AND runtime_status = 'Completed'}),
	'instances end without the standby, and the view shows it');

my %reader = (
	'df_get_status' => q{SELECT runtime_status FROM df_get_status('one 1')},
	'df_get_status, history' => q{SELECT runtime_status FROM df_get_status('one 1', true, true)},
	'df_wait_for_completion' => q{SELECT runtime_status FROM df_wait_for_completion('one 2')},
	'df_wait_for_any' => q{SELECT runtime_status FROM df_wait_for_any('{one 3}')},
	'CALL df_wait' => q{CALL df_wait('one 4')},
	'remote_write' => q{SET synchronous_commit = remote_write;
		SELECT runtime_status FROM df_get_status('one 1')},
	'remote_apply' => q{SET synchronous_commit = remote_apply;
		SELECT runtime_status FROM df_get_status('one 1')},
	'off in the session' => q{SET synchronous_commit = off;
		SELECT runtime_status FROM df_get_status('one 1')});
my %session = map { $_ => start_reader($primary, $reader{$_}) } sort keys %reader;
all_wait($primary, 'every way to be told of an end waits for the standby');
told_nothing('and says nothing meanwhile');

# A reader that gives up is not told either.
foreach my $call ('df_get_status', 'df_wait_for_completion')
{
	my ($sqlstate, $message) = error_of($primary, 'postgres', qq{
		SET statement_timeout = '200ms';
		SELECT runtime_status FROM $call('one 1')});

	is($sqlstate, '57014', "$call that runs into a time-out fails, and tells nothing");
}

# The activity after another one, and a task
ok( $primary->poll_query_until('postgres', q{
		SELECT count(*) = 2 FROM pg_stat_activity
		WHERE wait_event = 'SyncRep' AND backend_type = 'durable_singleton worker'}),
	'workers wait for the standby, too');
ok(!-e "$dir/second",
	'an activity does not begin before the one before it is safe');
ok(!-e "$dir/task", 'a task does not begin before what scheduled it is safe');

# Somebody cancels the workers: their wait is not over.
$primary->safe_psql('postgres', q{
	SELECT pg_cancel_backend(pid) FROM pg_stat_activity
	WHERE wait_event = 'SyncRep' AND backend_type = 'durable_singleton worker'});
ok( $primary->wait_for_log(qr/canceling (statement|wait)/), 'the workers are cancelled');
ok( $primary->poll_query_until('postgres', q{
		SELECT count(*) = 2 FROM pg_stat_activity
		WHERE wait_event = 'SyncRep' AND backend_type = 'durable_singleton worker'}),
	'and wait again');
ok(!-e "$dir/second" && !-e "$dir/task", 'nothing has begun');

#
# The same after a crash of the primary, which forgets what was in memory
#
stop_readers();
my $mark = -s $primary->logfile;
$primary->stop('immediate');
$primary->start;
%session = map { $_ => start_reader($primary, $reader{$_}) } sort keys %reader;
all_wait($primary, 'after a crash of the primary, too');
told_nothing('and nothing is said');

#
# It is told when the standby has it ...
#
$standby->start;
foreach my $name (sort keys %session)
{
	$session{$name}{run}->finish;
	like($session{$name}{out}, qr/Completed/, "told when the standby has it: $name");
}
ok(wait_status($primary, 'postgres', 'two', 'Completed'), 'the workers go on');
ok(-e "$dir/second" && -e "$dir/task", 'with what had to wait');
is($primary->safe_psql('postgres', q{
		SELECT runtime_status FROM df_wait_for_completion('task')}),
	'Completed', 'the task ends');

# ... and with remote_apply, where queries on the standby see it
wait_synchronous($primary);
$primary->safe_psql('postgres', q{
	SELECT df_start_singleton('once', 'apply ' || n) FROM generate_series(1, 5) n});
foreach my $n (1 .. 5)
{
	$primary->safe_psql('postgres', qq{
		SELECT df_raise_event('apply $n', 'go');
		SET synchronous_commit = remote_apply;
		SELECT runtime_status FROM df_wait_for_completion('apply $n')});
	is($standby->safe_psql('postgres', "SELECT runtime_status FROM df_get_status('apply $n')"),
		'Completed', "under remote_apply the standby shows the end, $n");
}

#
# Many wait for one end: that some give up is nothing to the others
#
$primary->safe_psql('postgres', q{SELECT df_start_singleton('once', 'many')});
ok($primary->poll_query_until('postgres', q{
		SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'many'}),
	'an instance waits');
$primary->wait_for_catchup($standby);
$standby->stop('immediate');
$primary->safe_psql('postgres', q{
	SET synchronous_commit = local;
	SELECT df_raise_event('many', 'go')});
ok($primary->poll_query_until('postgres', q{
		SELECT runtime_status = 'Completed' FROM df_instances WHERE instance_id = 'many'}),
	'it ends');
%session = ();
foreach my $n (1 .. 6)
{
	$session{$n} =
	  start_reader($primary, q{SELECT runtime_status FROM df_get_status('many')});
	all_wait($primary, "reader $n waits");
}
foreach my $end (['pg_cancel_backend', 1 .. 3], ['pg_terminate_backend', 4])
{
	my ($function, @readers) = @$end;

	# the one that has waited for the longest
	foreach my $n (@readers)
	{
		my $reader = delete $session{$n};

		$primary->safe_psql('postgres', qq{
			SELECT $function(pid) FROM pg_stat_activity
			WHERE application_name = 'reader' ORDER BY backend_start LIMIT 1});
		eval { $reader->{run}->finish };
		like($reader->{err},
			$function eq 'pg_cancel_backend'
			? qr/ERROR:  canceling statement due to user request\nDETAIL:  Synchronous standbys have not yet/
			: qr/terminating connection due to administrator command|terminated abnormally|closed the connection/,
			"reader $n: $function");
		all_wait($primary, 'the others wait');
		is($reader->{out}, '', 'it was told nothing');
	}
}
told_nothing('nor were the others');
$primary->safe_psql('postgres', "ALTER SYSTEM SET synchronous_standby_names = ''");
$primary->reload;
foreach my $n (sort keys %session)
{
	$session{$n}{run}->finish;
	is($session{$n}{out}, "Completed\n",
		"reader $n is told when there is no synchronous standby any more");
}
$primary->safe_psql('postgres',
	"ALTER SYSTEM SET synchronous_standby_names = 'standby'");
$primary->reload;
$standby->start;
wait_synchronous($primary);

#
# What was not told may be lost with the primary
#
$primary->safe_psql('postgres', q{SELECT df_start_singleton('once', 'lost')});
ok($primary->poll_query_until('postgres', q{
		SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'lost'}),
	'one more waits');
$primary->wait_for_catchup($standby);
$standby->stop('immediate');
$primary->safe_psql('postgres', q{
	SET synchronous_commit = local;
	SELECT df_raise_event('lost', 'go', '"lost"')});
%session = ();
$session{'of what will be lost'} =
  start_reader($primary, q{SELECT output FROM df_wait_for_completion('lost')});
all_wait($primary, 'an end waits for the standby');
lose_machine($primary);
$session{'of what will be lost'}{run}->finish;
is($session{'of what will be lost'}{out}, '', 'nobody was told of it');

$standby->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$standby->start;
$standby->promote;
is($standby->safe_psql('postgres', q{
		SELECT waiting_for FROM df_instances WHERE instance_id = 'lost'}),
	'event go', 'the event and the end are lost');
is($standby->safe_psql('postgres', q{
		SELECT df_raise_event('lost', 'go', '"again"');
		SELECT output FROM df_wait_for_completion('lost')}),
	"\n\"again\"", 'and the instance goes on from there');
is($standby->safe_psql('postgres', q{
		SELECT string_agg(DISTINCT runtime_status::text, ' ') FROM df_instances}),
	'Completed', 'what was told has happened');

finish($standby);
done_testing();

# Until the standby counts as a synchronous one, a commit waits for nobody.
sub start_reader
{
	my ($node, $sql) = @_;
	my %reader = (out => '', err => '');

	$reader{run} = IPC::Run::start(
		[
			$node->installed_command('psql'), '-XAtq',
			'-d', $node->connstr('postgres') . ' application_name=reader',
			'-c', $sql
		],
		'<', \undef, '>', \$reader{out}, '2>', \$reader{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%reader;
}

sub all_wait
{
	my ($node, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(
		$node->poll_query_until('postgres', q{
			SELECT count(*) FROM pg_stat_activity
			WHERE wait_event = 'SyncRep' AND application_name = 'reader'},
			scalar keys %session),
		$name);
}

sub told_nothing
{
	my ($name) = @_;

	$_->{run}->pump_nb foreach values %session;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(join('', map { $_->{out} } values %session), '', $name);
}

sub stop_readers
{
	$_->{run}->kill_kill foreach values %session;
	$primary->safe_psql('postgres', q{
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name = 'reader'});
	return;
}
