# The real clients of Durable Functions from npm work, versions 2 and 3, in
# every call; the sample of the singleton documentation runs unchanged.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use Gateway;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = "$FindBin::RealBin/../examples/clients";

plan skip_all => 'the gateway was not built' if !-x sanitized_gateway();
plan skip_all => 'the clients were not fetched from npm'
  if grep { !-d "$folder/$_/node_modules/durable-functions" } '2.x', '3.x';

my $node = new_server('main');
gateway_setup($node);
$node->safe_psql('postgres', q{
	SET SESSION AUTHORIZATION web;
	SELECT count(df_start_singleton('echo', 'many ' || n)) FROM generate_series(1, 260) n});
my $http = Gateway->start($node);

sub run_node
{
	my ($stdout, $stderr);
	IPC::Run::run([@_], '<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(120));
	return ($stdout, $stderr);
}

foreach my $version ('2.x', '3.x')
{
	foreach my $way ('rpc', 'webhook')
	{
		my ($stdout, $stderr) = run_node('node', "$FindBin::RealBin/lib/http_clients.js", $folder,
			$version, $http->{origin}, $way);
		my @lines = split /\n/, $stdout;
		cmp_ok(scalar @lines, '>=', 22, "$version, $way: all calls were made") or diag($stderr);
		foreach (@lines)
		{
			my ($result, $name) = /^(passed|failed): (.*)/ or next;
			is($result, 'passed', "$version, $way: $name");
		}
	}
}

#
# The samples, each by one command
#
$ENV{GATEWAY} = $http->{origin};
foreach my $how ('2.x', '3.x', 'curl')
{
	my ($first) = run_node("$folder/run", $how, 'waits', "sample $how" =~ s/ /-/r);
	my ($second) = run_node("$folder/run", $how, 'waits', "sample $how" =~ s/ /-/r);
	like($first, qr/202/, "$how: the first call starts it");
	like($first, qr{/instances/sample-\Q$how\E}, "$how: with links");
	like($second, qr/409|already exists/, "$how: the second one does not");
	unlike($second, qr/202/, "$how: indeed");
}
is($node->safe_psql('postgres', q{SELECT string_agg(input ->> 'from', ', ' ORDER BY instance_id)
	FROM df_instances WHERE instance_id LIKE 'sample-%'}), 'the sample, the sample, curl', 'their inputs came through');

# The sample is that of the documentation, to the letter.
my $sample = slurp_file("$folder/2.x/HttpStartSingle/index.js");
like($sample, qr/^const df = require\("durable-functions"\);\n\nmodule\.exports = async function\(context, req\) \{/, 'it begins like the documentation');
like($sample, qr/const existingInstance = await client\.getStatus\(instanceId\);\n    if \(!existingInstance \n/, 'down to its spaces');

$http->stop;
finish($node);
done_testing();
