# a step has what a session of its role has: preloaded libraries, a read-only default; and
# nothing ever runs as a role that was dropped
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
CREATE ROLE app LOGIN;
SELECT df_grant_usage('app');
CREATE TABLE log (n int);
GRANT ALL ON log TO PUBLIC;
CREATE FUNCTION loaded() RETURNS bool LANGUAGE sql AS $$ SELECT count(*) > 0 FROM pg_settings WHERE name = 'auto_explain.log_min_duration' $$;
CREATE FUNCTION note() RETURNS void LANGUAGE sql AS $$ INSERT INTO log VALUES (1) $$;
CREATE FUNCTION read_log() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM log $$;
CREATE FUNCTION note_anyway() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET TRANSACTION READ WRITE; INSERT INTO log VALUES (1); END $$;
CREATE FUNCTION starts_another() RETURNS bool LANGUAGE sql AS $$ SELECT df_start_singleton('public.noted', 'another') $$;
CREATE FUNCTION one(f text) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity(f) $$;
CREATE FUNCTION one_task(f text) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_await(df_schedule_activity(f)) $$;
CREATE FUNCTION noted() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); RETURN '1'; END $$;
CREATE FUNCTION waits() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM df_wait_for_external_event('go'); RETURN df_call_activity('public.note'); END $$;
});

sub as_app
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql, extra_params => [ '-U', 'app' ]);
}

sub result
{
	my ($id) = @_;
	wait_ended($node, 'postgres', $id) or die "$id does not end";
	return $node->safe_psql('postgres', "SELECT runtime_status || ' ' || coalesce(output::text, failure->>'sqlstate', '') FROM df_get_status('$id')");
}

sub no_workers
{
	$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM df_stat_workers');
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM df_stat_workers');
	return;
}

# --- libraries ---
SKIP:
{
	skip 'auto_explain is not installed' if ($node->psql('postgres', q{LOAD 'auto_explain'}))[0] != 0;
	foreach my $where ('DATABASE postgres', 'ROLE app', 'ROLE app IN DATABASE postgres')
	{
		$node->safe_psql('postgres', "ALTER $where SET session_preload_libraries = 'auto_explain'");
		no_workers();
		as_app("SELECT df_start_singleton('public.one', 'preload $where', '{\"f\": \"public.loaded\"}')");
		is(result("preload $where"), 'Completed true', "session_preload_libraries of $where");
		$node->safe_psql('postgres', "ALTER $where RESET session_preload_libraries");
	}
	no_workers();
	as_app(q{SELECT df_start_singleton('public.one', 'no preload', '{"f": "public.loaded"}')});
	is(result('no preload'), 'Completed false', 'and without them');
}
# one that does not exist lets no session in, and no worker either; it goes on when it is mended
$node->safe_psql('postgres', q{ALTER ROLE app SET session_preload_libraries = 'no_such_library'});
no_workers();
$node->safe_psql('postgres', q{SET SESSION AUTHORIZATION app; SELECT df_start_singleton('public.one', 'mended', '{"f": "public.loaded"}')});
$node->wait_for_log(qr/could not access file "no_such_library"/);
$node->safe_psql('postgres', q{ALTER ROLE app RESET session_preload_libraries});
is(result('mended'), 'Completed false', 'a library that is missing keeps workers out until it is mended');

# --- read only ---
as_app(q{SELECT df_start_singleton('public.waits', 'waits')});
$node->poll_query_until('postgres', q{SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'waits'}) or die;
foreach my $where ('DATABASE postgres', 'ROLE app')
{
	$node->safe_psql('postgres', "ALTER $where SET default_transaction_read_only = on");
	no_workers();
	is((error_of($node, 'postgres', q{SELECT df_start_singleton('public.noted', 'refused')}, extra_params => [ '-U', 'app' ]))[0], '25006', "$where: a start is refused");
	foreach my $case ([ 'one', 'note', 'Failed 25006' ], [ 'one_task', 'note', 'Failed 25006' ], [ 'one', 'read_log', 'Completed 0' ],
		[ 'one', 'starts_another', 'Failed 25006' ], [ 'noted', '', 'Failed 25006' ])
	{
		my ($f, $activity, $expected) = @$case;
		my $input = $activity eq '' ? 'NULL' : qq{'{"f": "public.$activity"}'};
		as_app("SET default_transaction_read_only = off; SELECT df_start_singleton('public.$f', '$where $f $activity', $input)");
		is(result("$where $f $activity"), $expected, "$where: $f $activity");
	}
	is($node->safe_psql('postgres', 'SELECT count(*) FROM log'), 0, 'nothing was written');
	as_app(qq{SET default_transaction_read_only = off; SELECT df_start_singleton('public.one', '$where anyway', '{"f": "public.note_anyway"}')});
	is(result("$where anyway"), 'Completed ', 'a step that asks for it first may write, like a session');
	$node->safe_psql('postgres', "SET default_transaction_read_only = off; ALTER $where RESET default_transaction_read_only");
	$node->safe_psql('postgres', 'SET default_transaction_read_only = off; TRUNCATE log');
}
no_workers();
as_app(q{SELECT df_raise_event('waits', 'go')});
is(result('waits'), 'Completed ', 'afterwards they write again');

# --- roles that are dropped ---
$node->safe_psql('postgres', q{
TRUNCATE log;
CREATE ROLE gone LOGIN;
SELECT df_grant_usage('gone');
SET SESSION AUTHORIZATION gone;
SELECT df_start_singleton('public.waits', 'of gone'), df_start_singleton('public.waits', 'in step'), df_start_singleton('public.noted', 'ended'),
	df_start_singleton('public.one', 'failed', '{"f": "no_such"}')});
ok(wait_ended($node, 'postgres', 'ended') && wait_ended($node, 'postgres', 'failed'), 'a role has instances');
$node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM df_instances WHERE owner::text = 'gone' AND waiting_for = 'event go'}) or die;
my $session = $node->background_psql('postgres', extra_params => [ '-U', 'gone' ], on_error_stop => 0);
$session->query('SELECT 1');
is($node->safe_psql('postgres', q{SELECT count(*) > 0 FROM df_stat_workers WHERE role::text = 'gone'}), 't', 'and a worker, which stays');
# the event and the end of the role come together: the worker that lives must not run it
my $mark = -s $node->logfile;
$node->safe_psql('postgres', q{
	BEGIN;
	SELECT df_raise_event('of gone', 'go');
	SELECT df_revoke_usage('gone');
	DROP OWNED BY gone;
	DROP ROLE gone;
	COMMIT});
ok(wait_ended($node, 'postgres', 'of gone') && wait_ended($node, 'postgres', 'in step'), 'the role is dropped: its instances fail');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT runtime_status || ' ' || (failure->>'sqlstate'), ',') FROM df_instances WHERE instance_id IN ('of gone', 'in step')}),
	'Failed 42704', 'as no such role exists');
is($node->safe_psql('postgres', q{SELECT count(*) FROM log}), 1, 'nothing of them has run any more');
foreach my $call (q{df_restart('ended', false)}, q{df_restart('ended')}, q{df_restart('failed', false)}, q{df_rewind('failed')}, q{df_rewind('of gone')})
{
	my ($state, $message, $hint) = error_of($node, 'postgres', "SELECT $call");
	is($state, '42704', "$call is refused");
	like($message, qr/the role that owns instance "[^"]+" no longer exists/, 'since its owner does not exist');
	like($hint, qr/df_purge\(\).*start the function again/, 'and the hint says what to do');
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM df_instances WHERE runtime_status IN ('Pending', 'Running')}), 0, 'nothing was started');
my $output = $session->query(q{SELECT df_start_singleton('public.noted', 'by nobody')});
like(slurp_file($node->logfile, $mark), qr/role with OID \d+ no longer exists|permission denied/, 'a session that has outlived its role starts nothing');
eval { $session->quit };
# what the hint says
$node->safe_psql('postgres', q{SELECT df_purge('ended')});
as_app(q{SELECT df_start_singleton('public.noted', 'ended')});
is(result('ended'), 'Completed 1', 'purged, it can be started by a role that exists');
is($node->safe_psql('postgres', q{SELECT owner::text FROM df_instances WHERE instance_id = 'ended'}), 'app', 'which owns it');
is($node->safe_psql('postgres', 'SELECT crashes FROM df_stat'), 0, 'no crash was counted');

finish($node);
done_testing();
