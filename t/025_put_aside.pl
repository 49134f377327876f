# Runs that are cached between two steps, and rows written by key: every role
# makes progress, a child that must end does, tables may be reindexed, changed
# and dropped meanwhile, and large values are kept.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# One worker first: what it runs can be told by the order of the ledger.
my $node = new_server('main',
	conf => "durable_singleton.workers_per_role = 1\ndurable_singleton.worker_idle_timeout = '10min'\n");

$node->safe_psql('postgres', q{
CREATE TABLE ledger (n bigserial, instance text);
CREATE INDEX ON ledger (instance);
CREATE FUNCTION step(input jsonb) RETURNS void LANGUAGE sql AS $$
	INSERT INTO ledger (instance) VALUES (input ->> 'id');
	SELECT pg_sleep((input ->> 'ms')::float8 / 1000) $$;
-- one activity after the other
CREATE FUNCTION steps(n int, ms int, padding text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. n LOOP
		PERFORM df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'ms', ms));
	END LOOP;
END $$;
-- all side by side
CREATE FUNCTION fan_out(n int, ms int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_all(array_agg(df_schedule_activity('step',
		jsonb_build_object('id', df_instance_id(), 'ms', ms)))) FROM generate_series(1, n);
END $$;
CREATE FUNCTION parent(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN RETURN df_call_sub_orchestrator('steps', $1, df_instance_id() || '/child'); END $$;
CREATE FUNCTION hold(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT NULL::jsonb FROM pg_advisory_xact_lock_shared(8, 1) $$;
CREATE FUNCTION holding(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN RETURN df_call_activity('hold'); END $$;
CREATE FUNCTION timer(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN PERFORM df_create_timer('1 s'); RETURN NULL; END $$;
-- a step on either side of an event
CREATE FUNCTION waiting(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('step', '{"ms": 0}'), df_wait_for_external_event('go');
	RETURN df_call_activity('step', '{"ms": 0}');
END $$;
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
-- its input through two activities and a child, and then an event
CREATE FUNCTION carry(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb := df_call_activity('once', input);
BEGIN
	x := df_call_activity('once', x);
	x := df_call_sub_orchestrator('once', x, df_instance_id() || '/child');
	PERFORM df_set_custom_status(x);
	RETURN jsonb_build_array(x, df_wait_for_external_event('more'));
END $$;
CREATE TABLE payload AS
	SELECT i, (SELECT to_jsonb(string_agg(md5(random()::text || g), ''))
		FROM generate_series(1, CASE WHEN i % 2 = 0 THEN 9600 ELSE 600 END) g) AS data
	FROM generate_series(1, 16) i;
});
rescan_off($node);
sub query { return $node->safe_psql('postgres', $_[0]) }

sub until_true
{
	my ($sql, $what) = @_;
	$node->poll_query_until('postgres', "SELECT $sql") or die "never: $what";
	return;
}

# How many steps the instance has done.
sub n_steps { return "(SELECT count(*) FROM ledger WHERE instance = '$_[0]')" }

# Steps that others did between the first and the last step of an instance.
sub steps_between
{
	my ($id, $others) = @_;
	my $n = query(qq{SELECT count(*) FROM ledger WHERE instance LIKE '$others' AND n BETWEEN
			(SELECT min(n) FROM ledger WHERE instance = '$id') AND (SELECT max(n) FROM ledger WHERE instance = '$id')});
	note "while $id was under way, $others did $n steps";
	return $n;
}

sub end_all
{
	my ($pattern) = @_;
	query(qq{SELECT df_terminate(instance_id) FROM df_instances
		WHERE instance_id LIKE '$pattern' AND parent_instance_id IS NULL
			AND runtime_status IN ('Pending', 'Running')});
	wait_ended($node, 'postgres', $pattern) or die "$pattern does not end";
	return;
}

# --- Large values -----------------------------------------------------------
# Of each two, one run is too large to be put aside.
foreach my $round (0, 8)
{
	is(query(qq{SELECT count(*) FILTER (WHERE df_start_singleton('carry', 'carry ' || i - $round, data))
			FROM payload WHERE i BETWEEN $round + 1 AND $round + 8}),
		8, "instances with large inputs start ($round)");
	until_true(q{count(*) = 8 FROM df_instances WHERE waiting_for = 'event more'}, 'large values');
	query(qq{SELECT df_raise_event('carry ' || p.i - $round, 'more', e.data)
		FROM payload p JOIN payload e ON e.i = 17 - p.i WHERE p.i BETWEEN $round + 1 AND $round + 8});
	ok(wait_ended($node, 'postgres', 'carry%'), "and end ($round)");
}
my $same = q{md5(x.input::text) = md5(p.data::text) AND md5(x.custom_status::text) = md5(p.data::text)
	AND md5(x.output::text) = md5(jsonb_build_array(p.data, e.data)::text)};
foreach my $relation ([ 'df_instances', 8, '> 8' ], [ 'df_executions', 0, '<= 8' ])
{
	my ($name, $offset, $which) = @$relation;
	is( query(qq{
			SELECT x.runtime_status, count(*), count(*) FILTER (WHERE $same),
				sum((SELECT count(*) FROM df_history h WHERE h.execution_id = x.execution_id
					AND event_type = 'TaskCompleted' AND md5(h.result::text) = md5(p.data::text)))
			FROM $name x JOIN payload p ON p.i $which AND x.instance_id = 'carry ' || p.i - $offset
				JOIN payload e ON e.i = 17 - p.i
			GROUP BY 1}),
		'Completed|8|8|16', "$name and its history have all values unchanged");
}

# --- A child of a parent that is terminated, while it is put aside ----------
foreach my $round (1 .. 2)
{
	query(qq{
		SELECT df_start_singleton('steps', 'beside $round', '{"n": 1000, "ms": 10}');
		SELECT df_start_singleton('parent', 'parent $round', '{"n": 1000, "ms": 2}')});
	my ($of_child, $of_other) = (n_steps("parent $round/child"), n_steps("beside $round"));
	until_true("$of_child > 4 AND $of_other > 4", 'both take turns');
	query("SELECT df_terminate('parent $round')");
	my ($child, $other) = split /\|/, query("SELECT $of_child, $of_other");
	until_true("$of_other > $other + 20", 'the other goes on');
	cmp_ok(query("SELECT $of_child"), '<=', $child + 1, "a child does not go on when its parent was terminated ($round)");
	ok(wait_status($node, 'postgres', "parent $round/child", 'Terminated'), "but ends ($round)");
	end_all("beside $round");
}

# --- Nobody starves ---------------------------------------------------------
query(q{
	SELECT df_start_singleton('steps', 'big', jsonb_build_object('n', 1500, 'ms', 1,
		'padding', (SELECT data FROM payload WHERE i = 2)));
	SELECT df_start_singleton('steps', 'small ' || i, '{"n": 20, "ms": 1}') FROM generate_series(1, 3) i});
ok(wait_ended($node, 'postgres', 'small %'), 'small instances end beside one that is too large to be put aside');
cmp_ok(steps_between("small $_", 'big'), '<', 400, "which does not take the turns of small $_") foreach 1 .. 3;
end_all('big');

query(q{
	SELECT df_start_singleton('steps', 'sequential', '{"n": 50, "ms": 1}');
	SELECT df_start_singleton('fan_out', 'tasks', '{"n": 1000, "ms": 2}')});
ok(wait_ended($node, 'postgres', 'sequential'), 'a sequential instance ends beside a thousand tasks');
cmp_ok(steps_between('sequential', 'tasks'), '<', 700, 'before they have all been run');
end_all('tasks');

# Those that are put aside in a worker that has got into a long step.  Two
# workers first: another one does not come as long as things go on.
my $gate = $node->background_psql('postgres');
query("ALTER SYSTEM SET durable_singleton.workers_per_role = 2;\nSELECT pg_reload_conf()");
$gate->query_safe('SELECT pg_advisory_lock(8, 1)');
query(q{SELECT df_start_singleton('holding', 'holding ' || i) FROM generate_series(1, 2) i});
until_true(q{count(*) = 2 FROM df_stat_workers WHERE instance_id LIKE 'holding %'}, 'two workers');
$gate->query_safe('SELECT pg_advisory_unlock(8, 1)');
wait_ended($node, 'postgres', 'holding %') or die 'the workers stay in their activities';
$gate->query_safe('SELECT pg_advisory_lock(8, 1)');
query(q{SELECT df_start_singleton('steps', 'both ' || i, '{"n": 100000, "ms": 2}') FROM generate_series(1, 6) i});
until_true('count(*) = 6 FROM (SELECT FROM ledger WHERE instance LIKE $$both %$$ GROUP BY instance HAVING count(*) > 15) x', 'all six run');
query(q{SELECT df_start_singleton('holding', 'long')});
wait_in_activity($node, 'postgres', 'long') or die 'the long step does not begin';
my $since = query('SELECT max(n) FROM ledger');
until_true("count(*) >= 300 FROM ledger WHERE n > $since", 'the other worker goes on');
cmp_ok(query(qq{SELECT min((SELECT count(*) FROM ledger WHERE instance = 'both ' || i AND n > $since))
		FROM generate_series(1, 6) i}), '>=', 10, 'all of them go on in one of the workers when the other is busy');
end_all('both %');
$gate->query_safe('SELECT pg_advisory_unlock(8, 1)');
wait_ended($node, 'postgres', 'long') or die 'the long step does not end';

# --- REINDEX CONCURRENTLY ---------------------------------------------------
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $workers = 'SELECT array_agg(pid ORDER BY pid) FROM df_stat_workers';

# every kind of start and step, by a living session and living workers
sub use_all
{
	my ($name) = @_;
	is( $session->query(qq{
			SELECT count(*) FILTER (WHERE df_start_singleton('steps', '$name ' || i, '{"n": 3, "ms": 2}'))
				+ count(*) FILTER (WHERE df_start_singleton('once', 'over ' || i))
			FROM generate_series(1, 20) i;}),
		40, "$name: starts and starts over");
	$session->query(qq{SELECT df_raise_event('waiting', 'go');});
	ok(wait_ended($node, 'postgres', $_), "$name: $_ end") foreach 'waiting', "$name %", 'over %';
	is(query(q{SELECT count(*) FROM df_instances WHERE runtime_status = 'Failed'}), 0, "$name: none has failed");
	$session->query(q{SELECT df_start_singleton('waiting', 'waiting');});
	until_true("waiting_for = 'event go' FROM df_instances WHERE instance_id = 'waiting'", 'an instance waits');
	return;
}

query(q{SELECT df_start_singleton('waiting', 'waiting')});
use_all('before');
my ($pids, $mark) = (query($workers), -s $node->logfile);
foreach my $table (qw(history execution inbox instance))
{
	query("REINDEX TABLE CONCURRENTLY durable_singleton.$table");
	use_all("reindex of $table");
}
is(query($workers), $pids, 'the workers are still the same');
unlike(slurp_file($node->logfile, $mark), qr/ERROR/, 'and none has met an error');

# While it runs there are two indexes that a start may conflict with.
$node->pgbench('-n -c 5 -j 2 -T 1', 0,
	[qr/processed: [1-9]/], [qr/^(?!.*(?:ERROR|aborted))/s],
	'concurrent starts of the same ids while the index is built again and again',
	{ reindex => q{
\if :client_id = 0
REINDEX INDEX CONCURRENTLY durable_singleton.instance_pkey;
\else
SELECT nextval('ledger_n_seq') / 4 AS id \gset
SELECT df_start_singleton('once', 'race ' || :id, start_at => now() + '1 day');
\endif
} });

# --- REPEATABLE READ: the loser of two starts is told so, whatever it sees ---
my ($one, $other) = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 2;

# What a start says that has to wait for the first session, then.
sub start_behind
{
	my ($id, $then) = @_;
	$other->query_until(qr/starting\n/, "\\echo starting\nSELECT df_start_singleton('waiting', '$id');\n\\echo state :SQLSTATE\n");
	until_true(q{count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT df_start%'},
		'the second start waits');
	$one->query($then);
	return join ' ', split /\n/, $other->query_until(qr/state \w{5}\n/, '');
}

foreach my $case ([ 'COMMIT', 'f' ], [ 'ROLLBACK', 't' ])
{
	my ($end, $started) = @$case;
	$_->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM df_instances;') foreach $one, $other;
	is($one->query("SELECT df_start_singleton('waiting', 'rr $end')"), 't', "the first start ($end)");
	is(start_behind("rr $end", $end), "$started state 00000", 'the second start, which had to wait for it');
	is($other->query("SELECT df_start_singleton('waiting', 'rr $end')"), 'f', 'the second start, once more');
	$other->query('COMMIT');
}

# --- a timer beside so many that take turns that, counted as new, they would
# keep everybody from looking for what is due
query(q{SELECT df_start_singleton('steps', 'many ' || i, '{"n": 100000, "ms": 0}') FROM generate_series(1, 300) i});
until_true("count(DISTINCT instance) = 300 FROM ledger WHERE instance LIKE 'many %'", 'all of them have begun');
$since = query(q{
	SELECT df_start_singleton('timer', 'timer'), df_start_singleton('steps', 'late', '{"n": 2, "ms": 0}') \g /dev/null
	SELECT max(n) FROM ledger});
until_true(q{(SELECT runtime_status = 'Completed' OR clock_timestamp() > created_time + '20 s'
	FROM df_get_status('timer'))}, 'the timer fires');
is(query(q{SELECT runtime_status, last_updated_time < created_time + '4 s' FROM df_get_status('timer')}),
	'Completed|t', 'a timer fires beside hundreds of instances that take turns');
ok(wait_ended($node, 'postgres', 'late'), 'a new instance gets its turns, too');
cmp_ok(query(qq{SELECT max(n) FROM ledger WHERE instance = 'late'}), '<', $since + 6000, 'after a few turns of the others');
is(query(q{SELECT count(*) FROM df_instances WHERE instance_id LIKE 'many %' AND runtime_status IN ('Pending', 'Running')}),
	300, 'which all go on');

# --- Tables that are dropped or changed under living sessions and workers ---
my $create = 'DROP EXTENSION durable_singleton CASCADE; CREATE EXTENSION durable_singleton';

sub works_again
{
	my ($why) = @_;
	is($session->query(q{SELECT df_start_singleton('steps', 'again', '{"n": 3, "ms": 0}')}),
		't', "$why: a living session starts an instance");
	ok(wait_status($node, 'postgres', 'again', 'Completed'), "$why: which completes");
	return;
}

query($create);
works_again('created again');
$other->query(q{SELECT df_start_singleton('once', 'known')});
$one->query('BEGIN; DROP EXTENSION durable_singleton CASCADE');
like(start_behind('dropped', 'COMMIT'), qr/^state 42(704|883)$/,
	'a start that has waited for DROP EXTENSION is told that it is gone');
query('CREATE EXTENSION durable_singleton');
works_again('dropped and created');

my $started = query('SELECT pg_postmaster_start_time()');
query('ALTER TABLE durable_singleton.instance ADD COLUMN extra text');
my ($output) = $session->query("\\set VERBOSITY verbose\nSELECT df_start_singleton('once', 'other version');\n\\echo :SQLSTATE");
is($output, '55000', 'altered tables: a living session is told');
like($session->{stderr}, qr/the tables of extension "durable_singleton" have been altered/, 'clearly');
$session->{stderr} = '';
query($create);
works_again('changed and created again');
is(query('SELECT pg_postmaster_start_time()'), $started, 'the server has not restarted');

$_->quit foreach $gate, $session, $one, $other;
finish($node);
done_testing();
