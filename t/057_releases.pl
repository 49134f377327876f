# The install script of 1.0 stays as it was released, and the chain of upgrade
# scripts leads from it to the version of the control file, which is also that of
# META.json, of the Debian packages and of the change log.
use strict;
use warnings;
use Digest::SHA;
use FindBin;
use JSON::PP;
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

# What PGXN's specification of META.json (1.0.0) requires
my $meta = JSON::PP->new->decode(slurp_file('META.json'));
foreach my $key (qw(name version abstract maintainer license provides meta-spec))
{
	ok($meta->{$key}, "META.json has $key");
}
my $semantic = qr/^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)$/;
like($meta->{version}, $semantic, 'its version is a semantic one');
like($version . '.0' x (2 - ($version =~ tr/.//)), qr/^\Q$meta->{version}\E$/, 'and that of the control file');
like($meta->{'meta-spec'}{version}, $semantic, 'it follows a version of the specification');
like($meta->{'meta-spec'}{url}, qr!^https?://pgxn\.org/meta/spec\.txt$!, 'which it names');
like($meta->{release_status}, qr/^(?:stable|testing|unstable)$/, 'it names the status of the release');
ok((grep { $_ eq $meta->{license} } qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2
		gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0 mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql
		qpl_1_0 ssleay sun zlib open_source restricted unrestricted unknown)), 'it names a license');
is(join(' ', keys %{ $meta->{provides} }), $meta->{name}, 'it provides the extension');
my $provided = $meta->{provides}{ $meta->{name} };
is($provided->{version}, $meta->{version}, 'in its version');
ok(-e $provided->{$_}, "the $_ is there: $provided->{$_}") foreach qw(file docfile);
is($provided->{file}, (sort glob 'extension/durable_singleton--*--*.sql')[-1], 'the newest script');
foreach my $prerequisite (map { %{ $_->{requires} } } values %{ $meta->{prereqs} })
{
	like($prerequisite, qr/^(?:[A-Za-z]\w*|0|\d+\.\d+\.\d+)$/, "a prerequisite: $prerequisite");
}
unlike(join('', @{ $meta->{tags} }), qr![/\\\p{Cntrl}]!, 'tags have no slashes and no control characters');
like(slurp_file('debian/changelog'), qr/\Adurable-singleton \(\Q$version\E-\d+\)/, 'so does the change log of the packages');
like(slurp_file('CHANGELOG.md'), qr/^## \Q$version\E\b/m, 'and that for users');

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
