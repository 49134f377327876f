# Children: terminate reaches all generations immediately, crashes repeat
# nothing, and no parent misses the end of a child.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('main', conf => "restart_after_crash = on\n");

create_ledger($node);
$node->safe_psql('postgres', q{
CREATE SEQUENCE numbers;
CREATE FUNCTION wait(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
-- two steps; the second at the gate, if its input has one
CREATE FUNCTION child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	first jsonb;
BEGIN
	input := coalesce(input, '{}') || jsonb_build_object('id', df_instance_id());
	first := df_call_activity('write', (input - 'gate') || '{"step": 1}');
	RETURN jsonb_build_array(first, df_call_activity('write', input || '{"step": 2}'));
END $$;
CREATE FUNCTION unlucky(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('write', jsonb_build_object('id', df_instance_id(), 'step', 1));
	RAISE EXCEPTION 'no luck' USING ERRCODE = 'ZZ001';
END $$;
-- a number of children side by side, their ids after its own
CREATE FUNCTION parent(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
BEGIN
	FOR i IN 1 .. (input ->> 'n')::int LOOP
		t[i] := df_schedule_sub_orchestrator(coalesce(input ->> 'child', 'child'),
			input -> 'input', df_instance_id() || '/' || i);
	END LOOP;
	RETURN df_wait_all(t);
END $$;
-- a chain of so many generations
CREATE FUNCTION chain(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input::int = 1 THEN
		RETURN df_wait_for_external_event('go');
	END IF;
	RETURN df_call_sub_orchestrator('chain', to_jsonb(input::int - 1), df_instance_id() || '/1');
END $$;
-- all ways to await five children, one of which fails
CREATE FUNCTION busy(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	t int[];
	w int;
	n_failed int := 0;
	result jsonb := '[]';
BEGIN
	FOR i IN 1 .. 4 LOOP
		t[i] := df_schedule_sub_orchestrator('child', NULL,
			CASE WHEN i % 2 = 0 THEN df_instance_id() || '/' || i END);
	END LOOP;
	t[5] := df_schedule_sub_orchestrator('unlucky', NULL, df_instance_id() || '/5');
	CASE input::int % 3
		WHEN 0 THEN
			BEGIN
				PERFORM df_wait_all(t);
			EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
				n_failed := 1;
			END;
			result := df_wait_all(t[1:4]);
		WHEN 1 THEN
			FOR i IN REVERSE 5 .. 1 LOOP
				BEGIN
					result := result || jsonb_build_array(df_await(t[i]));
				EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
					n_failed := n_failed + 1;
				END;
			END LOOP;
		ELSE
			WHILE t <> '{}' LOOP
				w := df_wait_any(t);
				t := array_remove(t, w);
				BEGIN
					result := result || jsonb_build_array(df_await(w));
				EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
					n_failed := n_failed + 1;
				END;
			END LOOP;
	END CASE;
	RETURN jsonb_build_array(n_failed, jsonb_array_length(result));
END $$;
-- wants what others want, too
CREATE FUNCTION rival(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_sub_orchestrator('child', NULL, 'the only one');
EXCEPTION WHEN SQLSTATE 'SD409' THEN
	RETURN NULL;
END $$;
});
rescan_off($node);

sub query
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

my $at_gate = at_gate();

sub active
{
	my ($pattern) = @_;

	return qq{
		SELECT count(*) FROM df_instances WHERE instance_id LIKE '$pattern'
			AND runtime_status IN ('Pending', 'Running')};
}

#
# Terminate reaches all generations
#
# Terminates the root once the query gives the number; all of its family must
# be Terminated then.
sub cascade
{
	my ($id, $start, $query, $number, $family) = @_;

	query($start);
	ok($node->poll_query_until('postgres', $query, $number), "$id: the family is there");
	my $begun = time;
	query("SELECT df_terminate('$id', 'enough')");
	ok($node->poll_query_until('postgres', active("$id%"), '0'), "$id: all have ended");
	ok($node->poll_query_until('postgres', $at_gate, '0'), "$id: no step executes");
	my $seconds = time - $begun;
	note sprintf '%s: a family of %d ended after %.2f s', $id, $family, $seconds;
	cmp_ok($seconds, '<', 10, "$id: soon, without a rescan");
	is( query(qq{
			SELECT runtime_status, count(*) FROM df_instances
			WHERE instance_id LIKE '$id%' GROUP BY 1}),
		"Terminated|$family",
		"$id: each of them is Terminated");
	return;
}

my $gate = $node->background_psql('postgres');

$gate->query_safe('SELECT pg_advisory_lock(8, 1)');
cascade(
	'executing',
	q{SELECT df_start_singleton('parent', 'executing', '{"n": 3, "child": "parent",
		"input": {"n": 1, "input": {"gate": 1}}}')},
	$at_gate, 3, 7);
$gate->query_safe('SELECT pg_advisory_unlock(8, 1)');
is( query(q{
		SELECT string_agg(DISTINCT step::text, ' '), count(*) FROM ledger
		WHERE instance LIKE 'executing%'}),
	'1|3',
	'the steps that executed are undone, those before them stay');

# Also when its only worker is busy and idle ones of another role hold all the
# other places.
query('ALTER SYSTEM SET durable_singleton.max_workers = 3');
$node->reload;
query('SELECT count(pg_terminate_backend(pid)) FROM df_stat_workers');
$node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM df_stat_workers)')
  or die 'the workers do not go';
query(q{CREATE ROLE guest LOGIN; SELECT df_grant_usage('guest'); GRANT INSERT ON ledger TO guest});
$gate->query_safe('SELECT pg_advisory_lock(8, 1), pg_advisory_lock(8, 2)');
query(q{SELECT df_start_singleton('parent', 'crowded', '{"n": 1, "child": "parent",
	"input": {"n": 1, "input": {"gate": 1}}}')});
$node->poll_query_until('postgres', $at_gate, '1') or die 'the child does not execute';
$node->safe_psql('postgres',
	q{SELECT df_start_singleton('child', 'guest ' || n, '{"gate": 2}') FROM generate_series(1, 2) n},
	extra_params => [ '-U', 'guest' ]);
$node->poll_query_until('postgres', $at_gate, '3') or die 'the guests do not execute';
$gate->query_safe('SELECT pg_advisory_unlock(8, 2)');
wait_ended($node, 'postgres', 'guest %') or die 'the guests do not end';
cascade('crowded', 'SELECT 1',
	qq{SELECT count(*), count(*) FILTER (WHERE role = 'guest'), ($at_gate) FROM df_stat_workers},
	'3|2|1', 3);
$gate->query_safe('SELECT pg_advisory_unlock(8, 1)');
query('ALTER SYSTEM RESET durable_singleton.max_workers');
$node->reload;

cascade('chain',
	q{SELECT df_start_singleton('chain', 'chain', '30')},
	q{SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'chain' || repeat('/1', 29)},
	't', 30);
cascade('wide',
	q{SELECT df_start_singleton('parent', 'wide', '{"n": 1000, "child": "wait"}')},
	q{SELECT count(*) FROM df_instances WHERE parent_instance_id = 'wide' AND waiting_for = 'event go'},
	1000, 1001);

# At once, while its children are just coming into being
query(q{SELECT df_start_singleton('parent', 'young ' || n, '{"n": 20, "child": "wait"}')
	FROM generate_series(1, 30) n});
query("SELECT df_terminate('young ' || n) FROM generate_series(1, 30) n");
ok($node->poll_query_until('postgres', active('young%'), '0'),
	'no child is left of parents that are terminated as soon as they start');

#
# Processes die in the middle of children
#
sub survive
{
	my ($name, $strike) = @_;
	my $parents = 20;
	my $n       = 5;
	my $holding = $node->background_psql('postgres');

	$holding->query_safe('SELECT pg_advisory_lock(8, 2)');
	query(qq{
		SELECT df_start_singleton('parent', '$name ' || n,
			jsonb_build_object('n', $n, 'input', CASE WHEN n > $parents / 2 THEN '{"gate": 2}' ELSE '{}' END::jsonb))
		FROM generate_series(1, $parents) n});
	$node->poll_query_until('postgres', $at_gate, '4')
	  or die 'the workers do not get into the children';
	my $open = query(active("$name %"));

	$strike->(query(q{
		SELECT pid FROM df_stat_workers WHERE instance_id IS NOT NULL LIMIT 1}));
	$holding->quit;
	note "$name: $open instances were still active";
	ok(wait_ended($node, 'postgres', "$name %"), "$name: parents and children end");
	is( query(qq{
			SELECT runtime_status, count(*), count(*) FILTER (WHERE parent_instance_id IS NULL)
			FROM df_instances WHERE instance_id LIKE '$name %' GROUP BY 1}),
		join('|', 'Completed', $parents * ($n + 1), $parents),
		"$name: and have completed");
	is( query(qq{
			SELECT count(*), count(DISTINCT (instance, step)) FROM ledger
			WHERE instance LIKE '$name %'}),
		join('|', (2 * $parents * $n) x 2),
		"$name: every effect is there exactly once");
	is( query(qq{
			SELECT count(*) FROM df_instances p
			WHERE instance_id LIKE '$name %' AND parent_instance_id IS NULL
				AND output IS DISTINCT FROM (
					SELECT jsonb_agg(tokens ORDER BY instance) FROM (
						SELECT instance, jsonb_agg(token ORDER BY step) AS tokens FROM ledger
						WHERE instance LIKE p.instance_id || '/%' GROUP BY 1) c)}),
		0,
		"$name: each parent has the results of its children");
	return;
}

foreach my $round (1 .. 2)
{
	my %strikes = strikes($node);

	survive("$_, $round", $strikes{$_}) foreach sort keys %strikes;
}

# A terminate that is committed and crashed upon
foreach my $round (1 .. 3)
{
	$gate->quit;
	$gate = $node->background_psql('postgres');
	$gate->query_safe('SELECT pg_advisory_lock(8, 3)');
	query(qq{SELECT df_start_singleton('parent', 'struck $round', '{"n": 40, "input": {"gate": 3}}')});
	$node->poll_query_until('postgres', $at_gate, '4')
	  or die 'the workers do not get into the children';
	query("SELECT df_terminate('struck $round')");
	$node->stop('immediate');
	$gate->quit;
	$node->start;
	ok($node->poll_query_until('postgres', active("struck $round%"), '0'),
		"terminate and crash, $round: all children have ended");
	is(query("SELECT count(*) FROM ledger WHERE instance LIKE 'struck $round/%' AND step = 2"),
		0, "terminate and crash, $round: their steps are undone");
}
$gate = $node->background_psql('postgres');

#
# No parent misses the end of a child
#
$node->pgbench(
	'-n -c 5 -j 2 -t 40',
	0,
	[qr/processed: 200\/200/],
	[qr/^(?!.*(?:ERROR|aborted))/s],
	'five sessions start parents of five children each',
	{
		parents => q{
SELECT nextval('numbers') AS n \gset
SELECT df_start_singleton('busy', 'busy ' || :n, to_jsonb(:n));
}
	});
ok(wait_ended($node, 'postgres', 'busy %'), 'all of them end, without a rescan');
is( query(q{
		SELECT DISTINCT runtime_status, output, count(*) FROM df_instances
		WHERE instance_id LIKE 'busy %' AND parent_instance_id IS NULL GROUP BY 1, 2}),
	'Completed|[1, 4]|200',
	'each with four results and one failure');
is( query(q{
		SELECT runtime_status, count(*) FROM df_instances
		WHERE parent_instance_id LIKE 'busy %' GROUP BY 1 ORDER BY 1}),
	"Completed|800\nFailed|200",
	'of a thousand children');
is( query(q{
		SELECT count(*), count(DISTINCT (instance, step)) FROM ledger
		WHERE instance IN (SELECT instance_id FROM df_instances
			WHERE parent_instance_id LIKE 'busy %')}),
	'1800|1800',
	'whose every effect is there exactly once');

#
# Many want the same child
#
$node->pgbench(
	'-n -c 4 -j 2 -t 50',
	0,
	[qr/processed: 200\/200/],
	[qr/^(?!.*(?:ERROR|aborted))/s],
	'four sessions start parents that all want the same child',
	{
		rivals => q{
SELECT nextval('numbers') AS n \gset
SELECT df_start_singleton('rival', 'rival ' || :n);
\set pause random(0, 4)
\sleep :pause ms
}
	});
ok(wait_ended($node, 'postgres', 'rival %'), 'all who want the same child end');
my ($got, $refused) = split /\|/, query(q{
	SELECT count(*) FILTER (WHERE output IS NOT NULL), count(*) FILTER (WHERE output IS NULL)
	FROM df_instances WHERE instance_id LIKE 'rival %' AND runtime_status = 'Completed'});
note "$got parents got the child, $refused were refused";
is($got + $refused, 200, 'with its result or with SD409');
cmp_ok($got, '>', 1, 'some have got it, one after the other');
is( query(q{
		SELECT count(*) FROM ledger WHERE instance = 'the only one'}),
	2 * $got,
	'it has run once for each of those');
is( query(q{
		SELECT count(*) FROM df_instances WHERE instance_id LIKE 'rival %' AND output IS NOT NULL
			AND NOT EXISTS (SELECT FROM ledger WHERE instance = 'the only one' AND token = (output ->> 0)::uuid)}),
	0,
	'and each has a result of its own run');
is( query(q{
		SELECT count(*) - count(DISTINCT output) FROM df_instances
		WHERE instance_id LIKE 'rival %' AND output IS NOT NULL}),
	0,
	'which no other one has');

$gate->quit;
finish($node);
done_testing();
