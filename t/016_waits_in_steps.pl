# steps that wait for other instances never take the last worker: the database, the
# cluster and the role go on, and the log says who waits for whom
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => q{
durable_singleton.max_workers = 4
});
my $functions = q{
CREATE FUNCTION job() RETURNS jsonb LANGUAGE sql AS $$ SELECT '"done"'::jsonb $$;
CREATE FUNCTION start_job(i int) RETURNS void LANGUAGE sql AS $$ SELECT df_start_singleton('job', 'job ' || i) $$;
CREATE FUNCTION await_job(i int) RETURNS text LANGUAGE sql AS $$ SELECT runtime_status::text FROM df_wait_for_completion('job ' || i, NULL) $$;
CREATE FUNCTION main(i int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('start_job', jsonb_build_object('i', i));
	RETURN df_call_activity('await_job', jsonb_build_object('i', i));
END $$;
CREATE FUNCTION waits() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_wait_for_external_event('go') $$;
CREATE FUNCTION await(id text) RETURNS text LANGUAGE sql AS $$ SELECT runtime_status::text FROM df_wait_for_completion(id, NULL) $$;
CREATE FUNCTION await_any(id text) RETURNS text LANGUAGE sql AS $$ SELECT runtime_status::text FROM df_wait_for_any(ARRAY[id, id], NULL) $$;
CREATE FUNCTION await_call(id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s jsonb;
BEGIN
	CALL df_wait(id, NULL, s);
	RETURN s->>'runtime_status';
END $$;
CREATE FUNCTION awaiter(f text, id text) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity(f, jsonb_build_object('id', id)) $$;
CREATE FUNCTION awaiting(id text) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(await(id)) $$;
};
$node->safe_psql('postgres', $functions);
$node->safe_psql('postgres', q{CREATE DATABASE other});
$node->safe_psql('other', "CREATE EXTENSION durable_singleton; $functions");

sub blocked
{
	my ($n) = @_;
	return $node->poll_query_until('postgres',
		"SELECT count(*) = $n FROM pg_stat_activity WHERE backend_type = 'durable_singleton worker' AND wait_event_type = 'Extension' AND query LIKE 'durable_singleton: %' AND state = 'active'");
}

# Every main instance starts another one and waits for it: more of them than workers.
$node->safe_psql('postgres', q{SELECT count(df_start_singleton('main', 'main ' || n, jsonb_build_object('i', n))) FROM generate_series(1, 12) n});
ok(wait_ended($node, 'postgres', 'main %'), 'twelve that wait for twelve others come to an end, with four workers');
ok(wait_ended($node, 'postgres', 'job %'), 'and so do the others');
is($node->safe_psql('postgres', q{SELECT count(*) FROM df_instances WHERE name = 'job' AND runtime_status = 'Completed'}), 12, 'which have all run');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT coalesce(failure->>'sqlstate', 'none'), ' ') ~ '^(none|40P01|40P01 none)$' FROM df_instances WHERE name = 'main'}),
	't', 'and the main ones have completed, or say that it was a deadlock');

# Three wait for what lasts: the fourth worker is for others, also in other databases.
foreach my $f ('await', 'await_any', 'await_call', 'awaiting')
{
	my $awaiter = sub {
		my ($id) = @_;
		return $f eq 'awaiting' ? "df_start_singleton('awaiting', '$id', jsonb_build_object('id', 'long $f'))"
		  : "df_start_singleton('awaiter', '$id', jsonb_build_object('f', '$f', 'id', 'long $f'))";
	};
	$node->safe_psql('postgres', "SELECT df_start_singleton('waits', 'long $f')");
	$node->poll_query_until('postgres', "SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'long $f'");
	$node->safe_psql('postgres', 'SELECT ' . $awaiter->("$f $_")) foreach 1 .. 3;
	ok(blocked(3), "$f: three workers wait");
	$node->safe_psql('postgres', 'SELECT ' . $awaiter->("$f 4"));
	ok(wait_ended($node, 'postgres', "$f 4"), 'a fourth one does not');
	is($node->safe_psql('postgres', "SELECT failure->>'sqlstate' FROM df_instances WHERE instance_id = '$f 4'"), '40P01', 'it is a deadlock');
	my ($message) = $node->safe_psql('postgres', "SELECT failure->>'message' FROM df_instances WHERE instance_id = '$f 4'");
	is($message, "function $f of instance \"$f 4\" cannot wait for instance \"long $f\" because no worker would be left to run it", 'it names who and what');
	like(slurp_file($node->logfile), qr/LOG:  function \w+ of instance "[^"]+" cannot wait for instance "[^"]+" because/, 'so does the log') if $f eq 'await';
	$node->safe_psql('other', "SELECT df_start_singleton('job', '$f')");
	ok(wait_ended($node, 'other', $f), 'another database goes on');
	$node->safe_psql('postgres', "SELECT df_raise_event('long $f', 'go')");
	ok(wait_ended($node, 'postgres', "$f %"), 'and those that wait hear of the end');
	is($node->safe_psql('postgres', "SELECT count(*) FROM df_instances WHERE instance_id LIKE '$f _' AND output = '\"Completed\"'"), 3, 'and return it');
}

# What has ended already, or ends by a time-out, needs no other worker.
$node->append_conf('postgresql.conf', 'durable_singleton.workers_per_role = 1');
$node->reload;
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM df_stat_workers');
$node->safe_psql('postgres', q{SELECT df_start_singleton('awaiter', 'ended', '{"f": "await", "id": "long await"}')});
ok(wait_ended($node, 'postgres', 'ended'), 'a wait for what has ended');
is($node->safe_psql('postgres', q{SELECT output FROM df_get_status('ended')}), '"Completed"', 'is none');
# the only worker of a role
$node->safe_psql('postgres', q{SELECT df_start_singleton('main', 'main of one', '{"i": 100}')});
ok(wait_ended($node, 'postgres', 'main of one'), 'a role with one worker is not stopped');
ok(wait_ended($node, 'postgres', 'job 100'), 'nor what it waits for');

# Fewer background workers than max_workers: those that exist are all there are.
$node->append_conf('postgresql.conf', q{
durable_singleton.workers_per_role = 8
durable_singleton.max_workers = 8
max_worker_processes = 5
});
$node->restart;
$node->safe_psql('postgres', q{SELECT count(df_start_singleton('main', 'few ' || n, jsonb_build_object('i', 200 + n))) FROM generate_series(1, 12) n});
ok(wait_ended($node, 'postgres', 'few %'), 'with too few background workers they come to an end, too');
ok(wait_ended($node, 'postgres', 'job 2%'), 'and what they wait for');

finish($node);
done_testing();
