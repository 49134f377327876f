# A worker serves one role and runs as that role; roles neither wait for each
# other nor reach each other's instances.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');

$node->safe_psql('postgres', q{
CREATE FUNCTION who(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_array(current_user, session_user, current_setting('is_superuser'),
		current_setting('work_mem')) $$;
CREATE FUNCTION who_twice(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_array(who(NULL), df_call_activity('who'));
END $$;
CREATE FUNCTION hold(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(8, 1);
	RETURN NULL;
END $$;
CREATE FUNCTION holding(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('hold');
END $$;
CREATE FUNCTION climb(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RESET ROLE;
	RESET SESSION AUTHORIZATION;
	EXECUTE format('SET ROLE %I', pg_get_userbyid(10));
	RETURN '"climbed"';
END $$;
CREATE FUNCTION climbing(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('climb');
EXCEPTION WHEN insufficient_privilege THEN
	RETURN to_jsonb(current_user);
END $$;
CREATE FUNCTION waiting(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;

CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
CREATE ROLE carol LOGIN IN ROLE alice;
CREATE ROLE stranger LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
ALTER ROLE bob SET work_mem = '7MB';
SELECT df_grant_usage(r) FROM unnest('{alice,bob,carol,watcher}'::name[]) r;
});
rescan_off($node);

sub as
{
	my ($role, $sql) = @_;

	return $node->safe_psql('postgres', $sql, extra_params => [ '-U', $role ]);
}

sub error_as
{
	my ($role, $sql) = @_;
	my ($sqlstate) =
	  error_of($node, 'postgres', $sql, extra_params => [ '-U', $role ]);

	return $sqlstate;
}

#
# Side by side
#
my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(8, 1)');
as('alice', "SELECT df_start_singleton('holding', 'alice: long')");
wait_in_activity($node, 'postgres', 'alice: long')
  or die 'no worker gets into the activity';

is( as('bob', q{
		SELECT df_start_singleton('who_twice', 'bob: who');
		SELECT output FROM df_wait_for_completion('bob: who')}),
	"t\n" . '[["bob", "bob", "off", "7MB"], ["bob", "bob", "off", "7MB"]]',
	"bob's instance runs during alice's step, as bob, with bob's settings");
is( $node->safe_psql('postgres', q{
		SELECT df_start_singleton('who_twice', 'postgres: who');
		SELECT output -> 1 ->> 1 FROM df_wait_for_completion('postgres: who')}),
	"t\n" . $node->safe_psql('postgres', 'SELECT current_user'),
	"and a superuser's");
is( $node->safe_psql('postgres', q{
		SELECT role, database, instance_id, function_name, step_start < now(),
			a.usename = role
		FROM df_stat_workers LEFT JOIN pg_stat_activity a USING (pid)
		WHERE role IN ('alice', 'bob') ORDER BY 1}),
	"alice|postgres|alice: long|hold|t|t\nbob|postgres||||t",
	'df_stat_workers shows a worker for each role and what it does');
is($node->safe_psql('postgres', q{
		SELECT count(DISTINCT pid) = count(*) AND count(DISTINCT role) >= 2
		FROM df_stat_workers}),
	't', 'no two roles share a process');
$gate->query_safe('SELECT pg_advisory_unlock(8, 1)');
$gate->quit;
ok(wait_status($node, 'postgres', 'alice: long', 'Completed'), "alice's step ends");

is( as('alice', q{
		SELECT df_start_singleton('climbing', 'alice: climbing');
		SELECT output FROM df_wait_for_completion('alice: climbing')}),
	"t\n\"alice\"",
	'no way leads from a step to a superuser');

#
# Whose instance it is
#
as('alice', q{
	SELECT df_start_singleton('waiting', 'alice: active', '"secret"');
	SELECT df_start_singleton('once', 'alice: ended', '"secret"')});
ok(wait_status($node, 'postgres', 'alice: ended', 'Completed'), 'an instance ends');
foreach my $call (
	q{SELECT df_start_singleton('once', 'alice: active')},
	q{SELECT df_start_singleton('once', 'alice: ended')},
	q{SELECT df_start_singleton('once', 'alice: active', on_conflict => 'terminate')},
	q{SELECT df_start_new('once', 'alice: ended')},
	q{SELECT df_raise_event('alice: active', 'go')},
	q{SELECT df_terminate('alice: active')},
	q{SELECT df_terminate('alice: ended')})
{
	is(error_as('bob', $call), '42501', "42501 for another role: $call");
}
is(as('bob', "SELECT count(*) FROM df_get_status('alice: ended')"),
	0, 'another role does not see the instance');
is( as('bob', q{SELECT string_agg(DISTINCT owner::text, ' ') FROM df_instances}),
	'bob',
	'df_instances shows only instances of roles whose privileges one has');
is( as('watcher', q{
		SELECT count(*) > 0, count(input) FROM df_instances
		WHERE owner = 'alice'::regrole AND instance_id = 'alice: ended'}),
	't|0',
	'pg_monitor sees them without payloads');
is( as('carol', q{
		SELECT input FROM df_instances WHERE instance_id = 'alice: active';
		SELECT df_raise_event('alice: active', 'go', '1');
		SELECT output FROM df_wait_for_completion('alice: active')}),
	"\"secret\"\n\n1",
	"a member of the owner's role sees and steers the instance");

#
# Grants
#
foreach my $call (
	q{SELECT df_start_singleton('once', 'stranger')},
	q{SELECT df_get_status('alice: ended')},
	q{SELECT df_terminate('alice: ended')},
	q{SELECT df_adopt_database()},
	q{SELECT * FROM durable_singleton.instance},
	q{INSERT INTO durable_singleton.home VALUES (1, 1)})
{
	is(error_as('stranger', $call), '42501', "without a grant: $call");
}
foreach my $call (
	q{SELECT df_adopt_database()},
	q{SELECT df_grant_usage('stranger')},
	q{SELECT * FROM durable_singleton.instance},
	q{DELETE FROM durable_singleton.history})
{
	is(error_as('alice', $call), '42501', "not by df_grant_usage: $call");
}
$node->safe_psql('postgres', "SELECT df_revoke_usage('bob')");
is(error_as('bob', "SELECT df_start_singleton('once', 'bob: again')"),
	'42501', 'df_revoke_usage takes it back');

#
# An owner that cannot log in
#
$node->safe_psql('postgres', q{
	CREATE ROLE nologin;
	GRANT nologin TO alice;
	SELECT df_grant_usage('nologin')});
my $start = q{SET ROLE nologin; SELECT df_start_singleton('who_twice', 'nologin: who')};
if ($node->safe_psql('postgres', 'SHOW server_version_num') >= 170000)
{
	as('alice', $start);
	is( $node->safe_psql('postgres', q{
			SELECT output -> 1 ->> 0 FROM df_wait_for_completion('nologin: who')}),
		'nologin',
		'the instance of a role that cannot log in runs as that role');
}
else
{
	my ($sqlstate, $message, $hint) =
	  error_of($node, 'postgres', $start, extra_params => [ '-U', 'alice' ]);

	is($sqlstate, 'SD400', 'a start by a role that cannot log in is refused');
	like($hint, qr/LOGIN/, 'with a hint');
}

finish($node);
done_testing();
