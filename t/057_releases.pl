# The install script of 1.0 stays as it was released, and the chain of upgrade
# scripts leads from it to the version of the control file.
use strict;
use warnings;
use Digest::SHA;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($version) = slurp_file('durable_singleton.control') =~ /^default_version = '(.*)'/m;
foreach my $line (grep { !/^#/ } split /\n/, slurp_file('extension/releases'))
{
	my (undef, undef, $checksum, $script) = split ' ', $line;
	my ($file) = grep { -e } $script, "extension/$script";

	is(Digest::SHA->new(256)->addfile($file)->hexdigest, $checksum,
		"$script is the one that was released");
}

my $node = new_server('main');
my $installed = q{SELECT extversion FROM pg_extension WHERE extname = 'durable_singleton'};
is($node->safe_psql('postgres', $installed), $version, 'a fresh installation has the newest version');
$node->safe_psql('postgres', q{
	CREATE DATABASE old;
	\c old
	CREATE EXTENSION durable_singleton VERSION '1.0'});
is($node->safe_psql('old', $installed), '1.0', 'version 1.0 can be installed');
$node->safe_psql('old', 'ALTER EXTENSION durable_singleton UPDATE');
is($node->safe_psql('old', $installed), $version, 'and updated to the newest version');

finish($node);
done_testing();
