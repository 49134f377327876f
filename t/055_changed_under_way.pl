# Objects that instances need disappear while they wait: they fail with a clear
# error, or the client gets one; none is stuck, no worker loops, and the other
# instances continue.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "durable_singleton.rescan_interval = '1s'\n");

$node->safe_psql('postgres', q{
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
CREATE ROLE admin SUPERUSER LOGIN;
SELECT df_grant_usage(r) FROM unnest('{alice,bob}'::name[]) r;
CREATE SCHEMA app AUTHORIZATION alice;
GRANT ALL ON SCHEMA app TO bob, PUBLIC;
ALTER DATABASE postgres SET search_path = app, public;
SET search_path = app, public;
SET ROLE alice;
CREATE TABLE app.ledger (instance text, step int);
GRANT ALL ON app.ledger TO PUBLIC;
});
my $functions = q{
CREATE FUNCTION app.%1$s_step(id text, n int) RETURNS int LANGUAGE sql AS $$
	INSERT INTO app.ledger VALUES (id, n) RETURNING n $$;
CREATE FUNCTION app.%1$s(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('%1$s_step', jsonb_build_object('id', df_instance_id(), 'n', 1));
	PERFORM df_wait_for_external_event('go');
	RETURN df_call_activity('%1$s_step', jsonb_build_object('id', df_instance_id(), 'n', 2));
END $$;
};

# What happens to the functions named after it, and what their instances fail
# with when they go on
my @cases = (
	[ 'orchestrator_dropped', 'DROP FUNCTION app.orchestrator_dropped(jsonb)', '42883', qr/function .*orchestrator_dropped does not exist/ ],
	[ 'activity_dropped', 'DROP FUNCTION app.activity_dropped_step', '42883', qr/activity_dropped_step does not exist/ ],
	[ 'execute_revoked', 'REVOKE EXECUTE ON FUNCTION app.execute_revoked(jsonb) FROM PUBLIC, alice', '42501', qr/permission denied/ ],
	[ 'activity_revoked', 'REVOKE EXECUTE ON FUNCTION app.activity_revoked_step FROM PUBLIC, alice', '42501', qr/permission denied for function activity_revoked_step/ ],
	[ 'argument_renamed', 'DROP FUNCTION app.argument_renamed_step;
		CREATE FUNCTION app.argument_renamed_step(id text, m int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
		'42883', qr/argument_renamed_step/ ],
	[ 'becomes_set', 'DROP FUNCTION app.becomes_set(jsonb);
		CREATE FUNCTION app.becomes_set(jsonb) RETURNS SETOF jsonb LANGUAGE sql AS $$ SELECT $1 $$',
		'42883', qr/cannot be an orchestrator/ ],
	[ 'becomes_aggregate', 'DROP FUNCTION app.becomes_aggregate(jsonb);
		CREATE AGGREGATE app.becomes_aggregate(jsonb) (SFUNC = jsonb_concat, STYPE = jsonb)',
		'42883', qr/cannot be an orchestrator/ ],
	[ 'table_dropped', 'ALTER TABLE app.ledger RENAME TO elsewhere;
		CREATE OR REPLACE FUNCTION app.table_dropped_step(id text, n int) RETURNS int LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO app.ledger VALUES (id, n); RETURN n; END $$',
		'42P01', qr/app\.ledger/, 'ALTER TABLE app.elsewhere RENAME TO ledger' ],
	[ 'moved', 'CREATE SCHEMA IF NOT EXISTS other; ALTER FUNCTION app.moved(jsonb) SET SCHEMA other', '42883', qr/moved/ ]);

foreach my $case (@cases)
{
	my ($name) = @$case;

	# moved needs the right to create a schema
	$node->safe_psql('postgres', "SET ROLE alice;\n" . sprintf($functions, $name)
		. "SELECT df_start_singleton('$name', '$name')");
}
$node->safe_psql('postgres', 'GRANT CREATE ON DATABASE postgres TO alice');
$node->safe_psql('postgres', "SET ROLE alice;\n" . sprintf($functions, 'good')
	. "SELECT df_start_singleton('good', 'good ' || n) FROM generate_series(1, 20) n");
ok($node->poll_query_until('postgres', 'SELECT count(*) = ' . (20 + @cases)
		. q{ FROM df_instances WHERE waiting_for = 'event go'}), 'instances wait');

foreach my $case (@cases)
{
	my ($name, $change, $sqlstate, $message, $after) = @$case;

	$node->safe_psql('postgres', "SET ROLE alice; $change");
	is($node->safe_psql('postgres', qq{
			SELECT df_raise_event('$name', 'go');
			SELECT runtime_status, failure ->> 'sqlstate' FROM df_wait_for_completion('$name')}),
		"\nFailed|$sqlstate", "the instance fails: $name");
	like($node->safe_psql('postgres', qq{SELECT failure ->> 'message' FROM df_get_status('$name')}),
		$message, "and says why: $name");
	$node->safe_psql('postgres', "SET ROLE alice; $after") if $after;
}
# With the function back a failed one goes on where it was.
$node->safe_psql('postgres', q{SET ROLE alice;
	CREATE FUNCTION app.activity_dropped_step(id text, n int) RETURNS int LANGUAGE sql AS $$
		INSERT INTO app.ledger VALUES (id, n) RETURNING n $$});
is($node->safe_psql('postgres', q{
		SELECT df_rewind('activity_dropped');
		SELECT runtime_status, output FROM df_wait_for_completion('activity_dropped')}),
	"\nCompleted|2", 'what was mended can be rewound');

# The right to use the extension is taken back: steps that call it fail.
$node->safe_psql('postgres', q{
	SET ROLE bob;
	SELECT df_start_singleton('good', 'of bob')});
ok($node->poll_query_until('postgres', q{
		SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'of bob'}),
	"bob's instance waits");
$node->safe_psql('postgres', q{SELECT df_revoke_usage('bob')});
is($node->safe_psql('postgres', q{
		SELECT df_raise_event('of bob', 'go');
		SELECT runtime_status IN ('Completed', 'Failed') FROM df_wait_for_completion('of bob')}),
	"\nt", 'an instance of a role whose usage was revoked comes to an end');

# LOGIN is taken from the owner: before 17 no worker can connect as it.
$node->safe_psql('postgres', q{
	SELECT df_grant_usage('bob');
	SET ROLE bob;
	SELECT df_start_singleton('good', 'no login')});
ok($node->poll_query_until('postgres', q{
		SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'no login'}),
	"bob's instance waits");
$node->safe_psql('postgres', q{
	ALTER ROLE bob NOLOGIN;
	SELECT pg_terminate_backend(pid) FROM df_stat_workers WHERE role = 'bob'});
my $mark = -s $node->logfile;
$node->safe_psql('postgres', q{SELECT df_raise_event('no login', 'go')});
if ($node->safe_psql('postgres', 'SHOW server_version_num') < 170000)
{
	ok($node->wait_for_log(qr/role "bob" is not permitted to log in/, $mark), 'the log says why nothing runs');
	$node->safe_psql('postgres', q{ALTER ROLE bob LOGIN});
}
ok(wait_status($node, 'postgres', 'no login', 'Completed'), 'with LOGIN it goes on');
cmp_ok(scalar(() = slurp_file($node->logfile, $mark) =~ /not permitted to log in/g),
	'<', 20, 'until then it is tried now and then');

#
# Roles
#
$node->safe_psql('postgres', q{
	SET ROLE bob;
	SELECT df_start_singleton('good', 'reassigned'), df_start_singleton('good', 'dropped')});
# more than a janitor takes up in one transaction
$node->safe_psql('postgres', q{
	SET SESSION AUTHORIZATION alice;
	SELECT count(df_start_singleton('good', 'many ' || n, start_at => now() + interval '1 day'))
	FROM generate_series(1, 2500) n});
ok($node->poll_query_until('postgres', q{
		SELECT count(*) = 2 FROM df_instances
		WHERE waiting_for = 'event go' AND instance_id IN ('reassigned', 'dropped')}),
	'instances of bob wait');
$node->safe_psql('postgres', 'REASSIGN OWNED BY alice TO admin; DROP OWNED BY alice');
is($node->safe_psql('postgres', q{
		SELECT df_raise_event('reassigned', 'go');
		SELECT runtime_status FROM df_wait_for_completion('reassigned')}),
	"\nCompleted", 'REASSIGN OWNED of the functions does not disturb an instance of another role');
is($node->safe_psql('postgres', q{SELECT DISTINCT owner FROM df_instances WHERE instance_id LIKE 'good%'}),
	'alice', 'instances keep their owner');
$node->safe_psql('postgres', q{
	SELECT df_raise_event('good ' || n, 'go') FROM generate_series(1, 10) n});
ok($node->poll_query_until('postgres', q{
		SELECT count(*) = 10 FROM df_instances WHERE instance_id LIKE 'good%'
			AND runtime_status IN ('Completed', 'Failed')}),
	'instances of a role that owns nothing any more come to their ends');
$node->safe_psql('postgres', 'DROP OWNED BY bob; DROP ROLE alice, bob');
ok($node->poll_query_until('postgres', q{
		SELECT bool_and(runtime_status = 'Failed' AND failure ->> 'sqlstate' = '42704')
		FROM df_instances WHERE instance_id = 'dropped' OR instance_id IN
			(SELECT 'good ' || n FROM generate_series(11, 20) n)}),
	'instances of dropped roles fail');
ok($node->poll_query_until('postgres', q{
		SELECT count(*) = 2500 FROM df_instances
		WHERE instance_id LIKE 'many %' AND runtime_status = 'Failed'}),
	'however many there are');
is($node->safe_psql('postgres', q{
		SELECT failure ->> 'message' FROM df_get_status('dropped')}),
	'the role that owns the instance does not exist any more', 'and say why');
my ($sqlstate, $message) = error_of($node, 'postgres', q{SELECT df_rewind('dropped')});
is("$sqlstate $message",
	'42704 the role that owns instance "dropped" no longer exists',
	'they cannot be rewound: nobody could run them');
is($node->safe_psql('postgres', q{SELECT df_purge('dropped')}), 1, 'but purged');

# Nobody has anything left to do.
is($node->safe_psql('postgres', q{
		SELECT string_agg(instance_id, ', ') FROM df_instances
		WHERE runtime_status IN ('Pending', 'Running')}),
	'', 'no instance is stuck');
ok($node->poll_query_until('postgres', q{
		SELECT count(*) = 0 FROM df_stat_workers WHERE instance_id IS NOT NULL}),
	'and no worker at work');
is($node->safe_psql('postgres', q{
		SELECT instance, step FROM app.ledger GROUP BY 1, 2 HAVING count(*) > 1}),
	'', 'no step has run twice');

finish($node);
done_testing();
