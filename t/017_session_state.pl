# what a step leaves in its session does not reach another step: sequences, the seed of
# random(), connections of dblink; and languages, in a fresh worker
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => q{
durable_singleton.workers_per_role = 1
});
$node->safe_psql('postgres', q{
CREATE TABLE ord (id serial, who text);
CREATE FUNCTION leave(who text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ord (who) VALUES (who);
	PERFORM setseed(0.25);
	RETURN lastval()::text;
END $$;
CREATE FUNCTION look() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	last text;
	curr text;
BEGIN
	BEGIN last := lastval(); EXCEPTION WHEN object_not_in_prerequisite_state THEN last := SQLSTATE; END;
	BEGIN curr := currval('ord_id_seq'); EXCEPTION WHEN object_not_in_prerequisite_state THEN curr := SQLSTATE; END;
	RETURN jsonb_build_object('random', random(), 'last', last, 'curr', curr, 'pid', pg_backend_pid());
END $$;
CREATE FUNCTION one(f text, input jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity(f, input) $$;
CREATE FUNCTION two(f text, g text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity(f, '{"who": "two"}');
	RETURN df_call_activity(g);
END $$;
-- what the orchestrator itself leaves
CREATE FUNCTION by_pass(n int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF n = 0 THEN
		PERFORM nextval('ord_id_seq');
		PERFORM setseed(0.25);
		PERFORM df_continue_as_new('{"n": 1}');
		RETURN NULL;
	END IF;
	RETURN look();
END $$;
});

sub result
{
	my ($function, $id, $input) = @_;
	$node->safe_psql('postgres', "SELECT df_start_singleton('$function', '$id', $input)");
	wait_ended($node, 'postgres', $id) or die "$id does not end";
	return $node->safe_psql('postgres', "SELECT coalesce(output::text, failure->>'sqlstate' || ' ' || (failure->>'message')) FROM df_get_status('$id')");
}

sub field
{
	my ($json, $field) = @_;
	my ($value) = $json =~ /"$field": "?([^",}]*)/;
	return $value;
}

# 0.25 gives this in a session
my $known = $node->safe_psql('postgres', q{DO 'BEGIN PERFORM setseed(0.25); END'; SELECT random()});
my @looks = (
	result('two', 'same instance', q{'{"f": "leave", "g": "look"}'}),
	(map { result('one', "leave $_", q{'{"f": "leave", "input": {"who": "x"}}'}); result('one', "look $_", q{'{"f": "look"}'}) } 1 .. 2),
	result('by_pass', 'pass', q{'{"n": 0}'}));
my %random;
foreach my $look (@looks)
{
	is(field($look, 'last'), '55000', 'lastval() is not defined');
	is(field($look, 'curr'), '55000', 'nor is currval()');
	isnt(field($look, 'random'), $known, 'random() has no known seed');
	$random{ field($look, 'random') }++;
}
is(keys %random, 4, 'nor the same one');
is(field($looks[1], 'pid'), field($looks[2], 'pid'), 'all of it in one worker');
$node->safe_psql('postgres', q{
CREATE TABLE line (order_id bigint, who text);
CREATE FUNCTION new_order(who text) RETURNS void LANGUAGE sql AS $$ INSERT INTO ord (who) VALUES (who) $$;
CREATE FUNCTION new_line(who text) RETURNS void LANGUAGE sql AS $$ INSERT INTO line VALUES (lastval(), who) $$;
CREATE FUNCTION place(who text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('new_order', jsonb_build_object('who', who));
	PERFORM df_call_activity('new_line', jsonb_build_object('who', who));
	RETURN NULL;
END $$;
SELECT count(df_start_singleton('place', 'place ' || n, jsonb_build_object('who', n::text))) FROM generate_series(1, 50) n;
});
ok(wait_ended($node, 'postgres', 'place %'), 'fifty that ask for lastval() in a second step');
is($node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE failure->>'sqlstate' = '55000') || ' ' || (SELECT count(*) FROM line) FROM df_instances WHERE name = 'place'}),
	'50 0', 'all fail, and none has the value of another');

# --- dblink ---
SKIP:
{
	skip 'dblink is not installed' if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'dblink'}) == 0;
	my $dsn = $node->connstr('postgres');
	$node->safe_psql('postgres', qq{
	CREATE EXTENSION dblink;
	CREATE TABLE remote_log (n int);
	CREATE SEQUENCE tries;
	CREATE FUNCTION push_remote(name text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		IF name IS NULL THEN
			PERFORM dblink_connect(\$c\$$dsn\$c\$);
			PERFORM dblink_exec('BEGIN');
			PERFORM dblink_exec('INSERT INTO remote_log VALUES (1)');
		ELSE
			PERFORM dblink_connect(name, \$c\$$dsn\$c\$);
			PERFORM dblink_connect(name || '2', \$c\$$dsn\$c\$);
			PERFORM dblink_exec(name, 'BEGIN');
			PERFORM dblink_exec(name, 'INSERT INTO remote_log VALUES (1)');
		END IF;
		IF nextval('tries') % 2 = 1 THEN
			RAISE EXCEPTION 'a hiccup of the network' USING ERRCODE = 'connection_failure';
		END IF;
		RETURN coalesce(array_length(dblink_get_connections(), 1), 0)::text;
	END \$\$;
	CREATE FUNCTION push(name text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS \$\$
		SELECT df_call_activity('push_remote', jsonb_build_object('name', name), df_retry_policy(5, '10 ms')) \$\$;
	CREATE FUNCTION connections() RETURNS jsonb LANGUAGE sql AS \$\$ SELECT to_jsonb(dblink_get_connections()) \$\$;
	});
	is(result('push', 'named', q{'{"name": "remote"}'}), '"2"', 'a named connection of a failed attempt is not in the way of the next');
	is(result('push', 'nameless', 'NULL'), '"0"', 'nor one without a name');
	is($node->safe_psql('postgres', q{SELECT string_agg(event_type, ' ' ORDER BY event_type) FROM df_history WHERE instance_id = 'named' AND event_type IN ('TaskFailed', 'TaskCompleted')}), 'TaskCompleted TaskFailed',
		'one attempt failed, and one succeeded');
	is($node->safe_psql('postgres', q{SELECT coalesce(output::text, 'none') FROM df_get_status('named')}), '"2"', 'as in a session of its own');
	is(result('one', 'connections', q{'{"f": "connections"}'}), '', 'what a step leaves open is closed');
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE state = 'idle in transaction'}), 'with its transaction');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM remote_log'), 0, 'of which nothing remains');
}

# --- fresh workers ---
my $language = $node->safe_psql('postgres', q{SELECT coalesce(min(name), '') FROM pg_available_extensions WHERE name = 'plperl'});
SKIP:
{
	skip 'plperl is not installed' if $language eq '';
	$node->safe_psql('postgres', q{
	CREATE EXTENSION plperl;
	CREATE FUNCTION put(who text DEFAULT NULL) RETURNS text LANGUAGE plperl AS $$ $_SHARED{k} = 'leaked'; return 'put'; $$;
	CREATE FUNCTION get() RETURNS text LANGUAGE plperl AS $$ return $_SHARED{k} // 'clean'; $$;
	});
	is(result('two', 'used', q{'{"f": "put", "g": "get"}'}), '"leaked"', 'what a language keeps reaches the next step of the worker');
	$node->safe_psql('postgres', 'ALTER FUNCTION get SET durable_singleton.fresh_worker = on');
	is(result('two', 'fresh', q{'{"f": "put", "g": "get"}'}), '"clean"', 'but not one in a fresh worker');
	is(result('one', 'fresh 2', q{'{"f": "get"}'}), '"clean"', 'of another instance either');
	$node->safe_psql('postgres', 'ALTER FUNCTION get RESET ALL; ALTER FUNCTION put SET durable_singleton.fresh_worker = on');
	is(result('two', 'after', q{'{"f": "put", "g": "get"}'}), '"clean"', 'nor leaves such a step anything');
	$node->safe_psql('postgres', 'ALTER FUNCTION put RESET ALL');
}
$node->safe_psql('postgres', q{
CREATE FUNCTION pid(i int DEFAULT 0) RETURNS int LANGUAGE sql AS $$ SELECT pg_backend_pid() $$;
CREATE FUNCTION three() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	pids int[];
BEGIN
	FOR i IN 1 .. 3 LOOP
		pids := pids || df_call_activity('pid')::int;
	END LOOP;
	RETURN to_jsonb(pids);
END $$;
CREATE FUNCTION tasks() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_all((SELECT array_agg(df_schedule_activity('pid', jsonb_build_object('i', i))) FROM generate_series(1, 10) i));
END $$;
CREATE ROLE fresh LOGIN;
ALTER ROLE fresh SET durable_singleton.fresh_worker = on;
SELECT df_grant_usage('fresh');
});
my $mark = -s $node->logfile;
is($node->safe_psql('postgres', q{SET SESSION AUTHORIZATION fresh; SELECT df_start_singleton('public.three', 'of role'), df_start_singleton('public.tasks', 'tasks of role')}), 't|t', 'a role with fresh workers');
ok(wait_ended($node, 'postgres', '% of role') && wait_ended($node, 'postgres', 'of role'), 'its instances end');
foreach my $case ([ 'of role', 3 ], [ 'tasks of role', 10 ])
{
	is($node->safe_psql('postgres', "SELECT count(DISTINCT p) FROM df_get_status('$case->[0]'), jsonb_array_elements(output) p"), $case->[1], "$case->[0]: every step has a worker of its own");
}
# beside others of the same role, which keep their worker busy
$node->safe_psql('postgres', q{
ALTER FUNCTION pid SET durable_singleton.fresh_worker = on;
CREATE FUNCTION busy() RETURNS int LANGUAGE sql AS $$ SELECT pg_backend_pid() FROM pg_sleep(0.001) $$;
CREATE FUNCTION busy_all() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 20 LOOP
		PERFORM df_call_activity('busy');
	END LOOP;
	RETURN NULL;
END $$;
SELECT count(df_start_singleton('busy_all', 'busy ' || n)) FROM generate_series(1, 50) n;
SELECT df_start_singleton('tasks', 'between');
SELECT df_start_singleton('three', 'between too')});
ok(wait_ended($node, 'postgres', 'between%'), 'fresh steps beside many others come to their turn');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT p) FROM df_instances, jsonb_array_elements(output) p WHERE instance_id LIKE 'between%'}), 13, 'and have a worker of their own');
ok(wait_ended($node, 'postgres', 'busy %'), 'and so do the others');
is($node->safe_psql('postgres', 'SELECT crashes FROM df_stat'), 0, 'no such end of a worker is a crash');
# the name of a custom setting stays: '' in place of NULL, unless the worker is fresh
$node->safe_psql('postgres', q{
CREATE FUNCTION with_tenant() RETURNS text LANGUAGE sql AS $$ SELECT set_config('app.tenant_id', 'a tenant', true) $$;
CREATE FUNCTION without_tenant() RETURNS text LANGUAGE sql AS $$ SELECT coalesce(quote_literal(current_setting('app.tenant_id', true)), 'NULL') $$;
CREATE FUNCTION tenants() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity('with_tenant'); SELECT df_call_activity('without_tenant') $$;
});
is(result('tenants', 'tenants', 'NULL'), q{"''"}, 'a custom setting of another step is empty');
$node->safe_psql('postgres', 'ALTER FUNCTION without_tenant SET durable_singleton.fresh_worker = on');
is(result('tenants', 'tenants, fresh', 'NULL'), '"NULL"', 'and unknown in a fresh worker');
$node->safe_psql('postgres', q{ALTER FUNCTION without_tenant RESET ALL; ALTER DATABASE postgres SET app.tenant_id = ''; SELECT pg_terminate_backend(pid) FROM df_stat_workers});
is(result('one', 'tenants, defined', q{'{"f": "without_tenant"}'}), q{"''"}, 'or always empty, where database or role define it');
# in CALL df_run the session is the user's
$node->safe_psql('postgres', q{ALTER DATABASE postgres SET durable_singleton.enabled = off});
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM df_stat_workers');
is($node->safe_psql('postgres', q{
	SELECT df_start_singleton('three', 'in session');
	CALL df_run();
	SELECT jsonb_array_elements(output)::int = pg_backend_pid() FROM df_get_status('in session')}), "t\nt\nt\nt", 'CALL df_run has one session only');

finish($node);
done_testing();
