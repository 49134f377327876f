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
is(Digest::SHA->new(256)->addfile('durable_singleton--1.0.sql')->hexdigest,
	'34ad84bc8c4dfba652ec59c0afce90e3af3a8c2e69acecc04bf2784d100f1841',
	'the script of 1.0 is the one that was released');

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
