# Many small concurrent requests over HTTP, compared with the same through
# libpq.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use Gateway;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'the gateway was not built' if !-x plain_gateway();
plan skip_all => 'wrk is missing' if system('command -v wrk >/dev/null') != 0;

# Starts are measured by themselves: no worker runs what they start.
my $node = new_server('main', conf => "fsync = on\nmax_connections = 100\nmax_wal_size = 2GB\n");
gateway_setup($node);
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET durable_singleton.enabled = off');
my $http = Gateway->start($node, program => plain_gateway());
my $seconds = $ENV{HTTP_LOAD_SECONDS} // 3;
my $folder = PostgreSQL::Test::Utils::tempdir;

open my $script, '>', "$folder/start.lua" or die;
print $script q{
local n, base = 0, nil
function init(args) math.randomseed(tonumber(args[1])); base = math.random(1, 1000000000) end
function request()
  n = n + 1
  return wrk.format("POST", "/api/orchestrators/echo/" .. base .. "-" .. n, nil, '{"n":' .. n .. '}')
end
};
close $script;

sub wrk
{
	my ($name, $target, @option) = @_;
	my ($stdout, $stderr);

	IPC::Run::run([ 'wrk', '-t1', '-c32', "-d${seconds}s", '--latency', (@option ? ('-s', $option[0]) : ()),
			"$http->{origin}$target", ($option[1] ? ('--', $option[1]) : ()) ],
		'<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(60 + $seconds));
	my ($rate) = $stdout =~ m{Requests/sec: +([\d.]+)};
	my ($p50, $p99) = map { $stdout =~ /$_% +(\S+)/ } 50, 99;
	is($stdout =~ /Non-2xx or 3xx responses: (\d+)/ ? $1 : 0, 0, "$name: all answers are 2xx");
	measured sprintf '%s: %d/s by HTTP, p50 %s, p99 %s', $name, $rate, $p50, $p99;
	return $rate;
}

sub libpq
{
	my ($name, $sql) = @_;
	my ($stdout, $stderr);

	open my $file, '>', "$folder/$name.sql" or die;
	print $file $sql;
	close $file;
	IPC::Run::run([ 'pgbench', '-n', '-M', 'prepared', '-c', '32', '-j', '1', '-T', $seconds, '-U', 'web',
			'-h', $node->host, '-p', $node->port, '-f', "$folder/$name.sql", 'postgres' ],
		'<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(60 + $seconds));
	my ($rate) = $stdout =~ /^tps = ([\d.]+)/m;
	measured sprintf '%s: %d/s by libpq', $name, $rate;
	return $rate;
}

is($http->request('POST', '/api/orchestrators/waits/one', body => '{"a":1}')->{status}, 202, 'an instance to look at');

my $reads = wrk('status', '/runtime/webhooks/durabletask/instances/one');
my $bare_reads = libpq('status', q{SELECT * FROM df_get_status('one')});
my $starts = wrk('start', '/', "$folder/start.lua", int rand 1e9);
my $bare_starts = libpq('start', q{
\set n random(1, 1000000000000)
SELECT df_start_singleton('echo', 'bench ' || :n, '{"n":1}');
});
my $n = $node->safe_psql('postgres', q{SELECT count(*) FROM df_instances WHERE instance_id NOT LIKE 'bench %'});
cmp_ok($n, '>=', $starts * $seconds * 0.9, 'what was answered is there');

# The starts alone: what is started runs elsewhere, or later.
$node->safe_psql('postgres', 'ALTER SYSTEM SET durable_singleton.enabled = off');
$node->reload;
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM df_stat_workers')
  or die 'the workers do not leave';
my $starts_alone = wrk('start without workers', '/', "$folder/start.lua", int rand 1e9);
cmp_ok($starts_alone, '>', $bare_starts / 20, 'starts alone, too');

# Far below what a quiet machine does: a hang or a poll shows, a neighbour does not.
cmp_ok($reads, '>', $bare_reads / 20, 'status reads are of the order of those through libpq');
cmp_ok($starts, '>', $bare_starts / 20, 'and so are starts');

$http->stop;
finish($node);
done_testing();
