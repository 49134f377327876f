# A million starts in one statement: bounded memory, few locks.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

plan skip_all => 'needs /proc' unless -r '/proc/self/status';

my $node = new_server('main', conf => "durable_singleton.enabled = off\n");

$node->safe_psql('postgres',
	'CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$');
is($node->safe_psql('postgres', 'SHOW max_locks_per_transaction'),
	64, 'max_locks_per_transaction is at its default');

# memory of a process that is its own, in kB
sub memory
{
	my ($pid) = @_;
	my ($anonymous) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m;

	return $anonymous;
}

my $session = $node->background_psql('postgres', timeout => 900);
my $pid     = $session->query_safe('SELECT pg_backend_pid()');

# Plans and caches are paid before.
$session->query_safe(q{
	BEGIN;
	SELECT count(df_start_singleton('once', 'warm ' || n)) FROM generate_series(1, 1000) n;
	ROLLBACK});

my $before = memory($pid);
my $peak   = $before;
my $begun  = time;
$session->query_until(qr/begun/, q{
\echo begun
BEGIN;
SELECT count(*) FILTER (WHERE df_start_singleton('once', 'many ' || n))
	FROM generate_series(1, 1000000) n;
});
until ($node->safe_psql('postgres',
		"SELECT state FROM pg_stat_activity WHERE pid = $pid") ne 'active')
{
	my $now = memory($pid);

	$peak = $now if $now > $peak;
	die 'the starts do not end' if time - $begun > 900;
	usleep(100_000);
}
my $seconds = time - $begun;
my $after   = memory($pid);
$peak = $after if $after > $peak;

note sprintf '%.1f s; memory before %d kB, peak %d kB, after %d kB',
  $seconds, $before, $peak, $after;
cmp_ok($peak - $before, '<', 65536,
	'the session has grown by less than 64 MB');

my $locks =
  $node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE pid = $pid");
note "$locks locks";
cmp_ok($locks, '<', 64, 'the transaction holds a handful of locks');
like($session->query_safe('ROLLBACK'), qr/^1000000$/m, 'a million times true');
$session->quit;

is($node->safe_psql('postgres', 'SELECT count(*) FROM df_instances'),
	0, 'nothing remains after the rollback');

# The hints of one transaction are capped: what has no hint of its own runs as
# soon, without a rescan.
rescan_off($node);
$node->append_conf('postgresql.conf', "durable_singleton.enabled = on\n");
$node->reload;
$node->poll_query_until('postgres', 'SHOW durable_singleton.enabled', 'on')
  or die 'workers are not enabled';
$node->safe_psql('postgres',
	"SELECT count(df_start_singleton('once', 'some ' || n)) FROM generate_series(1, 20000) n"
);
$begun = time;
ok( $node->poll_query_until('postgres', q{
		SELECT count(*) = 20000 FROM df_instances WHERE runtime_status = 'Completed'}),
	'20000 starts of one transaction have all run');
note sprintf '%.1f s', time - $begun;

finish($node);
done_testing();
