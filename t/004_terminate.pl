# No call waits for a running step: not a second start, and not df_terminate,
# which ends the step immediately, undoes it, and affects no other step.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');

# The activity writes, then stands at its own lock and at the gate.
$node->safe_psql('postgres', q{
CREATE TABLE ledger (instance text, step int);
CREATE FUNCTION write_and_stay(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger VALUES (input ->> 'id', 1);
	PERFORM pg_advisory_xact_lock(7, (input ->> 'lock')::int);
	IF input ? 'gate' THEN
		PERFORM pg_advisory_xact_lock_shared(8, (input ->> 'gate')::int);
	ELSE
		PERFORM pg_sleep(600);
	END IF;
	RETURN '"stayed"';
END $$;
CREATE FUNCTION staying(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('write_and_stay',
		input || jsonb_build_object('id', df_instance_id()));
END $$;
-- does not want to be interrupted
CREATE FUNCTION write_and_swallow(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger VALUES (input #>> '{}', 1);
	BEGIN
		PERFORM pg_sleep(600);
	EXCEPTION WHEN query_canceled THEN
		NULL;
	END;
	RETURN '"swallowed"';
END $$;
CREATE FUNCTION swallowing(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('write_and_swallow', to_jsonb(df_instance_id()));
END $$;
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;

CREATE FUNCTION step(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger VALUES (input ->> 'id', (input ->> 'step')::int);
	PERFORM pg_sleep(0.003);
	RETURN NULL;
END $$;
CREATE FUNCTION three_steps(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1 .. 3 LOOP
		PERFORM df_call_activity('step',
			jsonb_build_object('id', df_instance_id(), 'step', n));
	END LOOP;
	RETURN NULL;
END $$;
-- Counts, in a way that no rollback undoes, how often it was not alone.
CREATE SEQUENCE meetings;
CREATE FUNCTION alone(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF NOT pg_try_advisory_xact_lock(9) THEN
		PERFORM nextval('meetings');
	END IF;
	INSERT INTO ledger VALUES (input ->> 'id', (input ->> 'step')::int);
	PERFORM pg_sleep(0.003);
	RETURN NULL;
END $$;
CREATE FUNCTION replaced(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1 .. 3 LOOP
		PERFORM df_call_activity('alone', jsonb_build_object('id',
			format('execution %s', df_execution_id()), 'step', n));
	END LOOP;
	RETURN NULL;
END $$;
-- Terminates whatever victim a worker executes, until all have ended.
CREATE PROCEDURE storm() LANGUAGE plpgsql AS $$
DECLARE
	victim text;
BEGIN
	LOOP
		FOR victim IN SELECT instance_id FROM df_stat_workers
			WHERE instance_id LIKE 'victim %'
		LOOP
			BEGIN
				PERFORM df_terminate(victim, 'storm');
			EXCEPTION WHEN SQLSTATE 'SD410' THEN
				NULL;
			END;
			COMMIT;
		END LOOP;
		EXIT WHEN NOT EXISTS (SELECT FROM df_instances
			WHERE runtime_status IN ('Pending', 'Running'));
		COMMIT;
	END LOOP;
END $$;
});
rescan_off($node);

sub start
{
	my ($id, $input) = @_;

	$node->safe_psql('postgres',
		"SELECT df_start_singleton('staying', '$id', '$input')");
	wait_in_activity($node, 'postgres', $id)
	  or die "instance $id does not get into its activity";
	return;
}

sub entries
{
	my ($id) = @_;

	return $node->safe_psql('postgres',
		"SELECT count(*) FROM ledger WHERE instance = '$id'");
}

sub status
{
	my ($id) = @_;

	return $node->safe_psql('postgres',
		"SELECT runtime_status FROM df_get_status('$id')");
}

#
# A step that has been executing for a while
#
start('long', '{"lock": 1}');

# The first call in a session pays for its caches, too.
my ($answer, $milliseconds);
my @lines = split /\n/, $node->safe_psql('postgres', q{
SELECT clock_timestamp() AS begun \gset
SELECT df_start_singleton('staying', 'long'),
	round(extract(epoch FROM clock_timestamp() - :'begun') * 1000, 1);
} x 5);
is(scalar(grep { /^f\|/ } @lines), 5, 'further starts get false');
note 'starts over an executing step: ', join(', ', map { substr($_, 2) } @lines), ' ms';
cmp_ok(median(map { substr($_, 2) } @lines), '<', 50, 'without waiting for the step');

(undef, $milliseconds) =
  timed($node, 'postgres', "SELECT df_terminate('long', 'enough')");
note "df_terminate: $milliseconds ms";
cmp_ok($milliseconds, '<', 250, 'df_terminate returns at once');

# The activity's lock is free when its transaction has ended.
start('long 2', '{"lock": 2}');
(undef, $milliseconds) = timed($node, 'postgres', q{
	SELECT df_terminate('long 2', 'enough'); SELECT pg_advisory_lock(7, 2)});
note "df_terminate to the end of the step: $milliseconds ms";
cmp_ok($milliseconds, '<', 1000, 'the step has ended within a second');

foreach my $id ('long', 'long 2')
{
	is(status($id), 'Terminated', "$id: Terminated");
	is(entries($id), 0, "$id: what the step wrote is undone");
}
is( $node->safe_psql('postgres', q{
		SELECT count(*) FROM df_history WHERE instance_id LIKE 'long%'
			AND event_type IN ('TaskCompleted', 'TaskFailed')}),
	0,
	'history has no result of the interrupted activity');
is( $node->safe_psql('postgres', q{
		SELECT df_start_singleton('once', 'long', '"again"');
		SELECT output FROM df_wait_for_completion('long')}),
	"t\n\"again\"",
	'a terminated id can be started again');

#
# An activity that swallows the interruption and returns
#
foreach my $id ('terminated', 'replaced')
{
	$node->safe_psql('postgres', "SELECT df_start_singleton('swallowing', '$id')");
	wait_in_activity($node, 'postgres', $id)
	  or die "instance $id does not get into its activity";
	$node->safe_psql('postgres',
		$id eq 'terminated'
		? "SELECT df_terminate('$id')"
		: "SELECT df_start_singleton('once', '$id', '\"new\"', on_conflict => 'terminate')");
	ok( $node->poll_query_until('postgres', q{
			SELECT NOT EXISTS (SELECT FROM df_stat_workers WHERE instance_id IS NOT NULL)}),
		"$id: the activity that swallows the interruption ends");
	is( $node->safe_psql('postgres',
			"SELECT runtime_status, output #>> '{}' FROM df_wait_for_completion('$id')"),
		$id eq 'terminated' ? 'Terminated|' : 'Completed|new',
		"$id: what it returns counts for nothing");
	is(entries($id), 0, "$id: what it wrote is undone");
	is( $node->safe_psql('postgres', qq{
			SELECT count(*) FROM df_history WHERE instance_id = '$id'
				AND event_type IN ('TaskCompleted', 'TaskFailed')}),
		0,
		"$id: history does not know it");
}

#
# The terminating transaction is left open
#
my $gate = $node->background_psql('postgres');
my $open = $node->background_psql('postgres');

sub others_go_on
{
	my ($prefix) = @_;

	$node->safe_psql('postgres', qq{
		SELECT df_start_singleton('once', '$prefix ' || n) FROM generate_series(1, 8) n});
	return wait_ended($node, 'postgres', "$prefix %");
}

start('open', '{"lock": 3}');
$open->query_safe("BEGIN; SELECT df_terminate('open', 'later')");
my $worker = $node->safe_psql('postgres',
	"SELECT pid, step_start FROM df_stat_workers WHERE instance_id = 'open'");
($answer, $milliseconds) =
  timed($node, 'postgres', "SELECT df_start_singleton('staying', 'open')");
note "start over an open terminate: $milliseconds ms";
is($answer, 'f', 'a start during an open terminate gets false');
cmp_ok($milliseconds, '<', 250, 'without waiting for either');
is(status('open'), 'Running', 'an open terminate has not happened yet');
ok(others_go_on('beside'), 'other instances run during an open terminate');
is( $node->safe_psql('postgres',
		"SELECT pid, step_start FROM df_stat_workers WHERE instance_id = 'open'"
	),
	$worker,
	'the step goes on until the terminate commits');
$open->query_safe('COMMIT');
(undef, $milliseconds) = timed($node, 'postgres', 'SELECT pg_advisory_lock(7, 3)');
note "commit of the terminate to the end of the step: $milliseconds ms";
cmp_ok($milliseconds, '<', 1000, 'the commit ends the step within a second');
is(status('open') . entries('open'), 'Terminated0', 'terminated and undone');

# The step ends while the terminate is open.
$gate->query_safe('SELECT pg_advisory_lock(8, 1)');
foreach my $end ('ROLLBACK', 'COMMIT')
{
	my $id   = "ends during $end";
	my $mark = $end eq 'COMMIT' ? 2 : 1;

	$gate->query_safe("SELECT pg_advisory_lock(8, $mark)") if $mark > 1;
	start($id, qq({"lock": 4, "gate": $mark}));
	$open->query_safe("BEGIN; SELECT df_terminate('$id', 'later')");
	$gate->query_safe("SELECT pg_advisory_unlock(8, $mark)");
	ok(others_go_on("$end"), "$end: other instances run while the step's end waits");
	unlike(status($id), qr/Completed|Terminated/, "$end: nothing has ended yet");
	$open->query_safe($end);
	ok(wait_ended($node, 'postgres', $id), "$end: the instance ends");
	is( status($id) . entries($id),
		$end eq 'COMMIT' ? 'Terminated0' : 'Completed1',
		"$end: state and ledger agree");
}
$gate->quit;
$open->quit;

#
# Many terminates, aimed at what is executing, between instances that nobody
# terminates
#
$node->safe_psql('postgres', q{
	SELECT df_start_singleton('three_steps', kind || ' ' || n)
	FROM generate_series(1, 300) n, unnest('{victim,bystander}'::text[]) kind});
$node->pgbench(
	'-n -c 3 -j 1 -t 1',
	0,
	[qr/processed: 3\/3/],
	[qr/^(?!.*(?:ERROR|aborted))/s],
	'three sessions terminate victims until all instances have ended',
	{ storm => 'CALL storm()' });

my $terminated = $node->safe_psql('postgres', q{
	SELECT count(*) FROM df_instances
	WHERE instance_id LIKE 'victim %' AND runtime_status = 'Terminated'});
note "$terminated of 300 victims were terminated while they ran";
cmp_ok($terminated, '>=', 30, 'the storm has hit steps');
is( $node->safe_psql('postgres', q{
		SELECT string_agg(DISTINCT runtime_status::text, ' ') FROM df_instances
		WHERE instance_id LIKE 'bystander %'}),
	'Completed',
	'every instance that nobody terminated has completed');
is( $node->safe_psql('postgres', q{
		SELECT count(*) FROM df_instances
		WHERE instance_id LIKE 'victim %'
			AND runtime_status NOT IN ('Terminated', 'Completed')}),
	0,
	'no victim has failed: a terminate is never an error of the activity');
is( $node->safe_psql('postgres', q{
		SELECT count(*), count(DISTINCT (instance, step)) FROM ledger
		WHERE instance LIKE 'bystander %'}),
	'900|900',
	'each activity of the others is in the ledger exactly once');
is( $node->safe_psql('postgres', q{
		SELECT count(*) FROM
			(SELECT instance, count(*) n FROM ledger GROUP BY 1) l
			FULL JOIN (SELECT instance_id, count(*) n FROM df_history
				WHERE event_type = 'TaskCompleted' AND name = 'step'
				GROUP BY 1) h ON instance = instance_id
		WHERE l.n IS DISTINCT FROM h.n AND coalesce(instance, instance_id)
			SIMILAR TO '(victim|bystander) %'}),
	0,
	'the ledger has what history has, for every instance');

#
# Many starts that terminate what holds the id: one after the other
#
$node->pgbench(
	'-n -c 4 -j 1 -t 100',
	0,
	[qr/processed: 400\/400/],
	[qr/^(?!.*(?:ERROR|aborted))/s],
	'four sessions replace the execution of one id again and again',
	{
		replace => q{
\set pause random(1, 30)
\sleep :pause ms
SELECT 1 / df_start_singleton('replaced', 'one', on_conflict => 'terminate')::int;
}
	});
ok(wait_status($node, 'postgres', 'one', 'Completed'), 'the last one completes');
is($node->safe_psql('postgres', 'SELECT is_called FROM meetings'),
	'f', 'no two executions of the id ran at the same time');
is( $node->safe_psql('postgres', q{
		SELECT count(*), count(DISTINCT step) FROM ledger
		WHERE instance = (SELECT 'execution ' || execution_id FROM df_get_status('one'))}),
	'3|3',
	'each activity of the last one is in the ledger exactly once');
my ($touched, $twice) = split /\|/, $node->safe_psql('postgres', q{
		SELECT count(DISTINCT instance), count(*) - count(DISTINCT (instance, step))
		FROM ledger WHERE instance LIKE 'execution %'});
note "$touched of 400 executions got as far as to end an activity";
is($twice, 0, 'and no activity of any of them twice');

#
# The other way round: a step waits a second for whoever holds its instance in
# an open transaction; then it is undone, and run again once that has ended
#
my $barrier = $node->background_psql('postgres');
$barrier->query_safe('SELECT pg_advisory_lock(8, 9)');
$node->safe_psql('postgres', q{SELECT df_start_singleton('staying', 'held', '{"lock": 9, "gate": 9}')});
ok(wait_in_activity($node, 'postgres', 'held'), 'a step is under way');
my $holder = $node->background_psql('postgres');
$holder->query_safe(q{BEGIN; SELECT df_suspend('held')});
my $undone = qr/a step of instance "held" was undone and will be retried: canceling statement due to lock timeout/;
my $mark = -s $node->logfile;
$barrier->query_safe('SELECT pg_advisory_unlock(8, 9)');
ok($node->wait_for_log($undone, $mark), 'the step is undone when it has waited for a while');
is($node->safe_psql('postgres', q{
		SELECT df_start_singleton('once', 'beside');
		SELECT runtime_status FROM df_wait_for_completion('beside')}),
	"t\nCompleted", 'the worker goes on with others');
is($node->safe_psql('postgres', q{SELECT count(*) FROM ledger WHERE instance = 'held'}),
	0, 'what it wrote is undone');
$holder->query_safe('ROLLBACK');
ok(wait_status($node, 'postgres', 'held', 'Completed'), 'it is run again when the row is free');
is($node->safe_psql('postgres', q{SELECT count(*) FROM ledger WHERE instance = 'held'}),
	1, 'and has happened once');
is(scalar(() = slurp_file($node->logfile, $mark) =~ /$undone/g), 1,
	'in vain it was not run again');
$_->quit foreach $barrier, $holder;

finish($node);
done_testing();
