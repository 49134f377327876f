# every example runs through as it stands, and again, for an ordinary role that
# has nothing but df_grant_usage
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

my @examples = sort glob("$FindBin::RealBin/../examples/*.sql");
cmp_ok(scalar @examples, '>=', 4, 'there are examples');

foreach my $file (@examples)
{
	my ($name) = $file =~ m{([^/]+)\.sql$};

	$node->safe_psql('postgres', "CREATE DATABASE $name OWNER app");
	$node->safe_psql($name, q{
		CREATE EXTENSION durable_singleton;
		GRANT CREATE ON SCHEMA public TO app;
		SELECT df_grant_usage('app')});

	foreach my $time ('once', 'again')
	{
		my ($stdout, $stderr);
		my $result = $node->run_log(
			[
				$node->installed_command('psql'), '-X', '-U', 'app',
				'-d', $node->connstr($name), '-f', $file
			],
			'<', \undef, '>', \$stdout, '2>', \$stderr);
		ok($result && $stderr eq '', "example $name runs, $time")
		  or diag("$stdout\n$stderr");
	}

	is($node->safe_psql($name, q{
		SELECT count(*) > 0 FROM df_instances WHERE owner = 'app'::regrole}),
		't', "example $name started instances");
	is($node->safe_psql($name, q{
		SELECT count(*) FROM df_instances WHERE runtime_status
			IN ('Pending', 'Running', 'Suspended')}),
		'0', "example $name leaves nothing active");
}

# What the README shows first is the first example, remarks and OR REPLACE aside.
my ($shown) = slurp_file("$FindBin::RealBin/../README.md") =~ /```sql\n(.*?)```/s;
$shown =~ s/ *-- .*//g;
my $example = slurp_file("$FindBin::RealBin/../examples/first.sql");
$example =~ s/ OR REPLACE//g;
cmp_ok(index($example, $shown), '>', 0, 'the README shows the first example');

finish($node);
done_testing();
