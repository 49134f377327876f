# Sessions make random calls on a few shared ids while processes die, the
# server is stopped in all ways, memory and disk run out: no effect is lost or
# doubled, and nothing acknowledged is taken back.
#
# TORTURE_SECONDS sets the length, TORTURE_SEED repeats the order of faults and
# calls.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use SmallDisk $ENV{TEST_ALL} ? 2048 : 256;
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TortureFaults;

plan skip_all => 'needs /proc' unless -r '/proc/self/status';

my $seed    = $ENV{TORTURE_SEED}    // (int(time * 1000) ^ $$) % 1_000_000_000;
my $seconds = $ENV{TORTURE_SECONDS} // (in_full() ? 300 : 12);
my $lib     = "$FindBin::RealBin/lib/torture";
my $dir     = PostgreSQL::Test::Utils::tempdir;
my $disk    = SmallDisk::directory();

note "TORTURE_SEED=$seed TORTURE_SECONDS=$seconds";
srand $seed;

# Vacuum and the ends of workers come as often as they can.
my $node = new_server('torture', conf => qq{
restart_after_crash = on
shared_buffers = 16MB
max_connections = 30
max_prepared_transactions = 20
autovacuum_naptime = 1s
wal_writer_delay = 10s
log_line_prefix = '%m [%p] %e %q%a '
log_min_error_statement = panic
log_error_verbosity = terse
durable_singleton.keep_executions = 1000000
durable_singleton.rescan_interval = 2s
durable_singleton.worker_idle_timeout = 2s
durable_singleton.worker_max_lifetime = 15s
torture.file = '$dir/outside'
});

# A death that the driver brings about is not the fault of the step.
$node->append_conf('postgresql.conf', 'durable_singleton.crash_limit = 0')
  if $node->safe_psql('postgres',
	"SELECT count(*) FROM pg_settings WHERE name = 'durable_singleton.crash_limit'");
$node->reload;

SKIP:
{
	skip 'THE DISK NEVER GETS FULL: no user name space to mount a small one in', 1
	  if !defined $disk;
	mkdir "$disk/space" or die "mkdir: $!";
	$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$disk/space'");
	pass('there is a small disk to be filled');
}
$node->safe_psql('postgres',
	'CREATE DATABASE torture' . (defined $disk ? ' TABLESPACE small' : ''));

sub query
{
	my ($sql) = @_;

	return $node->safe_psql('torture', "SET work_mem = '256MB'; $sql");
}

query($_)
  foreach 'CREATE EXTENSION durable_singleton',
  slurp_file("$lib/schema.sql"), slurp_file("$lib/invariants.sql"), q{
	CREATE ROLE one LOGIN; CREATE ROLE two LOGIN; CREATE ROLE three LOGIN;
	GRANT one, two TO three;
	GRANT pg_execute_server_program TO one, two, three;
	SELECT df_grant_usage(r) FROM unnest('{one, two, three}'::name[]) r;
	GRANT ALL ON ledger, finished TO one, two, three};

# --- the torture -----------------------------------------------------------

my @roles   = qw(one one two two three three);
my @clients = map {
	IPC::Run::start(
		[
			$^X, "$lib/client.pl", $node->connstr('torture'),
			$roles[ $_ - 1 ], $_, $seed + $_, $dir
		],
		'<', \undef, '2>', "$dir/client.$_.err")
} 1 .. @roles;
my $faults = TortureFaults->new($node, $dir);
my $begun  = time;

while (time - $begun < $seconds)
{
	usleep(rand 1_000_000);
	my $name = $faults->next_fault or next;

	note sprintf '%.1f s: %s', time - $begun, $name;
}
append_to_file("$dir/stop", '');
my @lost = grep { !$clients[ $_ - 1 ]->finish } 1 .. @roles;
is(join("\n", map { slurp_file("$dir/client.$_.err") } @lost),
	'', 'every client has got its answers');

# --- everything ends -------------------------------------------------------

my $drained = time;

$node->poll_query_until('torture', 'SELECT NOT pg_is_in_recovery()')
  or die 'the server does not come back';
is(query('SELECT count(*) FROM pg_prepared_xacts'),
	0, 'no prepared transaction is left');
ok( $node->poll_query_until('torture', q{
		WITH resumed AS MATERIALIZED (
			SELECT df_resume(instance_id) FROM df_instances
			WHERE runtime_status = 'Suspended')
		SELECT (SELECT count(*) FROM resumed) = 0 AND NOT EXISTS (
			SELECT FROM df_instances
			WHERE runtime_status NOT IN ('Completed', 'Failed', 'Terminated'))}),
	'all instances end');
note sprintf 'all had ended after another %.1f s', time - $drained;

# --- and all is as it should be --------------------------------------------

append_to_file("$dir/outside", '');
query("COPY told FROM '$dir/told.$_'") foreach 1 .. @roles;
query("COPY outside FROM '$dir/outside'");
query('ANALYZE');

my $counts = $faults->counts;
note join "\n", 'faults:', map { "$counts->{$_} x $_" } sort keys %$counts;
note query($_) foreach
  "SELECT 'answers: ' || string_agg(n || ' x ' || outcome, ', ')
	FROM (SELECT count(*) n, outcome FROM told GROUP BY 2) s",
  "SELECT 'executions: ' || string_agg(n || ' x ' || name || ' ' || runtime_status, ', ')
	FROM (SELECT count(*) n, name, runtime_status FROM all_executions GROUP BY 2, 3 ORDER BY 2, 3) s",
  "SELECT 'in the ledger: ' || count(*) FROM ledger",
  "SELECT 'told outside: ' || count(*) || ', more than once: ' || count(*) - count(DISTINCT execution_id)
	FROM outside";
cmp_ok(query("SELECT count(*) FROM all_executions WHERE runtime_status = 'Completed'"),
	'>', 10 * $seconds / 12, 'work was done meanwhile');

# What violates each invariant, to see that the checks would find it.
my %violation = (
	'an effect is there once' =>
	  'INSERT INTO ledger SELECT * FROM ledger LIMIT 1',
	'an effect is whole' =>
	  'UPDATE ledger SET ended = NULL WHERE token = (SELECT min(token::text)::uuid FROM ledger)',
	'what history has was done' =>
	  'DELETE FROM ledger WHERE token = (SELECT token FROM history_tokens LIMIT 1)',
	'what was done is in history' => q{
		DELETE FROM durable_singleton.history WHERE (execution_id, seq) = (
			SELECT execution_id, seq FROM durable_singleton.history
				JOIN ledger USING (execution_id)
			WHERE outcome = 'c' AND name = 'work' LIMIT 1)},
	'history has an effect once' =>
	  'INSERT INTO kept_history SELECT * FROM all_history WHERE name = \'work\'',
	'one execution at a time' => q{
		UPDATE ledger SET began = began - interval '1 day'
		WHERE token = (SELECT token FROM ledger ORDER BY began DESC LIMIT 1)},
	'an acknowledged start is not lost' => q{
		INSERT INTO told (client, n, op, instance_id, token, outcome)
		VALUES (0, 0, 'start', 'id 1', 'x', 'yes')},
	'what was refused or rolled back was not started' => q{
		UPDATE told SET outcome = 'no' WHERE op LIKE 'start%' AND outcome = 'yes'},
	'there are as many executions as starts' => q{
		DELETE FROM told WHERE op = 'start'},
	'there are as many terminated executions as terminates' => q{
		UPDATE told SET outcome = 'yes' WHERE op = 'terminate' AND outcome = 'no'},
	'an acknowledged end is not undone' => q{
		INSERT INTO told (client, n, op, instance_id, outcome, execution_id, status, output_md5)
		SELECT 0, 0, 'status', instance_id, 'yes', execution_id, 'Completed', md5('{}')
		FROM all_executions LIMIT 1},
	'what has completed has its whole history' => q{
		UPDATE durable_singleton.instance SET output = jsonb_set(output, '{tokens, 0}', '"x"')
		WHERE status = 'Completed'},
	'what the orchestrator wrote is there if it has completed, once' =>
	  'DELETE FROM finished WHERE execution_id = (SELECT execution_id FROM finished LIMIT 1)',
	'what was told outside is what history has' => q{
		INSERT INTO outside SELECT execution_id, gen_random_uuid() FROM outside LIMIT 1},
	'what history says was told is outside' => 'DELETE FROM outside',
	'an event is taken once' => q{
		INSERT INTO kept_history SELECT * FROM all_history WHERE event_type = 'EventRaised'},
	'an event that was refused or rolled back is not taken' => q{
		UPDATE told SET outcome = 'no' WHERE op = 'event'},
	'everything ends' => q{
		UPDATE durable_singleton.instance SET status = 'Running'},
	'there is no history without its execution' =>
	  'DELETE FROM durable_singleton.instance',
	'no task is left' => q{
		INSERT INTO durable_singleton.task (owner, execution_id, seq, attempt, counted,
			automatic, home, kind, instance_id, name)
		VALUES (10, gen_random_uuid(), 1, 1, 0, 0, 0, 'a', 'id 1', 'work')});

is_deeply([ sort keys %violation ],
	[ sort(slurp_file("$lib/invariants.sql") =~ /^\tSELECT '([^']+)',/mg) ],
	'each invariant has its counter-example');
foreach my $invariant (sort keys %violation)
{
	my $found = "SELECT count(*) FROM violations WHERE invariant = '$invariant'";

	is( query("SELECT detail FROM violations WHERE invariant = '$invariant' LIMIT 20"),
		'', $invariant);
	cmp_ok(query("BEGIN; $violation{$invariant}; $found; ROLLBACK"),
		'>', 0, "$invariant: a violation would be found");
}

SKIP:
{
	skip 'THE TABLES ARE NOT CHECKED: the server has no amcheck', 2
	  if !query("SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'");
	query('CREATE EXTENSION amcheck');
	is( query(q{
			SELECT bt_index_check(i.indexrelid, true)
			FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
			WHERE t.relnamespace = 'durable_singleton'::regnamespace}) =~ s/\n//gr,
		'', 'every row is in its indexes');
	is( query(q{
			SELECT relname, v.* FROM pg_class c, verify_heapam(c.oid) v
			WHERE relnamespace = 'durable_singleton'::regnamespace AND relkind = 'r'}),
		'', 'the tables are sound');
}

my @log = split /\n/, slurp_file($node->logfile);
is(join("\n", grep { /two at once/ } @log),
	'', 'no two activities of one instance at the same time');
# PostgreSQL has no better code for an init file on a full disk.
is( join("\n",
		grep { / XX\d\w\w (?:WARNING|ERROR|FATAL)/ && !/could not write init file$/ } @log),
	'',
	'nobody has come upon what cannot be');

finish($node);
done_testing();
