# No role reads another role's payloads: not through views, functions, errors,
# plans, statistics, the log or a dump; and names and ids have no other effect.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "log_min_messages = debug1\nlog_lock_waits = on\ndeadlock_timeout = '50ms'\n");
my $su   = $node->safe_psql('postgres', 'SELECT current_user');

$node->safe_psql('postgres', q{
CREATE ROLE alice LOGIN;
CREATE ROLE mallory LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
CREATE ROLE dumper LOGIN IN ROLE pg_read_all_data;
SELECT df_grant_usage(r) FROM unnest('{alice,mallory,watcher}'::name[]) r;
GRANT CREATE ON SCHEMA public TO mallory;
CREATE FUNCTION act(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"sesame result"'::jsonb $$;
CREATE FUNCTION act_fails(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'failed' USING detail = 'sesame detail';
END $$;
CREATE FUNCTION secretive(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"sesame status"'), df_record('"sesame record"');
	PERFORM df_call_activity('act', '"sesame step"');
	BEGIN
		PERFORM df_call_activity('act_fails', '"sesame step"');
	EXCEPTION WHEN raise_exception THEN
		NULL;
	END;
	PERFORM df_wait_for_external_event('first');
	RETURN df_wait_for_external_event('go', '1 year', '"sesame default"');
END $$;
CREATE FUNCTION ends(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"sesame output"'::jsonb $$;
});

sub as
{
	my ($role, $sql) = @_;

	return $node->safe_psql('postgres', $sql, extra_params => [ '-U', $role ]);
}

# All that a session is told, errors with context included.
sub told
{
	my ($role, $sql) = @_;
	my ($stdout, $stderr) = ('', '');

	$node->psql('postgres', "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT always\n$sql;\n",
		stdout => \$stdout, stderr => \$stderr, on_error_stop => 0, extra_params => [ '-U', $role ]);
	return "$stdout\n" . join("\n", grep { !/^STATEMENT|^LINE/ } split /\n/, $stderr);
}

as('alice', q{
	SELECT df_start_singleton('secretive', 'active', '"sesame input"');
	SELECT df_raise_event('active', 'first', '"sesame event"');
	SELECT df_raise_event('active', 'not awaited', '"sesame unread"');
	SELECT df_start_singleton('ends', 'ended', '"sesame input"');
	SELECT df_start_singleton('ends', 'archived', '"sesame input"')});
wait_status($node, 'postgres', $_, 'Completed') foreach 'ended', 'archived';
as('alice', q{
	SELECT df_start_singleton('ends', 'archived', '"sesame input"');
	SELECT FROM df_wait_for_completion('archived')});
$node->poll_query_until('postgres', "SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'active'")
  or die 'it does not wait';
$node->safe_psql('postgres', 'ANALYZE');

#
# What a leaky function, operator or cast would be shown
#
as('mallory', q{
CREATE FUNCTION leak(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	RAISE WARNING 'peeped at: %', $1;
	RETURN true;
END $$;
CREATE FUNCTION leak(jsonb, jsonb) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	RAISE WARNING 'peeped at: % %', $1, $2;
	RETURN true;
END $$;
CREATE OPERATOR <<<< (FUNCTION = leak, LEFTARG = jsonb, RIGHTARG = jsonb,
	RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE FUNCTION leak_row(df_instances) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	RAISE WARNING 'peeped at: %', $1;
	RETURN true;
END $$;
CREATE VIEW through AS SELECT * FROM df_instances;
GRANT SELECT ON through TO PUBLIC;
CREATE TABLE bait (payload jsonb);
INSERT INTO bait SELECT to_jsonb(i) FROM generate_series(1, 100) i;
ANALYZE bait;
});
my %attack = (
	'function'  => 'SELECT count(*) FROM df_instances WHERE leak(input) AND leak(instance_id)',
	'history'   => 'SELECT count(*) FROM df_history WHERE leak(input) AND leak(result) AND leak(failure)',
	'archive'   => 'SELECT count(*) FROM df_executions WHERE leak(input) AND leak(output)',
	'workers'   => 'SELECT count(*) FROM df_stat_workers WHERE leak(instance_id)',
	'operator'  => q{SELECT count(*) FROM df_instances WHERE input <<<< '1' OR output <<<< '1'},
	'row'       => 'SELECT count(*) FROM df_instances i WHERE leak_row(i)',
	'join'      => 'SELECT count(*) FROM bait b JOIN df_instances i ON i.input <<<< b.payload',
	'view'      => 'SELECT count(*) FROM through WHERE leak(input)',
	'cast'      => q{SELECT count(*) FROM df_instances WHERE (input #>> '{}')::int > 0},
	'division'  => q{SELECT count(*) FROM df_instances WHERE 1 / (CASE WHEN input IS NOT NULL THEN 0 ELSE 1 END) > 0},
	'order'     => 'SELECT input FROM df_instances ORDER BY leak(input), output LIMIT 10',
	'having'    => 'SELECT max(input::text) FROM df_instances GROUP BY owner HAVING bool_and(leak(owner))',
	'lateral'   => 'SELECT x.* FROM df_instances i, LATERAL (SELECT leak(i.input)) x',
	'sublink'   => 'SELECT (SELECT leak(i.input)) FROM df_instances i',
	'cursor'    => 'BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM df_instances WHERE leak(input); FETCH ALL c; COMMIT',
	'prepared'  => "PREPARE p(text) AS SELECT input FROM df_instances WHERE instance_id = \$1 AND leak(input); EXECUTE p('active')",
	'parallel'  => 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SELECT * FROM df_instances WHERE leak(input)',
	'no plans'  => 'SET enable_seqscan = off; SET enable_indexscan = off; SELECT input FROM df_instances WHERE leak(input)',
	'explain'   => 'EXPLAIN (ANALYZE, VERBOSE) SELECT input FROM df_instances WHERE leak(input)',
	'plan tree' => 'SET client_min_messages = log; SET debug_print_plan = on; SET debug_print_rewritten = on; SELECT input FROM df_instances; SELECT * FROM df_get_status(\'active\', true, true)',
	'copy'      => 'COPY (SELECT * FROM df_instances WHERE leak(input)) TO STDOUT',
	'copy view' => 'COPY df_instances TO STDOUT',
	'table'     => 'COPY durable_singleton.instance TO STDOUT',
	'xml'       => q{SELECT query_to_xml('SELECT * FROM durable_singleton.instance', true, false, '')},
	'internals' => 'SELECT * FROM durable_singleton.any_execution',
	'events'    => 'SELECT * FROM durable_singleton.event',
	'update'    => q{UPDATE df_instances SET input = input RETURNING *},
	'lock'      => 'SELECT * FROM df_instances FOR UPDATE',
	'statistics' => q{SELECT * FROM pg_stats WHERE schemaname = 'durable_singleton'},
	'extended'  => 'CREATE STATISTICS s ON input, output FROM durable_singleton.instance',
	'leakproof' => 'ALTER FUNCTION leak(anyelement) LEAKPROOF; SELECT * FROM df_instances WHERE leak(input)',
	'inherit'   => 'CREATE TABLE heir () INHERITS (durable_singleton.instance)',
	'reference' => 'CREATE TABLE refers (i text REFERENCES durable_singleton.instance)',
	'like'      => 'CREATE TABLE alike (LIKE durable_singleton.instance INCLUDING ALL)',
	'status'    => "SELECT * FROM df_get_status('active', true, true), df_get_status('ended'), df_get_status('archived')",
	'waits'     => "SELECT * FROM df_wait_for_completion('ended'); SELECT * FROM df_wait_for_any('{ended,active}'); CALL df_wait('ended')",
	'steering'  => join('; ', map { my $id = $_; map { "SELECT df_$_" =~ s/%/'$id'/r }
			"start_singleton('ends', %)", "start_singleton('ends', %, on_conflict => 'error')", "start_new('ends', %)",
			"raise_event(%, 'go')", 'terminate(%)', 'suspend(%)', 'resume(%)', 'rewind(%)', 'restart(%)',
			'restart(%, false)', 'purge(%)' } 'active', 'ended', 'archived'),
	'purge by'  => "SELECT df_purge_by('-infinity')",
	'activity'  => q{SELECT query, state FROM pg_stat_activity},
	'locks'     => q{SELECT * FROM pg_locks},
);
foreach my $name (sort keys %attack)
{
	unlike(told('mallory', $attack{$name}), qr/sesame/, "not told to another role: $name");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM df_instances'), 3, 'nothing is gone by it');
# rows without payloads
unlike(told('watcher', join(';', map { "SELECT * FROM $_" } qw(df_instances df_history df_executions df_stat_workers df_stat))
		. "; SELECT * FROM df_get_status('active', true, true), df_get_status('ended', true, true)"),
	qr/sesame/, 'nor to pg_monitor');
is(as('watcher', 'SELECT count(*) FROM df_instances'), 3, 'which sees the rows');
# through a view that another role owns, or a function of hers, one sees what is one's own
is(as('alice', 'SELECT count(*) FROM through'), 3, 'through the view of another role one sees one\'s own');
is(as($su, "SET ROLE mallory; SELECT count(*) FROM through"), 0, 'and no more');
is(as($su, q{
	BEGIN;
	PREPARE all_rows AS SELECT count(*) FROM df_instances;
	EXECUTE all_rows;
	SET LOCAL ROLE mallory;
	EXECUTE all_rows;
	SET LOCAL ROLE alice;
	EXECUTE all_rows}), "3\n0\n3", 'also when a plan is kept while the role changes');

#
# Where others look
#
unlike(slurp_file($node->logfile) =~ s/^.*STATEMENT:.*$//mgr, qr/sesame(?! detail)/, 'no payload stands in the server log');
is( as('watcher', q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sesame%' AND backend_type LIKE 'durable%'}),
	0, 'nor in pg_stat_activity of a worker');
sub dump_as
{
	my ($role, @option) = @_;
	my ($stdout, $stderr) = ('', '');

	IPC::Run::run([ 'pg_dump', '-d', $node->connstr('postgres'), '-U', $role, @option ], '>', \$stdout, '2>', \$stderr);
	return ($stdout, $stderr);
}
foreach my $option ('--schema=durable_singleton', '--data-only', '--enable-row-security', '--extension=durable_singleton')
{
	my ($stdout, $stderr) = dump_as('mallory', $option);

	# of the schema alone there is nothing to be dumped: all is the extension's
	like($stderr, qr/permission denied|lack SELECT privilege/, "pg_dump $option of an ordinary role is refused")
	  unless $option =~ /schema/;
	unlike($stdout, qr/sesame/, "pg_dump $option of an ordinary role has no payloads");
}
like((dump_as('dumper'))[0], qr/sesame input/, 'pg_read_all_data is enough to dump all');

# What a role that was dropped has left behind would be another's after a restore.
$node->safe_psql('postgres', q{
	CREATE ROLE gone LOGIN;
	SELECT df_grant_usage('gone');
	SET ROLE gone;
	SELECT df_start_singleton('secretive', 'left behind', '"of the one who is gone"');
	SELECT df_raise_event('left behind', 'x', '"of the one who is gone"')});
$node->poll_query_until('postgres', "SELECT waiting_for = 'event first' FROM df_instances WHERE instance_id = 'left behind'")
  or die 'it does not wait';
$node->safe_psql('postgres', q{
	SELECT df_suspend('left behind');
	SELECT df_revoke_usage('gone');
	DROP ROLE gone});
my ($dump) = dump_as($su);
like($dump, qr/sesame input/, 'a dump has the instances of roles');
unlike($dump, qr/left behind|of the one who is gone/, 'but not of those that are gone');
is(as($su, "SELECT input FROM df_get_status('left behind')"), '"of the one who is gone"', 'which superusers can still read');
is(told('mallory', "SELECT * FROM df_get_status('left behind')"), "\n", 'and nobody else');

#
# Names and ids
#
my @hostile = (
	q{'; DROP TABLE durable_singleton.instance; --}, q{" OR 1 = 1}, q{$$; SELECT 1; $$}, q{\\'; ROLLBACK; --},
	'%s%s%n%1$s%', '{"instance_id": "ended"}', "ended\xe2\x80\xae", 'ended ', ' ended', 'ENDED', '*', '_%', '.*', "\xe2\x80\x8b",
	'../../etc/passwd', '$1', ':x', '@extschema@', 'pg_temp.x', '-1', 'NULL', "\xf0\x9f\x92\xa5" x 64, 'x' x 256);
my $n = 0;
foreach my $id (@hostile)
{
	my $literal = $id =~ s/'/''/gr;

	$literal = '$h$' . $id . '$h$';
	is( as('mallory', qq{
			SELECT df_start_singleton('secretive', $literal, to_jsonb($literal\::text)), df_raise_event($literal, $literal, '1'),
				df_suspend($literal, $literal), df_resume($literal, $literal);
			SELECT instance_id = $literal AND input = to_jsonb($literal\::text) FROM df_get_status($literal, true);
			SELECT count(*) FROM df_instances WHERE instance_id = $literal;
			SELECT df_terminate($literal, $literal);
			SELECT runtime_status, output = to_jsonb($literal\::text) FROM df_wait_for_completion($literal);
			SELECT df_purge($literal)}),
		"t|||\nt\n1\n\nTerminated|t\n1", "an id, an event and a reason like any other: $id");
	unlike(told('mallory', "SELECT df_start_singleton($literal, 'named')"), qr/\A\s*\z|XX\d{3}:|^t$/m, 'and no name of a function');
}
foreach my $id ("a\nLOG:  forged", "a\tb", "\x1b[2J", "a\rb", "\x7f", "\xc2\x85")
{
	like(told('mallory', "SELECT df_start_singleton('ends', \$h\$$id\$h\$); SELECT df_start_new(\$h\$$id\$h\$); SELECT df_raise_event('active', \$h\$$id\$h\$)"),
		qr/(SD400.*){3}/s, 'control characters, by which one could forge a line of the log, are refused');
}
is($node->safe_psql('postgres', "SELECT count(*) FROM df_instances WHERE owner = 'alice'::regrole"), 3, "and alice's instances are all there");

finish($node);
done_testing();
