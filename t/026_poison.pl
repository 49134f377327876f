# An instance whose step crashes the server process fails after a few crashes;
# everything else continues.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_server('main', conf => "restart_after_crash = on\n");
my $library = build_module($node, 'poison');

# "crash" ends its process as it is told to, once df_stat_workers shows so many
# bystanders, and unless it is cured or has done so "times" times.
$node->safe_psql('postgres', qq{
CREATE FUNCTION poison_raise(int) RETURNS void AS '$library' LANGUAGE C;
CREATE FUNCTION poison_exit(int) RETURNS void AS '$library' LANGUAGE C;
CREATE FUNCTION poison_fatal() RETURNS void AS '$library' LANGUAGE C;
CREATE TABLE gate (name text);
CREATE TABLE cured (instance text);
CREATE TABLE ledger (instance text);
} . q{
CREATE FUNCTION crash(id text, way text, bystanders int = 0, times int = NULL)
	RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger VALUES (id);
	PERFORM FROM cured WHERE instance = id;
	IF FOUND OR (SELECT sum(crashes) FROM durable_singleton.crash
		WHERE instance_id = id) >= times
	THEN
		RETURN;
	END IF;
	WHILE (SELECT count(*) FROM df_stat_workers
		WHERE function_name = 'bystander') < bystanders
	LOOP
		PERFORM pg_sleep(0.005);
	END LOOP;
	CASE way
		WHEN 'SIGSEGV' THEN PERFORM poison_raise(11);
		WHEN 'SIGKILL' THEN PERFORM poison_raise(9);
		WHEN 'SIGQUIT' THEN PERFORM poison_raise(3);
		WHEN 'SIGABRT' THEN PERFORM poison_raise(6);
		WHEN 'exit(0)' THEN PERFORM poison_exit(0);
		WHEN 'exit(3)' THEN PERFORM poison_exit(3);
		WHEN 'FATAL' THEN PERFORM poison_fatal();
		WHEN 'pg_terminate_backend' THEN
			PERFORM pg_terminate_backend(pg_backend_pid());
			PERFORM pg_sleep(600);
	END CASE;
END $$;
CREATE FUNCTION bystander() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger VALUES ('bystander');
	WHILE NOT EXISTS (SELECT FROM gate WHERE name = 'bystanders') LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
CREATE FUNCTION hold(gate text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WHILE NOT EXISTS (SELECT FROM gate WHERE name = hold.gate) LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
CREATE FUNCTION one(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity($1 ->> 'activity', ($1 - 'activity')
		|| CASE WHEN $1 ->> 'activity' = 'crash'
			THEN jsonb_build_object('id', df_instance_id()) ELSE '{}' END);
END $$;
-- crashes twice, then goes on
CREATE FUNCTION crash_twice(id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM durable_singleton.crash JOIN durable_singleton.instance
		USING (instance_id) WHERE instance_id = id AND crashes = 2
			AND progress = turn;
	IF NOT FOUND THEN
		PERFORM poison_raise(11);
	END IF;
	INSERT INTO ledger VALUES (id);
END $$;
-- no exception block and no policy makes it go on
CREATE FUNCTION stubborn(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('crash', $1 || jsonb_build_object('id', df_instance_id()),
		df_retry_policy(10));
EXCEPTION WHEN OTHERS THEN
	RETURN to_jsonb(SQLSTATE);
END $$;
CREATE FUNCTION two(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('crash_twice', jsonb_build_object('id', df_instance_id()));
	PERFORM df_create_timer('1 ms');
	RETURN df_call_activity('crash_twice', jsonb_build_object('id', df_instance_id()));
END $$;
CREATE FUNCTION fan(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_all(array[
		df_schedule_activity('plus_one', '1'),
		df_schedule_activity('crash', $1 || jsonb_build_object('id', df_instance_id())),
		df_schedule_activity('plus_one', '3')]);
END $$;
CREATE FUNCTION itself(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM cured WHERE instance = df_instance_id()) THEN
		PERFORM poison_raise(11);
	END IF;
	RETURN '"lives"';
END $$;
CREATE FUNCTION parent(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_sub_orchestrator('itself', NULL, 'child');
EXCEPTION WHEN crash_shutdown THEN
	RETURN to_jsonb(SQLERRM);
END $$;
CREATE FUNCTION plus_one(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb($1::int + 1) $$;
CREATE FUNCTION fine(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"fine"'::jsonb $$;
});

my $crashes = 0;
my $mark = 0;

# How many crashes the postmaster has seen since the last call.
sub new_crashes
{
	my $log = slurp_file($node->logfile, $mark);

	$mark += length $log;
	return scalar(() = $log =~ /terminating any other active server processes/g);
}

# The postmaster may log a crash later than the janitor has counted it.
sub wait_for_crashes
{
	my ($wanted) = @_;
	my $n        = new_crashes();

	for (my $try = 0; $n < $wanted && $try < 10 * $PostgreSQL::Test::Utils::timeout_default; $try++)
	{
		usleep(100_000);
		$n += new_crashes();
	}
	return $n;
}

# The server is up, for good: no crash comes any more.
sub wait_failed
{
	my ($id) = @_;

	wait_status($node, 'postgres', $id, 'Failed')
	  or die "$id does not fail";
	return $node->safe_psql('postgres', qq{
		SELECT failure ->> 'sqlstate', failure ->> 'message', failure ->> 'detail'
		FROM df_instances WHERE instance_id = '$id'});
}

sub counted
{
	my ($id) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT coalesce(sum(crashes), 0) FROM durable_singleton.crash
		WHERE instance_id = '$id'});
}

sub wait_counted
{
	my ($id, $n) = @_;

	return $node->poll_query_until('postgres', qq{
		SELECT coalesce(sum(crashes), 0) FROM durable_singleton.crash
		WHERE instance_id = '$id'}, $n);
}

# The step may crash all of the server before the session has ended.
sub start_one
{
	my ($id, $function, $input) = @_;
	my ($stdout, $stderr);
	my $status = $node->psql('postgres',
		"SELECT df_start_singleton('$function', '$id', '$input')",
		on_error_die => 0, on_error_stop => 1, stdout => \$stdout, stderr => \$stderr);

	die "start of $id: $stderr"
	  if $stdout ne 't' && $stderr !~ /server closed the connection|terminating connection/;
	return;
}

sub configure
{
	my ($setting, $value) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET $setting = '$value'");
	$node->reload;
	$node->poll_query_until('postgres',
		"SELECT current_setting('$setting') = '$value'")
	  or die "$setting did not change";
	return;
}

sub cure
{
	my ($id) = @_;

	$node->safe_psql('postgres', "INSERT INTO cured VALUES ('$id')");
	$node->safe_psql('postgres', "SELECT df_rewind('$id', 'cured')");
	return;
}

my $three = 'the server process executing it crashed 3 times in a row';

#
# A crash, with bystanders
#
new_crashes();
start_one("bystander $_", 'one', '{"activity": "bystander"}') foreach 1 .. 3;
start_one('segv', 'one', '{"activity": "crash", "way": "SIGSEGV", "bystanders": 3}');
is(wait_failed('segv'), "57P02|$three|It was executing function crash.",
	'an activity that crashes its process three times: its instance has failed');
like($node->safe_psql('postgres', q{
	SELECT failure ->> 'hint' FROM df_get_status('segv')}),
	qr/df_rewind.*durable_singleton\.crash_limit/, 'with a hint');
is(new_crashes(), 3, 'the server was restarted three times');
is($node->safe_psql('postgres', q{
		SELECT instance_id, crashes FROM durable_singleton.crash}),
	'segv|3', 'bystanders are not counted');
start_one('after', 'fine', '{}');
ok(wait_status($node, 'postgres', 'after', 'Completed'), 'everything else goes on');
$node->safe_psql('postgres', q{INSERT INTO gate VALUES ('bystanders')});
ok(wait_ended($node, 'postgres', 'bystander %'), 'so do the bystanders');
is($node->safe_psql('postgres', q{
		SELECT runtime_status, count(*) FROM df_instances
		WHERE instance_id LIKE 'bystander %' GROUP BY 1}),
	'Completed|3', 'and complete');
is($node->safe_psql('postgres', q{
		SELECT instance, count(*) FROM ledger GROUP BY 1 ORDER BY 1}),
	'bystander|3', 'of the steps that crashed nothing remains');
is(new_crashes(), 0, 'no further crash came');

#
# Rewinding: still poisonous, then cured
#
$node->safe_psql('postgres', q{TRUNCATE gate; SELECT df_rewind('segv')});
start_one("again $_", 'one', '{"activity": "bystander"}') foreach 1 .. 3;
$node->poll_query_until('postgres', q{
	SELECT count(*) > 0 FROM df_history WHERE instance_id = 'segv'
		AND event_type = 'ExecutionRewound'})
  or die 'it is not rewound';
wait_counted('segv', 3) or die 'it is not counted';
is(wait_failed('segv'), "57P02|$three|It was executing function crash.",
	'rewound, it has as many tries again');
is(new_crashes(), 3, 'and takes them');
$node->safe_psql('postgres', q{INSERT INTO gate VALUES ('bystanders')});
cure('segv');
ok(wait_status($node, 'postgres', 'segv', 'Completed'), 'cured and rewound, it completes');
is(new_crashes(), 0, 'without a crash');

#
# The other ways, and the other places
#
foreach my $case (
	[ 'SIGKILL', 3, 'crashed' ], [ 'SIGABRT', 3, 'crashed' ],
	[ 'SIGQUIT', 3, 'crashed' ],
	# who is first, the janitor or the postmaster?
	[ 'exit(3)', 3, '(?:crashed|ended itself)' ],
	[ 'exit(0)', 0, 'ended itself' ], [ 'FATAL', 0, 'ended itself' ],
	[ 'pg_terminate_backend', 0, 'ended itself' ])
{
	my ($way, $restarts, $words) = @$case;

	start_one($way, 'stubborn', qq({"way": "$way"}));
	like(wait_failed($way),
		qr/^57P02\|the server process executing it $words 3 times in a row\|It was executing function crash\.$/,
		"$way: the instance has failed, whatever the code would do about it");
	is(wait_for_crashes($restarts), $restarts, "$way: the server was restarted $restarts times");
	cure($way);
	ok(wait_status($node, 'postgres', $way, 'Completed'), "$way: cured, it completes");
}

start_one('fan', 'fan', '{"way": "SIGSEGV"}');
is(wait_failed('fan'), "57P02|$three|It was executing function crash.",
	'a task: its instance has failed');
is($node->safe_psql('postgres', q{
		SELECT failure ->> 'name', failure ->> 'seq' FROM df_get_status('fan')}),
	'crash|2', 'the failure tells of which task');
is($node->safe_psql('postgres', q{
		SELECT string_agg(name || ' ' || event_type, ', ' ORDER BY name)
		FROM df_history WHERE instance_id = 'fan'
			AND event_type IN ('TaskCompleted', 'TaskFailed')}),
	'crash TaskFailed, plus_one TaskCompleted, plus_one TaskCompleted',
	'the other tasks went on');
is(new_crashes(), 3, 'after three crashes');
cure('fan');
ok(wait_status($node, 'postgres', 'fan', 'Completed'), 'cured and rewound, it completes');
is($node->safe_psql('postgres', q{SELECT output FROM df_get_status('fan')}),
	'[2, null, 4]', 'with all results');
is(new_crashes(), 0, 'without a crash');

start_one('parent', 'parent', '{}');
ok(wait_status($node, 'postgres', 'parent', 'Completed'), 'an orchestrator, as a child');
is($node->safe_psql('postgres', q{
		SELECT output ->> 0 FROM df_get_status('parent')}), $three,
	'the parent can catch it');
is(wait_failed('child'), "57P02|$three|It was executing function itself.",
	'the failure tells of the orchestrator');
# Its row was not flushed yet when it crashed first, so that one may be lost.
my $seen = new_crashes();
ok($seen == 3 || $seen == 4, "after three or four crashes ($seen)");

#
# What counts, and what does not
#
start_one('twice two', 'two', '{}');
ok(wait_status($node, 'postgres', 'twice two', 'Completed'),
	'two steps that crash twice each: only crashes of one step in a row count');
is($node->safe_psql('postgres', q{
		SELECT count(*) FROM ledger WHERE instance = 'twice two'}),
	2, 'each has its effect once');
is(new_crashes(), 4, 'after four crashes');

# The step waits with its next crash until the fuse is longer than the count.
$node->safe_psql('postgres', q{
CREATE TABLE fuse (length int);
INSERT INTO fuse VALUES (0);
CREATE FUNCTION burn(id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WHILE (SELECT length FROM fuse) <=
		(SELECT coalesce(sum(crashes), 0) FROM durable_singleton.crash WHERE instance_id = id)
	LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	PERFORM poison_raise(11);
END $$;
CREATE FUNCTION burning(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('burn', jsonb_build_object('id', df_instance_id()));
END $$;
});

sub fuse
{
	my ($length) = @_;

	$node->safe_psql('postgres', "UPDATE fuse SET length = $length");
	return;
}

sub wait_burning
{
	return $node->poll_query_until('postgres', q{
		SELECT count(*) = 1 FROM df_stat_workers WHERE function_name = 'burn'})
	  || die 'the step does not begin';
}

start_one('burning', 'burning', '{}');
wait_burning();
fuse(1);
ok(wait_counted('burning', 1), 'a crash is counted');
wait_burning();
$node->restart;
wait_burning();
is(counted('burning'), 1, 'the count survives a restart, which is no crash');
my $worker = $node->safe_psql('postgres', 'SELECT pid FROM df_stat_workers WHERE instance_id IS NOT NULL');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($worker)");
$node->poll_query_until('postgres', qq{
	SELECT count(*) = 1 FROM df_stat_workers
	WHERE function_name = 'burn' AND pid <> $worker})
  or die 'the step does not begin again';
is(counted('burning'), 1, 'nor is it one when somebody else ends the worker');
$node->stop('immediate');
$node->start;
wait_burning();
is(counted('burning'), 1, 'nor is an immediate shutdown');

# The postmaster goes with the crash.
$node->append_conf('postgresql.conf', "restart_after_crash = off\n");
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('restart_after_crash') = 'off'})
  or die 'restart_after_crash did not change';
my $postmaster = $node->{_pid};
fuse(2);
wait_gone($postmaster);
$node->_update_pid(0);
$node->append_conf('postgresql.conf', "restart_after_crash = on\n");
$node->start;
ok(wait_counted('burning', 2), 'the crash is counted when it comes up again');

# All processes are killed at once, as in a container without memory.
wait_burning();
my @all = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
unshift @all, $node->{_pid};
kill 'STOP', @all;
kill 'KILL', @all;
wait_gone($_) foreach @all;
unlink $node->data_dir . '/postmaster.pid',
  $node->host . '/.s.PGSQL.' . $node->port . '.lock';
$node->_update_pid(0);
$node->start;
is(wait_failed('burning'), "57P02|$three|It was executing function burn.",
	'so it is when all processes are killed');

# Nobody may be there to reap it.
sub wait_gone
{
	my ($pid) = @_;

	foreach (1 .. 1800)
	{
		return if !-e "/proc/$pid" || slurp_file("/proc/$pid/stat") =~ /\) Z /;
		select undef, undef, undef, 0.1;
	}
	die "process $pid does not go";
}

#
# crash_limit
#
new_crashes();
configure('durable_singleton.crash_limit', 1);
start_one('limit 1', 'one', '{"activity": "crash", "way": "SIGSEGV"}');
like(wait_failed('limit 1'), qr/crashed 1 time in a row/, 'crash_limit is obeyed after a reload');
is(new_crashes(), 1, 'after one crash');

configure('durable_singleton.crash_limit', 0);
start_one('limit 0', 'one', '{"activity": "crash", "way": "SIGSEGV"}');
my $n = 0;
foreach (1 .. 600)
{
	last if ($n += new_crashes()) > 4;
	select undef, undef, undef, 0.1;
}
cmp_ok($n, '>', 4, 'without a limit it is tried again for ever');
$node->poll_query_until('postgres', q{
	WITH cure AS (INSERT INTO cured VALUES ('limit 0') RETURNING 1)
	SELECT count(*) = 1 FROM cure})
  or die 'it cannot be cured';
ok(wait_status($node, 'postgres', 'limit 0', 'Completed'), 'until it is cured');
configure('durable_singleton.crash_limit', 3);

# Suspended while it is at it.
fuse(2);
start_one('suspended', 'burning', '{}');
wait_counted('suspended', 2) or die 'it is not counted';
wait_burning();
$node->safe_psql('postgres', q{SELECT df_suspend('suspended')});
fuse(3);
is(wait_failed('suspended'), "57P02|$three|It was executing function burn.",
	'one that was suspended at its last crash fails, too');

#
# In the foreground, without any background process
#
configure('durable_singleton.enabled', 'off');
$node->poll_query_until('postgres', q{
	SELECT NOT EXISTS (SELECT FROM df_stat_workers)})
  or die 'the workers do not go';
new_crashes();
start_one('foreground', 'one', '{"activity": "crash", "way": "SIGSEGV"}');
foreach my $call (1 .. 3)
{
	isnt($node->psql('postgres', 'CALL df_run()'), 0, "CALL df_run crashes, $call");
	# until the postmaster has seen it, it lets in sessions that it ends then
	is(wait_for_crashes(1), 1, 'and so does the server');
	$node->poll_query_until('postgres', 'SELECT true') or die 'no server';
}
is($node->psql('postgres', 'CALL df_run()'), 0, 'and then no more');
is(wait_failed('foreground'), "57P02|$three|It was executing function crash.",
	'its instance has failed');
is(new_crashes(), 0, 'without a further crash');

#
# Without the file of the notes
#
configure('durable_singleton.enabled', 'on');
$node->stop;
my $notes = $node->data_dir . '/pg_stat_tmp/durable_singleton.crash_notes';
unlink $notes or die "$notes: $!";
mkdir $notes or die "$notes: $!";
$node->start;
new_crashes();
ok($node->log_contains(qr/could not set up file "pg_stat_tmp.durable_singleton.crash_notes": Is a directory/),
	'the log tells of a file that cannot be made');
start_one('no file', 'one', '{"activity": "crash", "way": "SIGSEGV"}');
is(wait_failed('no file'), "57P02|$three|It was executing function crash.",
	'an instance that crashes fails all the same');
is(new_crashes(), 3, 'after three crashes');
rmdir $notes or die "$notes: $!";

finish($node, crashes => 1);
done_testing();
