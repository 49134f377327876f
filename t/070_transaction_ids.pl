# Rows outlive the numbers of the transactions that wrote them: instances of
# every kind go on after 2^31 transactions, when these numbers lie in the
# future, and after 2^32, when other transactions have them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('aged', conf => 'autovacuum = off');
my $dir  = $node->data_dir;

$node->safe_psql('postgres', q{
CREATE TABLE ledger (instance text, step int);
CREATE TABLE mended (yes boolean);
CREATE FUNCTION step(id text, n int) RETURNS int LANGUAGE sql AS $$
	INSERT INTO ledger VALUES (id, n) RETURNING step $$;
CREATE FUNCTION frail(id text, n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM mended) THEN
		RAISE EXCEPTION 'not yet';
	END IF;
	INSERT INTO ledger VALUES (id, n);
	RETURN n;
END $$;
CREATE FUNCTION input(n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('id', df_instance_id(), 'n', n) $$;
CREATE FUNCTION do_step(n int, f text = 'step', retry jsonb = NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT df_call_activity(f, input(n), retry) $$;

CREATE FUNCTION ends() RETURNS jsonb LANGUAGE sql AS $$ SELECT do_step(1) $$;
CREATE FUNCTION event() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	PERFORM df_wait_for_external_event('go');
	RETURN do_step(2);
END $$;
CREATE FUNCTION event_or_time() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	PERFORM df_wait_for_external_event('never', '6 s', '0');
	RETURN do_step(2);
END $$;
CREATE FUNCTION timer() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	PERFORM df_create_timer('6 s');
	RETURN do_step(2);
END $$;
CREATE FUNCTION retry() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	RETURN do_step(2, 'frail', df_retry_policy(1000, '500 ms'));
END $$;
CREATE FUNCTION tasks() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	PERFORM df_wait_all(ARRAY[
		df_schedule_activity('step', input(2)),
		df_schedule_activity('frail', input(3), df_retry_policy(1000, '500 ms')),
		df_schedule_timer('6 s'),
		df_schedule_event('go'),
		df_schedule_sub_orchestrator('event', NULL, 'child of ' || df_instance_id())]);
	RETURN do_step(4);
END $$;
CREATE FUNCTION fails() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	RETURN do_step(2, 'frail');
END $$;
CREATE FUNCTION rounds(n int = 1) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(n);
	IF n = 3 THEN
		RETURN '3';
	END IF;
	IF n = 2 THEN
		PERFORM df_wait_for_external_event('go');
	END IF;
	PERFORM df_continue_as_new(jsonb_build_object('n', n + 1));
	RETURN NULL;
END $$;
CREATE FUNCTION two_events() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_wait_for_external_event('go');
	PERFORM df_wait_for_external_event('early');
	RETURN do_step(1);
END $$;
});

# Starts one instance of each kind; the name says in which age it goes on.
sub begin
{
	my ($age) = @_;

	$node->safe_psql('postgres', qq{
		SELECT df_start_singleton(f, f || ' $age') FROM unnest('{ends, event, event_or_time, timer, retry,
			tasks, fails, rounds, two_events}'::text[]) f;
		SELECT df_start_singleton('event', 'suspended $age'), df_start_singleton('event', 'terminated $age');
		SELECT df_start_singleton('ends', 'later $age', start_at => now() + interval '6 s');
	});
	ok($node->poll_query_until('postgres', qq{
			SELECT count(*) = 11 FROM df_instances WHERE instance_id LIKE '% $age' AND (
				waiting_for LIKE 'event %' AND runtime_status = 'Running'
				OR instance_id LIKE 'tasks %' AND waiting_for IS NOT NULL
				OR waiting_for IN ('timer', 'retry of frail')
				OR runtime_status IN ('Completed', 'Failed'))
				AND instance_id NOT IN ('later $age', 'child of tasks $age')}),
		"before age $age: instances of all kinds have come to their waits")
	  or diag $node->safe_psql('postgres', 'SELECT instance_id, runtime_status, waiting_for FROM df_instances');
	$node->safe_psql('postgres', qq{
		SELECT df_raise_event('two_events $age', 'early');
		SELECT df_suspend('suspended $age'), df_terminate('terminated $age')});
	return;
}

# All of them go on, each step once.
sub go_on
{
	my ($age) = @_;

	is( $node->safe_psql('postgres', qq{
			SELECT runtime_status, output FROM df_get_status('ends $age', true)
			UNION ALL SELECT runtime_status, NULL FROM df_get_status('terminated $age', true)}),
		"Completed|1\nTerminated|", "age $age: those that have ended tell of it");
	$node->safe_psql('postgres', qq{
		INSERT INTO mended VALUES (true);
		SELECT df_resume('suspended $age');
		SELECT df_rewind('fails $age');
		SELECT df_raise_event(instance_id, 'go') FROM df_instances
			WHERE instance_id ~ '^(event|tasks|rounds|two_events|suspended|child of tasks) $age\$'});
	ok(wait_ended($node, 'postgres', "% $age"), "age $age: all come to their ends")
	  or diag $node->safe_psql('postgres', 'SELECT instance_id, runtime_status, waiting_for FROM df_instances');
	is( $node->safe_psql('postgres', qq{
			SELECT instance_id, runtime_status FROM df_instances
			WHERE instance_id LIKE '% $age' AND runtime_status <> 'Completed'}),
		"terminated $age|Terminated", "age $age: good ones");
	is( $node->safe_psql('postgres', qq{
			SELECT replace(instance, ' $age', ''), string_agg(step::text, ' ' ORDER BY step) FROM ledger
			WHERE instance LIKE '% $age' GROUP BY 1 ORDER BY 1}),
		join("\n",
			'child of tasks|1 2', 'ends|1', 'event|1 2', 'event_or_time|1 2', 'fails|1 2',
			'later|1', 'retry|1 2', 'rounds|1 2 3', 'suspended|1 2', 'tasks|1 2 3 4',
			'terminated|1', 'timer|1 2', 'two_events|1'),
		"age $age: each step once");
	is( $node->safe_psql('postgres', qq{
			SELECT df_start_singleton('ends', 'ends $age'), df_start_singleton('ends', 'terminated $age');
			SELECT runtime_status FROM df_wait_for_completion('ends $age')
			UNION ALL SELECT runtime_status FROM df_wait_for_completion('terminated $age')}),
		"t|t\nCompleted\nCompleted", "age $age: ended ids are started over");
	is( $node->safe_psql('postgres', qq{TRUNCATE mended; SELECT df_purge('tasks $age')}),
		2, "age $age: a family is purged");
	return;
}

# An instance in a database that rests until the numbers have come around: its
# row is as its start wrote it.
create_database($node, 'resting');
$node->safe_psql('resting', q{
CREATE FUNCTION ends() RETURNS jsonb LANGUAGE sql AS $$ SELECT '1'::jsonb $$;
ALTER DATABASE resting SET durable_singleton.enabled = off});
$node->safe_psql('resting', q{SELECT df_start_singleton('ends', 'rests')});
my $number = $node->safe_psql('resting', 'SELECT xmin FROM durable_singleton.instance');
cmp_ok($number, '<', 1_000_000, 'its transaction is an early one');

# As VACUUM does it in every database before the numbers come around.
sub freeze
{
	$node->safe_psql('postgres', 'ALTER DATABASE template0 ALLOW_CONNECTIONS true');
	$node->safe_psql($_, 'VACUUM (FREEZE)') foreach 'postgres', 'resting', 'template1', 'template0';
	$node->safe_psql('postgres', 'CHECKPOINT');
	return;
}

# The next transaction has that number.  Its page of the commit log must be
# there, and empty.
sub jump_to
{
	my ($epoch, $xid) = @_;
	my $segment = sprintf '%s/pg_xact/%04X', $dir, $xid >> 20;

	freeze();
	$node->stop;
	command_ok([ 'pg_resetwal', '-e', $epoch, '-x', $xid, '-D', $dir ], "jump to transaction $epoch:$xid");
	open my $file, '>:raw', $segment or die "$segment: $!";
	print $file "\0" x (256 * 1024);
	close $file;
	$node->start;
	return;
}

my $lost = $node->safe_psql('postgres', q{
	BEGIN;
	CREATE TABLE t ();
	SELECT durable_singleton.http_transaction();
	COMMIT});

begin($_) foreach 1 .. 2;
jump_to(0, 1_500_000_000);
jump_to(0, 3_000_000_000);
freeze();
go_on(1);
is($node->safe_psql('postgres', "SELECT durable_singleton.http_fate('$lost') IS NULL"),
	't', 'the gateway is told that its transaction was too long ago');

# The transaction that has the number of the one that started "rests" is
# held open.  It is the first one of the server.
jump_to(0, 4_293_918_720);
$node->append_conf('postgresql.conf', 'durable_singleton.enabled = off');
jump_to(1, $number);
my $other = $node->background_psql('postgres');
is($other->query_safe('BEGIN; SELECT pg_current_xact_id()::xid'), $number,
	'another transaction has the number of the start');
$node->append_conf('postgresql.conf', 'durable_singleton.enabled = on');
$node->reload;
$node->safe_psql('resting', 'ALTER DATABASE resting RESET durable_singleton.enabled');
ok(wait_status($node, 'resting', 'rests', 'Completed'), 'the instance does not wait for it');
$other->query_safe('ROLLBACK');
$other->quit;
go_on(2);

# Vacuum freezes rows while they are worked with.
my $until = time + (in_full() ? 60 : 4);
my $tempdir = PostgreSQL::Test::Utils::tempdir;
append_to_file("$tempdir/vacuum.sql",
	join "\n", map { "VACUUM (FREEZE) durable_singleton.$_;" } (qw(instance history task inbox)) x 25000);
my $vacuum = start_psql($node, 'postgres', "$tempdir/vacuum.sql", "$tempdir/vacuum.out");
my $round = 2;
while (time < $until)
{
	$round++;
	begin($round);
	go_on($round);
}
ok($vacuum->pumpable, 'vacuum went on all the time');
$vacuum->kill_kill;
unlike(slurp_file($node->logfile), qr/could not access status|undone/, 'no step had to be made again');

finish($node);
done_testing();
