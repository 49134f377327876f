# In every state of a session or a worker, a timeout, a cancel, a termination
# and a shutdown end it promptly, and nothing is lost or done twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# seconds that a prompt reaction may take on a slow machine
my $prompt = 5;

my $node = new_server('main', conf => q{
durable_singleton.max_workers = 4
durable_singleton.worker_idle_timeout = '10min'
});
$node->safe_psql('postgres', q{
CREATE TABLE gate (i int);
CREATE TABLE deeds (id text);
CREATE TABLE late (id text);
CREATE FUNCTION deed(input jsonb) RETURNS void LANGUAGE sql AS $$
	INSERT INTO deeds VALUES (input ->> 'id') $$;

-- what an activity may be at; it is done with at once when "gate" has a row
CREATE FUNCTION is_open() RETURNS boolean LANGUAGE sql AS $$ SELECT EXISTS (SELECT FROM gate) $$;
CREATE FUNCTION act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM deed(input);
	IF is_open() THEN
		RETURN '"done"';
	END IF;
	CASE input ->> 'at'
		WHEN 'sleep' THEN
			PERFORM pg_sleep(600);
		WHEN 'lock' THEN
			LOCK TABLE locked IN ACCESS SHARE MODE;
		WHEN 'loop' THEN
			LOOP
				NULL;
			END LOOP;
		WHEN 'commit' THEN
			INSERT INTO late VALUES (input ->> 'id');
	END CASE;
	RETURN '"done late"';
END $$;
CREATE TABLE locked (i int);
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_sleep(600);
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION late();
CREATE FUNCTION act_waits(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF NOT is_open() THEN
		PERFORM df_wait_for_completion('never ends', NULL);
	END IF;
	PERFORM deed(input);
	RETURN '"done"';
END $$;
CREATE FUNCTION story(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input ->> 'at' = 'pass' THEN
		IF NOT is_open() THEN
			PERFORM pg_sleep(600);
		END IF;
		PERFORM deed(input);
		RETURN '"done"';
	ELSIF input ->> 'at' = 'wait' THEN
		RETURN df_call_activity('act_waits', input);
	ELSIF input ->> 'at' = 'task' THEN
		RETURN df_await(df_schedule_activity('act', input || '{"at": "sleep"}'));
	END IF;
	RETURN df_call_activity('act', input);
END $$;
CREATE FUNCTION never(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('never');
END $$;
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
CREATE ROLE hasty LOGIN;
GRANT ALL ON ALL TABLES IN SCHEMA public TO hasty;
SELECT df_grant_usage('hasty');
ALTER ROLE hasty SET statement_timeout = '500ms';
SELECT df_start_singleton('never', 'never ends');
SET ROLE hasty;
SELECT df_start_singleton('never', 'hasty never ends');
});

my $holder = $node->background_psql('postgres');

# The error that a psql in the background comes to, and after how long.
my $n = 0;

sub begin_session
{
	my ($sql, @option) = @_;
	my $base = "$PostgreSQL::Test::Utils::tmp_check/session" . $n++;

	append_to_file("$base.sql", "SET application_name = 'victim';\n$sql;\n");
	return { handle => start_psql($node, 'postgres', "$base.sql", "$base.out", @option), base => $base };
}

sub end_of_session
{
	my ($session) = @_;
	my $begun = time;

	# ends it: what does not react fails the test by its time
	$session->{handle}->finish;
	my $stderr = slurp_file("$session->{base}.out.err");
	my ($sqlstate) = $stderr =~ /(?:ERROR|FATAL):  (\w{5})/;
	$sqlstate //= '57P01' if $stderr =~ /server closed the connection/;
	return ($sqlstate // 'none', time - $begun);
}

sub pid_of_victim
{
	my ($waits_for) = @_;
	my $query = qq{
		SELECT pid FROM pg_stat_activity
		WHERE application_name = 'victim' AND state = 'active' AND $waits_for};

	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($query) v")
	  or die 'the session does not get where it should';
	return $node->safe_psql('postgres', $query);
}

# From 17 on extensions name what they wait for.
sub waits_for
{
	my ($name) = @_;

	return "wait_event = CASE WHEN current_setting('server_version_num')::int >= 170000 THEN '$name' ELSE 'Extension' END";
}

ok( $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity
		WHERE backend_type = 'durable_singleton launcher' AND " . waits_for('DurableSingletonLauncher')),
	'pg_stat_activity shows what the launcher waits for');

#
# Sessions of clients
#
my $waits_for_end = waits_for('DurableSingletonEnd');
my %client = (
	'df_wait_for_completion' => {
		sql => "SELECT df_wait_for_completion('never ends', NULL)", waits => $waits_for_end },
	'df_wait_for_any' => {
		sql => "SELECT df_wait_for_any('{never ends}', '1 day')", waits => $waits_for_end },
	'CALL df_wait' => {
		sql => "CALL df_wait('never ends')", waits => $waits_for_end },
	'CALL df_wait in a block' => {
		sql => "DO \$\$ DECLARE s jsonb; BEGIN CALL df_wait('never ends', NULL, s); END \$\$", waits => $waits_for_end },
	'a start behind an uncommitted one' => {
		hold => "SELECT df_start_singleton('once', 'contested', start_at => '2200-01-01')",
		sql  => "SELECT df_start_singleton('once', 'contested')", waits => "wait_event_type = 'Lock'" },
	'df_terminate behind another' => {
		hold => "SELECT df_terminate('never ends')",
		sql  => "SELECT df_terminate('never ends')", waits => "wait_event_type = 'Lock'" },
	'df_suspend behind df_terminate' => {
		hold => "SELECT df_terminate('never ends')",
		sql  => "SELECT df_suspend('never ends')", waits => "wait_event_type = 'Lock'" },
	'CALL df_run in an activity' => {
		start => 'sleep', sql => 'CALL df_run()', waits => "wait_event = 'PgSleep'" },
	'CALL df_run in a pass' => {
		start => 'pass', sql => 'CALL df_run()', waits => "wait_event = 'PgSleep'" },
	'CALL df_run at a lock' => {
		hold  => 'LOCK TABLE locked', start => 'lock', sql => 'CALL df_run()', waits => "wait_event_type = 'Lock'" },
	'CALL df_run in a loop' => {
		start => 'loop', sql => 'CALL df_run()', waits => 'wait_event IS NULL' },
	'CALL df_run in a deferred trigger' => {
		start => 'commit', sql => 'CALL df_run()', waits => "wait_event = 'PgSleep'" },
);

$node->safe_psql('postgres', 'ALTER DATABASE postgres SET durable_singleton.enabled = off');
$node->restart;
foreach my $name (sort keys %client)
{
	my $case = $client{$name};

	foreach my $by ('statement_timeout', 'pg_cancel_backend', 'pg_terminate_backend')
	{
		my $id = "$name, $by";

		$holder = $node->background_psql('postgres');
		$holder->query_safe("BEGIN; $case->{hold}") if $case->{hold};
		$node->safe_psql('postgres',
			qq{SELECT df_start_singleton('story', '$id', '{"id": "$id", "at": "$case->{start}"}')})
		  if $case->{start};
		my $begun   = time;
		my $session = begin_session($by eq 'statement_timeout' ? "SET statement_timeout = '500ms';\n$case->{sql}" : $case->{sql});
		if ($by ne 'statement_timeout')
		{
			my $pid = pid_of_victim($case->{waits});

			$begun = time;
			$node->safe_psql('postgres', "SELECT $by($pid)");
		}
		my ($sqlstate) = end_of_session($session);
		my $took = time - $begun;
		my $expected = $by eq 'pg_terminate_backend' ? '57P01' : '57014';
		is($sqlstate, $expected, "$by ends $name") or diag("took $took s");
		cmp_ok($took, '<', $prompt, 'promptly');
		$holder->query_safe('ROLLBACK') if $case->{hold};
		$holder->quit;
		next unless $case->{start};

		is($node->safe_psql('postgres', "SELECT count(*) FROM deeds WHERE id = '$id'"), 0, 'the step is undone');
		is($node->safe_psql('postgres', "SELECT runtime_status FROM df_get_status('$id')"),
			'Pending', 'which is no failure of the instance');
		is( $node->safe_psql('postgres', qq{
				INSERT INTO gate VALUES (1);
				CALL df_run();
				DELETE FROM gate;
				SELECT output FROM df_get_status('$id');
				SELECT count(*) FROM deeds WHERE id = '$id'}),
			"\"done\"\n1", 'and done once by the next df_run');
	}
}
is($node->safe_psql('postgres', q{SELECT runtime_status FROM df_get_status('never ends')}),
	'Running', 'nothing has become of what was waited for');

#
# Workers
#
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET durable_singleton.enabled');
$node->restart;

my %worker = (
	'an activity'         => { at => 'sleep',  event => "wait_event = 'PgSleep'" },
	'a loop'              => { at => 'loop',   event => 'wait_event IS NULL' },
	'a table lock'        => { at => 'lock',   event => "wait_event_type = 'Lock'", hold => 'LOCK TABLE locked' },
	'a pass'              => { at => 'pass',   event => "wait_event = 'PgSleep'" },
	'a deferred trigger'  => { at => 'commit', event => "wait_event = 'PgSleep'" },
	'a task'              => { at => 'task',   event => "wait_event = 'PgSleep'" },
	'a wait of its own'   => { at => 'wait',   event => $waits_for_end },
);
# by name: what is done to the worker, what becomes of the instance
my %interrupt = (
	pg_cancel_backend => {
		sub => sub { $node->safe_psql('postgres', "SELECT pg_cancel_backend($_[0])") }, becomes => 'Failed|57014' },
	pg_terminate_backend => {
		sub => sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($_[0])") }, becomes => 'Completed|' },
	df_terminate => {
		sub => sub { $node->safe_psql('postgres', "SELECT df_terminate('$_[1]')") }, becomes => 'Terminated|' },
	statement_timeout => {
		sub => sub { }, becomes => 'Failed|57014', role => 'hasty' },
	'fast shutdown' => {
		sub => sub { $node->stop('fast'); $node->start }, becomes => 'Completed|' },
);

# Pid and what the views tell of a worker that is at a step of the instance.
sub worker_at
{
	my ($id, $event) = @_;
	my $query = qq{
		SELECT w.pid FROM df_stat_workers w JOIN pg_stat_activity a USING (pid)
		WHERE w.instance_id = '$id' AND a.$event};

	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($query) v")
	  or die "no worker gets to the step of $id";
	return $node->safe_psql('postgres', $query);
}

foreach my $name (sort keys %worker)
{
	my $case = $worker{$name};

	foreach my $by (sort keys %interrupt)
	{
		my $what = $interrupt{$by};
		my $role = $what->{role};
		my $id   = "$name, $by";
		my $pid  = 0;
		my $hold = $case->{hold};

		# it waits for an instance of its own
		next if $role and $case->{at} eq 'wait';
		if ($hold)
		{
			$holder = $node->background_psql('postgres');
			$holder->query_safe("BEGIN; $hold");
		}
		$node->safe_psql('postgres',
			qq{SELECT df_start_singleton('story', '$id', '{"id": "$id", "at": "$case->{at}"}')},
			$role ? (extra_params => [ '-U', $role ]) : ());
		$pid = worker_at($id, $case->{event}) unless $role;
		if ($hold and not $role)
		{
			is( $node->safe_psql('postgres', qq{
					SELECT a.wait_event_type, a.wait_event, w.function_name, w.step_start < clock_timestamp(),
						(SELECT count(*) FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids($pid)))
					FROM df_stat_workers w JOIN pg_stat_activity a USING (pid) WHERE pid = $pid}),
				'Lock|relation|act|t|1', 'who sits behind a lock, since when and behind whom is visible');
		}
		my $begun = time;
		$what->{sub}->($pid, $id);
		if ($what->{becomes} =~ /Completed/)
		{
			# it begins again; now nothing stands in its way
			$holder->query_safe('ROLLBACK') if $hold and $by !~ /shutdown/;
			$node->safe_psql('postgres', 'INSERT INTO gate VALUES (1)');
			# the next attempt may have begun before that, and stand there again
			$node->poll_query_until('postgres', qq{
				SELECT count(pg_terminate_backend(w.pid)) < 0 OR NOT EXISTS (
					SELECT FROM df_get_status('$id') WHERE runtime_status NOT IN ('Completed', 'Failed'))
				FROM df_stat_workers w WHERE w.instance_id = '$id'})
			  or die "$id does not end";
		}
		ok( $node->poll_query_until('postgres', qq{
				SELECT runtime_status, failure ->> 'sqlstate' FROM df_get_status('$id')}, $what->{becomes}),
			"$by in $name: the instance becomes $what->{becomes}");
		my $took = time - $begun;
		if ($pid and $by ne 'pg_terminate_backend' and $by !~ /shutdown/)
		{
			ok( $node->poll_query_until('postgres', qq{
					SELECT count(*) = 0 FROM df_stat_workers WHERE pid = $pid AND instance_id IS NOT NULL}),
				'its worker is free again');
		}
		cmp_ok($took, '<', $prompt, sprintf 'promptly (%.1f s)', $took);
		if ($hold and $what->{becomes} !~ /Completed/)
		{
			$holder->query_safe('ROLLBACK');
		}
		if ($hold)
		{
			$by =~ /shutdown/ ? eval { $holder->quit } : $holder->quit;
		}
		$node->safe_psql('postgres', 'DELETE FROM gate');
		is( $node->safe_psql('postgres', "SELECT count(*) FROM deeds WHERE id = '$id'"),
			$what->{becomes} =~ /Completed/ ? 1 : 0, 'and its deed is done as often as it says');
	}
}

# A cancel that hits an idle worker does nothing, whatever state it is in.
$node->safe_psql('postgres', q{
	SELECT pg_cancel_backend(pid) FROM df_stat_workers;
	SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type ~ 'durable_singleton'});
is( $node->safe_psql('postgres', q{
		SELECT df_start_singleton('once', 'after all', '1');
		SELECT runtime_status FROM df_wait_for_completion('after all')}),
	"t\nCompleted", 'idle workers and the launcher are none the worse for a cancel');

#
# Shutdown
#
# Smart: sessions may go on with what they wait for, and so may the workers.
$node->safe_psql('postgres', q{SELECT df_start_singleton('never', 'smart')});
wait_status($node, 'postgres', 'smart', 'Running') or die 'it does not run';
my $waiter = begin_session("SELECT runtime_status, output FROM df_wait_for_completion('smart', '1 min')");
pid_of_victim($waits_for_end);
my $sender = $node->background_psql('postgres');
$sender->query_safe('SELECT 1');
my $stop = IPC::Run::start([ 'pg_ctl', '-D', $node->data_dir, '-m', 'smart', '-w', 'stop' ], '>', \my $stopped, '2>&1');
$node->wait_for_log(qr/received smart shutdown request/);
$sender->query_safe(q{SELECT df_raise_event('smart', 'never', '"in time"')});
is((end_of_session($waiter))[0], 'none', 'a smart shutdown lets a session wait to the end');
is(slurp_file("$waiter->{base}.out") =~ s/\s+$//r, 'Completed|"in time"', 'and workers do what it waits for');
my $begun = time;
$sender->quit;
$stop->finish;
cmp_ok(time - $begun, '<', $prompt, 'then it stops promptly');
like($stopped, qr/server stopped/, 'and cleanly');
$node->_update_pid(0);
$node->start;

# Fast: with sessions in all sorts of waits.
my @waiters = map { begin_session($_) } (
	"SELECT df_wait_for_completion('never ends', NULL)", "CALL df_wait('never ends')",
	"SELECT df_wait_for_any('{never ends}', NULL)");
$node->poll_query_until('postgres', qq{
	SELECT count(*) = 3 FROM pg_stat_activity WHERE application_name = 'victim' AND $waits_for_end})
  or die 'the sessions do not wait';
$begun = time;
$node->stop('fast');
cmp_ok(time - $begun, '<', $prompt, 'a fast shutdown is prompt');
is_deeply([ map { (end_of_session($_))[0] } @waiters ], [ ('57P01') x 3 ], 'and the sessions are told why');
$node->start;
is( $node->safe_psql('postgres', q{
		SELECT df_raise_event('never ends', 'never', '"at last"');
		SELECT output FROM df_wait_for_completion('never ends')}),
	"\n\"at last\"", 'what they waited for goes on after the restart');

finish($node);
done_testing();
