# The number of a role's active instances and the size of their histories are
# limited by the settings of an administrator.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "max_prepared_transactions = 5\n");

create_database($node, 'other');
foreach my $database ('postgres', 'other')
{
	$node->safe_psql($database, q{
	CREATE FUNCTION holding(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		RETURN df_wait_for_external_event('go');
	END $$;
	CREATE FUNCTION failing(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM df_wait_for_external_event('go');
		RAISE 'failed';
	END $$;
	CREATE FUNCTION parent(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		RETURN df_call_sub_orchestrator('holding', NULL, df_instance_id() || ' child');
	EXCEPTION WHEN configuration_limit_exceeded THEN
		RETURN to_jsonb(SQLERRM);
	END $$;
	CREATE FUNCTION family(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	DECLARE
		tasks int[];
	BEGIN
		FOR n IN 1 .. 4 LOOP
			tasks := tasks || df_schedule_sub_orchestrator('holding', NULL, df_instance_id() || n);
		END LOOP;
		RETURN df_wait_all(tasks);
	END $$;
	CREATE FUNCTION kilobyte(jsonb) RETURNS jsonb LANGUAGE sql AS $$
		SELECT to_jsonb(repeat('x', 1000)) $$;
	CREATE FUNCTION growing(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		FOR n IN 1 .. input::int LOOP
			PERFORM df_call_activity('kilobyte');
		END LOOP;
		RETURN '"grown"';
	END $$;
	CREATE FUNCTION growing_tasks(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	DECLARE
		tasks int[];
	BEGIN
		FOR n IN 1 .. input::int LOOP
			tasks := tasks || df_schedule_activity('kilobyte');
		END LOOP;
		PERFORM df_wait_all(tasks);
		RETURN '"grown"';
	END $$;
	CREATE FUNCTION in_turns(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM df_call_activity('kilobyte');
		IF input::int > 0 THEN
			PERFORM df_continue_as_new(to_jsonb(input::int - 1));
		END IF;
		RETURN '"in turns"';
	END $$;
	});
}
$node->safe_psql('postgres', "CREATE ROLE $_ LOGIN") foreach 'tenant', 'neighbour', 'crowd';
foreach my $database ('postgres', 'other')
{
	$node->safe_psql($database, "SELECT df_grant_usage('$_')")
	  foreach 'tenant', 'neighbour', 'crowd';
}
$node->safe_psql('postgres',
	'ALTER ROLE tenant SET durable_singleton.max_active_instances = 3');

my @tenant = (extra_params => [ '-U', 'tenant' ]);

sub tenant
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql, @tenant);
}

sub active
{
	my ($role) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT count(*) FROM df_instances WHERE owner = '$role'::regrole
			AND runtime_status IN ('Pending', 'Running', 'Suspended')});
}

# No more than it has, and one more is refused.
sub is_full
{
	my ($n, $name) = @_;
	my ($sqlstate, $message, $hint) = error_of($node, 'postgres',
		q{SELECT df_start_new('holding')}, @tenant);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(active('tenant') . " $sqlstate", "$n 53400", $name);
	return ($message, $hint);
}

#
# The limit
#
is(tenant(q{SELECT count(df_start_singleton('holding', 'place ' || n)) FROM generate_series(1, 3) n}),
	3, 'up to the limit');
my ($message, $hint) = is_full(3, 'and no further');
is($message, 'role "tenant" has too many active instances', 'the error tells whose');
like($hint, qr/ALTER ROLE/, 'and what to do');
is((error_of($node, 'postgres',
	q{SET durable_singleton.max_active_instances = 100}, @tenant))[0],
	'42501', 'the role cannot help itself');
is(tenant(q{SELECT df_start_singleton('holding', 'place 1')}), 'f',
	'an active one is still just active');
is(tenant(q{SELECT df_start_singleton('holding', 'place 1', on_conflict => 'terminate')}), 't',
	'one in the place of another is possible');
is_full(3, 'and leaves as many');

foreach my $case (
	[ 'terminated', q{SELECT df_terminate('place 1')} ],
	[ 'completed', q{SELECT df_raise_event('place 1', 'go')} ])
{
	my ($how, $sql) = @$case;

	tenant($sql);
	$node->poll_query_until('postgres', q{
		SELECT runtime_status IN ('Completed', 'Terminated') FROM df_get_status('place 1')})
	  or die 'it does not end';
	is(tenant(q{SELECT df_start_singleton('holding', 'place 1')}), 't',
		"one that has $how makes room, also for a start over it");
	is_full(3, "for one");
}
tenant(q{SELECT df_suspend('place 1')});
is_full(3, 'a suspended one is active');
tenant(q{SELECT df_resume('place 1')});

# rollback
tenant(q{SELECT df_terminate('place 1')});
tenant(q{BEGIN; SELECT df_start_singleton('holding', 'place 1'); ROLLBACK});
tenant(q{
	BEGIN;
	SAVEPOINT a;
	SELECT df_start_singleton('holding', 'place 1');
	ROLLBACK TO a;
	SAVEPOINT b;
	SELECT df_start_singleton('holding', 'place 1');
	RELEASE b;
	COMMIT});
is_full(3, 'what is rolled back has not taken a place');
tenant(q{BEGIN; SELECT df_terminate('place 1'); ROLLBACK});
is_full(3, 'nor made room');
my $open = $node->background_psql('postgres', @tenant);
$open->query_safe(q{BEGIN; SELECT df_terminate('place 1')});
is_full(3, 'what is not yet committed has not made room either');
$open->query_safe('COMMIT');
$open->query_safe(q{BEGIN; SELECT df_start_singleton('holding', 'place 1')});
is_full(2, 'but has taken a place');
$open->query_safe('COMMIT');
$open->quit;
is_full(3, 'which it keeps');

# failed ones, rewound and restarted
tenant(q{SELECT df_terminate('place 3'); SELECT df_start_singleton('failing', 'fails')});
tenant(q{SELECT df_raise_event('fails', 'go')});
wait_status($node, 'postgres', 'fails', 'Failed') or die 'it does not fail';
tenant(q{SELECT df_start_singleton('holding', 'place 3')});
foreach my $sql (q{df_rewind('fails')}, q{df_restart('fails')}, q{df_restart('fails', false)})
{
	is((error_of($node, 'postgres', "SELECT $sql", @tenant))[0], '53400', "$sql counts");
}
is(active('tenant'), 3, 'and leaves everything as it was');

# others
is($node->safe_psql('postgres', q{
		SELECT count(df_start_singleton('holding', 'neighbour ' || n)) FROM generate_series(1, 10) n},
		extra_params => [ '-U', 'neighbour' ]),
	10, 'other roles have no limit');
is($node->safe_psql('other', q{
		SELECT count(df_start_singleton('holding', 'place ' || n)) FROM generate_series(1, 3) n},
		@tenant),
	3, 'each database counts for itself');

# a restart of the server, and a crash
$node->restart;
is_full(3, 'the limit holds after a restart');
$node->stop('immediate');
$node->start;
is_full(3, 'and after a crash');
tenant(q{SELECT df_terminate('place 1')});
is(tenant(q{SELECT df_start_singleton('holding', 'place 1')}), 't', 'one makes room');
is_full(3, 'for one');

# prepared transactions: seen wrongly at first, then counted again
tenant(q{SELECT df_terminate('place 1')});
tenant(q{BEGIN; SELECT df_start_singleton('holding', 'place 1'); PREPARE TRANSACTION 'p'});
is_full(2, 'a prepared transaction holds its place');
tenant(q{ROLLBACK PREPARED 'p'});
{
	my $sqlstate = '53400';

	foreach (1 .. 300)
	{
		($sqlstate) = error_of($node, 'postgres',
			q{SELECT df_start_singleton('holding', 'place 1')}, @tenant);
		last if $sqlstate eq '';
		select undef, undef, undef, 0.1;
	}
	is($sqlstate, '', 'what it held is free soon after it was rolled back');
}
is_full(3, 'and taken then');
tenant(q{BEGIN; SELECT df_terminate('place ' || n) FROM generate_series(1, 3) n; PREPARE TRANSACTION 'p'});
is_full(3, 'what a prepared transaction has ended has not made room');
tenant(q{ROLLBACK PREPARED 'p'});
is_full(3, 'nor has it when that is rolled back');

# who counts first has ended some itself
$node->restart;
is((error_of($node, 'postgres', q{
		BEGIN;
		SELECT df_terminate('place ' || n) FROM generate_series(1, 3) n;
		SELECT df_start_singleton('holding', 'another');
		ROLLBACK}, @tenant))[0],
	'53400', 'a count does not take for ended what its transaction has ended');
is_full(3, 'so that it makes no room when it is rolled back');

#
# Children
#
tenant(q{SELECT df_terminate('place ' || n) FROM generate_series(1, 3) n});
is(tenant(q{
	SELECT df_start_singleton('holding', 'place 1'), df_start_singleton('holding', 'place 2'),
		df_start_singleton('parent', 'parent')}), 't|t|t', 'two and a parent');
ok(wait_status($node, 'postgres', 'parent', 'Completed'), 'a child counts, too');
is(tenant(q{SELECT output ->> 0 FROM df_get_status('parent')}), $message,
	'and the parent can catch that it cannot be started');
tenant(q{SELECT df_terminate('place ' || n) FROM generate_series(1, 2) n});
tenant(q{SELECT df_start_singleton('family', 'family')});
ok($node->poll_query_until('postgres', q{
	SELECT count(*) FROM df_history WHERE instance_id = 'family'
		AND event_type = 'SubOrchestrationInstanceFailed'}, '2'),
	'of four children two cannot be started');
is(tenant(q{SELECT count(*) FROM df_instances WHERE parent_instance_id = 'family'}), 2,
	'as many start as there are places');
is_full(3, 'and take them');
tenant(q{SELECT df_terminate(instance_id) FROM df_instances WHERE parent_instance_id = 'family'});
ok($node->poll_query_until('postgres', q{
	SELECT count(*) = 0 FROM df_instances WHERE owner = 'tenant'::regrole
		AND runtime_status IN ('Pending', 'Running', 'Suspended')}), 'all have ended');

#
# Who loses the race for an id has taken no place
#
foreach my $kind ('fresh', 'ended')
{
	my ($winner, $loser) = map { $node->background_psql('postgres', @tenant) } 1 .. 2;

	$winner->query_safe(q{BEGIN; SELECT df_start_singleton('holding', 'raced')});
	$loser->query_safe('BEGIN');
	$loser->query_until(qr/asks/, qq{
		\\echo asks
		SELECT 'raced ' || df_start_singleton('holding', 'raced');
	});
	ok($node->poll_query_until('postgres', q{
			SELECT count(*) = 1 FROM pg_stat_activity
			WHERE usename = 'tenant' AND wait_event_type = 'Lock'}),
		"$kind: two start the same");
	$winner->query_safe('COMMIT');
	like($loser->query_safe(q{
			SELECT 'others ' || df_start_singleton('holding', 'a') || df_start_singleton('holding', 'b')}),
		qr/raced false\nothers truetrue/, "$kind: the loser still has two places");
	$loser->query_safe('COMMIT');
	$_->quit foreach $winner, $loser;
	is_full(3, "$kind: and takes them");
	tenant(q{SELECT df_terminate(id) FROM unnest('{raced,a,b}'::text[]) id});
}

#
# Many at once
#
$node->safe_psql('postgres',
	'ALTER ROLE crowd SET durable_singleton.max_active_instances = 500');
$node->pgbench(
	'--no-vacuum --client=8 --transactions=100 -U crowd',
	2, [qr/./], [qr/53400|too many active instances/],
	'eight sessions together start more than they may',
	{ 'start' => q{SELECT df_start_new('holding'); SELECT df_start_new('holding')} });
is(active('crowd'), 500, 'they get as many as they may, to the last one');

# What is gone with the extension does not count any more.
$node->safe_psql('postgres', q{
	DROP EXTENSION durable_singleton CASCADE;
	CREATE EXTENSION durable_singleton;
	SELECT df_grant_usage('tenant')});
is(tenant(q{SELECT count(df_start_singleton('holding', 'anew ' || n)) FROM generate_series(1, 3) n}),
	3, 'a new extension begins with nothing');
is_full(3, 'under the same limit');
tenant(q{SELECT df_terminate('anew ' || n) FROM generate_series(1, 3) n});

#
# A rewind after a restart, which forgets what was counted, when one place is free
#
$node->safe_psql('postgres', q{
	CREATE SEQUENCE tries;
	GRANT USAGE ON SEQUENCE tries TO tenant;
	CREATE FUNCTION fails_once() RETURNS bigint LANGUAGE sql AS $$ SELECT 1 / (nextval('tries') - 1) $$;
	CREATE FUNCTION fails_and_waits(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM df_call_activity('fails_once');
		RETURN df_wait_for_external_event('go');
	END $$});
tenant(q{SELECT df_start_singleton('fails_and_waits', 'fails')});
ok(wait_status($node, 'postgres', 'fails', 'Failed'), 'an instance has failed');
$node->restart;
tenant(q{SELECT df_start_singleton('holding', 'holds ' || n) FROM generate_series(1, 2) n});
$node->restart;
is(tenant(q{SELECT 'rewound' FROM df_rewind('fails')}), 'rewound', 'it takes the last place');
is_full(3, 'with that one');
tenant(q{SELECT df_terminate(id) FROM unnest('{fails,holds 1,holds 2}'::text[]) id});

#
# The size of a history
#
$node->safe_psql('postgres',
	q{ALTER ROLE tenant SET durable_singleton.max_history_size = '20kB'});
$node->restart;
tenant(q{
	SELECT df_start_singleton('growing', 'grows', '10');
	SELECT df_start_singleton('growing', 'outgrows', '30')});
ok(wait_status($node, 'postgres', 'grows', 'Completed'), 'a history may grow');
ok(wait_status($node, 'postgres', 'outgrows', 'Failed'), 'to a size');
like(tenant(q{
		SELECT concat_ws('|', failure ->> 'sqlstate', failure ->> 'message',
			failure ->> 'detail', failure ->> 'hint') FROM df_get_status('outgrows')}),
	qr/^53400\|history of instance "outgrows" is too large\|It has 1\d steps; durable_singleton.max_history_size is 20 kB\.\|.*df_continue_as_new/,
	'the failure tells what to do');
tenant(q{
	SELECT df_start_singleton('growing_tasks', 'tasks', '30');
	SELECT df_start_singleton('in_turns', 'turns', '30')});
ok(wait_status($node, 'postgres', 'tasks', 'Failed'), 'with tasks, too');
ok(wait_status($node, 'postgres', 'turns', 'Completed'),
	'with df_continue_as_new it does not grow');
$node->safe_psql('postgres', q{ALTER ROLE tenant RESET durable_singleton.max_history_size});
$node->restart;
tenant(q{SELECT df_rewind('outgrows'), df_rewind('tasks')});
ok(wait_status($node, 'postgres', $_, 'Completed'), "$_: rewound under a higher limit, it goes on")
  foreach 'outgrows', 'tasks';

finish($node);
done_testing();
