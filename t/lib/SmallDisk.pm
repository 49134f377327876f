# A small file system that a test can fill.  "use SmallDisk $megabytes;" before
# all other modules executes the test once more in a name space of its own,
# where a directory is a tmpfs of that size; it needs no privileges, but a
# kernel that lets everybody have user name spaces.  Where that is not so the
# test goes on without it, and directory() is undefined.
package SmallDisk;

use strict;
use warnings;
use File::Path qw(make_path);

my $is_there = 'DURABLE_SINGLETON_SMALL_DISK';

sub import
{
	my ($class, $megabytes) = @_;
	my $data = $ENV{TESTDATADIR} // ($ENV{TESTDIR} // '.') . '/tmp_check';
	my $dir  = "$data/small_disk";
	my ($uid, $gid) = ($>, $) + 0);

	return if defined $ENV{$is_there};
	make_path($dir);

	# As root of the name space we mount, and below it we are ourselves again:
	# PostgreSQL refuses to run as root.
	my @enter = ('unshare', '--user', '--map-root-user', '--mount', 'sh', '-c',
		'mount -t tmpfs -o size="$0"m tmpfs "$1" && shift && exec unshare --user "$@"',
		$megabytes, $dir, "--map-user=$uid", "--map-group=$gid");
	return if system('sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh', @enter, 'true') != 0;
	$ENV{$is_there} = $dir;
	exec(@enter, $^X, (map { "-I$_" } @INC), $0, @ARGV) or die "exec unshare: $!";
}

sub directory { return $ENV{$is_there} }

# Leaves no room.
sub fill
{
	my $ballast = directory() . '/ballast';
	my $block   = "\0" x 4096;
	my ($free)  = (split ' ', (split /\n/, `df -k --output=avail "@{[ directory() ]}"`)[1]);

	# Most of it at once; the rest in competition with the server's writes.
	$free -= 1024;
	system("fallocate -l ${free}k '$ballast' 2>/dev/null") if $free > 0;
	open(my $file, '>>', $ballast) or die "$ballast: $!";
	1 while syswrite($file, $block);
	close $file;
	return;
}

sub make_room
{
	unlink directory() . '/ballast';
	return;
}

1;
