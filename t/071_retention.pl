# Retention serves all roles: whatever one of them leaves behind, the janitor
# continues with the instances of others, in bounded memory.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $depth = in_full() ? 300_000 : 20_000;
my $node  = new_server('retention', conf => q{
autovacuum = off
fsync = off
max_stack_depth = '100kB'
durable_singleton.rescan_interval = '1s'
});

# Ended instances are written as rows, since it would take long to run them.
$node->safe_psql('postgres', q{
CREATE ROLE app LOGIN;
SELECT df_grant_usage('app');
CREATE TABLE reference (id text REFERENCES durable_singleton.instance);
CREATE FUNCTION ended(id text, parent text = NULL, payload jsonb = NULL, owner text = 'app',
	at timestamptz = now() - interval '1 year') RETURNS void LANGUAGE sql AS $$
INSERT INTO durable_singleton.instance (created_time, last_updated_time, owner, home, execution_id,
	instance_id, name, function_schema, status, turn, history_length, input, output, parent_instance_id,
	parent_run_id, parent_execution_id, parent_seq)
SELECT at, at, owner::regrole, 0, gen_random_uuid(), id, 'f', 'public', 'Completed', 1, 0, payload, payload, parent,
	CASE WHEN parent IS NOT NULL THEN gen_random_uuid() END, CASE WHEN parent IS NOT NULL THEN gen_random_uuid() END,
	CASE WHEN parent IS NOT NULL THEN 1 END
ON CONFLICT DO NOTHING $$;
CREATE FUNCTION waits() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_wait_for_external_event('go') $$;
CREATE FUNCTION parent(child text) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT to_jsonb(df_schedule_sub_orchestrator('public.waits', NULL, child)) $$;
});

sub others
{
	return $node->safe_psql('postgres',
		q{SELECT count(*) FROM df_instances WHERE instance_id LIKE 'z of others%'});
}

# --- df_purge and df_purge_by ---

sub families
{
	$node->safe_psql('postgres', qq{
SELECT count(ended('chain ' || n, CASE WHEN n > 1 THEN 'chain ' || n - 1 END)) FROM generate_series(1, $depth) n;
SELECT ended('wide'), count(ended('wide ' || n, 'wide')) FROM generate_series(1, $depth) n;
SELECT count(ended('tree ' || n, CASE WHEN n > 1 THEN 'tree ' || (n + 1) / 3 END)) FROM generate_series(1, 2000) n;
SELECT count(ended('z of others ' || n, owner => 'postgres')) FROM generate_series(1, 100) n});
	return;
}

families();
is($node->safe_psql('postgres', q{SELECT df_purge('chain 1'), df_purge('wide'), df_purge('tree 1')}, extra_params => [ '-U', 'app' ]),
	join('|', $depth, $depth + 1, 2000), 'df_purge takes families of any form');
families();
is($node->safe_psql('postgres', q{SELECT df_purge_by('-infinity')}),
	2 * $depth + 1 + 2000 + 100, 'df_purge_by, too');

# An ordinary role terminates the child of an ended parent, and then does
# nothing.  The end of a child takes the parent's task.
$node->safe_psql('postgres', q{SELECT df_start_singleton('public.parent', 'parent', '{"child": "child"}')},
	extra_params => [ '-U', 'app' ]);
ok(wait_status($node, 'postgres', 'parent', 'Completed'), 'a parent has ended');
$node->poll_query_until('postgres', q{SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'child'})
  or die 'the child does not wait';
my $holder = $node->background_psql('postgres', extra_params => [ '-U', 'app' ]);
$holder->query_safe(q{BEGIN; SELECT df_terminate('child')});

# A table of the superuser's refers to an instance.
$node->safe_psql('postgres', q{
SELECT ended('referred'), ended('below referred', 'referred'), count(ended('z of others ' || n, owner => 'postgres'))
	FROM generate_series(1, 100) n;
INSERT INTO reference VALUES ('referred')});
my ($result, $purged, $warnings) = $node->psql('postgres', q{
	SET statement_timeout = '30s'; SELECT df_purge_by('-infinity')});
is($purged, 101, 'df_purge_by leaves out what is locked, and what is referred to');
like($warnings, qr/WARNING:  instance "referred" could not be purged: .*violates foreign key constraint/,
	'and tells of it');
is($node->safe_psql('postgres', q{SELECT string_agg(instance_id, ', ' ORDER BY instance_id) FROM df_instances}),
	'child, parent, referred', 'and nothing else');

# --- df_terminate ---

# Active children, written as rows, too; suspended, so that no worker takes them.
$node->safe_psql('postgres', qq{
SELECT df_start_singleton('public.waits', 'many')});
$node->poll_query_until('postgres', q{SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'many'})
  or die 'it does not wait';
$node->safe_psql('postgres', qq{
SELECT count(ended('many ' || n, 'many')) FROM generate_series(1, $depth) n;
UPDATE durable_singleton.instance c SET status = 'Suspended', parent_run_id = p.execution_id
	FROM durable_singleton.instance p WHERE p.instance_id = 'many' AND c.parent_instance_id = 'many'});
is( $node->safe_psql('postgres', q{
		BEGIN;
		SELECT df_terminate('many');
		SELECT count(DISTINCT instance_id) FROM durable_singleton.inbox WHERE kind = 'x' AND instance_id LIKE 'many %';
		ROLLBACK}) =~ s/^\n//mr, $depth, 'df_terminate tells all of many children');
$node->safe_psql('postgres', q{DELETE FROM durable_singleton.instance WHERE instance_id LIKE 'many%'});

# --- the janitor ---

# Role "gone" does not exist any more; one of its instances is locked.
$node->safe_psql('postgres', q{
CREATE ROLE gone LOGIN;
SELECT df_grant_usage('gone');
SET ROLE gone;
SELECT df_start_singleton('public.waits', 'of gone ' || n) FROM generate_series(1, 5) n});
$node->poll_query_until('postgres', q{SELECT count(*) = 6 FROM df_instances WHERE waiting_for = 'event go'})
  or die 'the instances do not wait';
my $locker = $node->background_psql('postgres');
$locker->query_safe(q{BEGIN; SELECT FROM durable_singleton.instance WHERE instance_id = 'of gone 1' FOR UPDATE});
$node->safe_psql('postgres', q{DROP OWNED BY gone; DROP ROLE gone});
ok( $node->poll_query_until('postgres', q{
		SELECT count(*) = 4 FROM df_instances WHERE instance_id LIKE 'of gone %' AND runtime_status = 'Failed'}),
	'instances of a dropped role fail, but the one that is locked');

# Payloads that take up a hundred times their place on disk.
$node->safe_psql('postgres', q{
CREATE TABLE large AS SELECT to_jsonb(repeat('a', 15 * 1024 * 1024)) AS payload;
SELECT count(ended('large ' || n, payload => payload)) FROM large, generate_series(1, 60) n});
families();
$node->safe_psql('postgres', q{
	SELECT ended('ancestor'), ended('descendant', 'ancestor', at => now() - interval '1 hour')});
my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
my $mark = -s $node->logfile;
# from now on a process may have 200 MB of its own memory
command_ok([ 'prlimit', '--pid', $postmaster, '--data=' . 200 * 1024 * 1024 ], 'memory is short');
$node->append_conf('postgresql.conf', "durable_singleton.retention = '1d'\n");
$node->reload;
ok($node->poll_query_until('postgres', q{
		SELECT count(*) = 4 FROM df_instances WHERE instance_id NOT LIKE 'of gone %'}),
	'all that is expired goes, whoever it belongs to');
is( $node->safe_psql('postgres', q{
		SELECT string_agg(instance_id, ', ' ORDER BY instance_id) FROM df_instances WHERE instance_id NOT LIKE 'of gone %'}),
	'child, descendant, parent, referred',
	'but what is locked or referred to, and a child that ended later than its parent');
is( $node->safe_psql('postgres', q{
		SELECT count(*) FROM durable_singleton.instance i WHERE instance_id = 'parent'
			AND EXISTS (SELECT FROM durable_singleton.task WHERE execution_id = i.execution_id)}),
	1, 'an instance that is left has all that belongs to it');
my $log = slurp_file($node->logfile, $mark);
unlike($log, qr/out of memory|stack depth|lock timeout/, 'no janitor has failed');
like($log, qr/LOG:  instance "referred" could not be purged: .*violates foreign key constraint/,
	'the log tells of the instance that is referred to');

# Nobody is at them any more.
$holder->query_safe('COMMIT');
$holder->quit;
$locker->query_safe('COMMIT');
$locker->quit;
ok(wait_status($node, 'postgres', 'of gone 1', 'Failed'), 'the last instance of the dropped role fails');
$node->safe_psql('postgres', q{
	DELETE FROM reference;
	UPDATE durable_singleton.instance SET last_updated_time = now() - interval '1 month'});
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM df_instances'),
	'then they go as well');
is( $node->safe_psql('postgres', q{
		SELECT (SELECT count(*) FROM durable_singleton.history), (SELECT count(*) FROM durable_singleton.task),
			(SELECT count(*) FROM durable_singleton.inbox)}),
	'0|0|0', 'nothing is left over');

finish($node);
done_testing();
