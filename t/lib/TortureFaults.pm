# What befalls the server in the torture: processes die, the server is stopped
# in all ways, memory and disk run out.
package TortureFaults;

use strict;
use warnings;
use List::Util qw(shuffle);
use PostgreSQL::Test::Utils;
use SmallDisk ();
use Time::HiRes qw(time usleep);

# Processes of the server, by what their titles say.
my %victims = (
	worker       => qr/durable_singleton worker/,
	launcher     => qr/durable_singleton launcher/,
	janitor      => qr/durable_singleton janitor/,
	client       => qr/: (?:one|two|three) torture /,
	checkpointer => qr/: checkpointer/,
	walwriter    => qr/: walwriter/);

# node: the server; dir: where the clients look for the file "away"
sub new
{
	my ($class, $node, $dir) = @_;
	my $self = bless { node => $node, dir => $dir, count => {} }, $class;
	my @faults = (
		[ 6, 'kill -9 of a worker', sub { $self->strike('KILL', 'worker') } ],
		[ 6, 'kill -9 of a client', sub { $self->strike('KILL', 'client') } ],
		[ 2, 'kill -9 of the launcher', sub { $self->strike('KILL', 'launcher') } ],
		[ 2, 'kill -9 of a janitor', sub { $self->strike('KILL', 'janitor') } ],
		[ 2, 'kill -9 of the checkpointer', sub { $self->strike('KILL', 'checkpointer') } ],
		[ 2, 'kill -9 of the WAL writer', sub { $self->strike('KILL', 'walwriter') } ],
		[ 8, 'SIGTERM to a worker', sub { $self->strike('TERM', 'worker') } ],
		[ 4, 'SIGTERM to all workers', sub { $self->strike_all('TERM', 'worker') } ],
		[ 4, 'SIGTERM to a client', sub { $self->strike('TERM', 'client') } ],
		[ 4, 'SIGTERM to the launcher', sub { $self->strike('TERM', 'launcher') } ],
		[ 2, 'SIGTERM to a janitor', sub { $self->strike('TERM', 'janitor') } ],
		[ 4, 'SIGINT to a worker', sub { $self->strike('INT', 'worker') } ],
		[ 4, 'SIGQUIT to a worker', sub { $self->strike('QUIT', 'worker') } ],
		[ 2, 'SIGQUIT to a client', sub { $self->strike('QUIT', 'client') } ],
		[ 2, 'SIGQUIT to the launcher', sub { $self->strike('QUIT', 'launcher') } ],
		[ 4, 'fast shutdown', sub { $self->shut_down('fast') } ],
		[ 4, 'immediate shutdown', sub { $self->shut_down('immediate') } ],
		[ 3, 'smart shutdown', sub { $self->shut_down('smart') } ],
		[ 3, 'kill -9 of the postmaster', sub { $self->kill_postmaster } ],
		[ 6, 'no memory for workers', sub { $self->starve('worker') } ],
		[ 4, 'no memory for clients', sub { $self->starve('client') } ],
		[ 2, 'no memory for the launcher', sub { $self->starve('launcher') } ]);

	push @faults, [ 8, 'disk full', sub { $self->fill_disk } ]
	  if defined SmallDisk::directory();
	$self->{faults} = \@faults;
	return $self;
}

# The next fault, in random order: first each of them once, then in proportion to
# their weights.  Returns its name if it struck: the victim may not be there.
sub next_fault
{
	my ($self) = @_;
	my $round = $self->{round} //= [];

	if (!@$round)
	{
		@$round = shuffle(map { ($_) x ($self->{rounds} ? $_->[0] : 1) }
			  @{ $self->{faults} });
		$self->{rounds}++;
	}
	my (undef, $name, $do) = @{ shift @$round };

	return undef if !$do->();
	$self->{count}{$name}++;
	return $name;
}

sub counts { return $_[0]->{count} }

# --- processes -------------------------------------------------------------

sub postmaster
{
	my ($self) = @_;
	my ($pid) = eval { slurp_file($self->{node}->data_dir . '/postmaster.pid') =~ /^(\d+)/ };

	return $pid;
}

# pids of the server's processes of a kind, or of all
sub processes
{
	my ($self, $kind) = @_;
	my $postmaster = $self->postmaster // return ();
	my @found;

	foreach my $proc (glob '/proc/[0-9]*')
	{
		my $stat  = eval { slurp_file("$proc/stat") }    // next;
		my $title = eval { slurp_file("$proc/cmdline") } // next;

		next if $stat !~ /\) \S $postmaster /;
		next if defined $kind && $title !~ $victims{$kind};
		push @found, $proc =~ /(\d+)$/;
	}
	return @found;
}

sub strike
{
	my ($self, $signal, $kind) = @_;
	my @pids = $self->processes($kind);

	return @pids && kill($signal, $pids[ rand @pids ]);
}

sub strike_all
{
	my ($self, $signal, $kind) = @_;
	my @pids = $self->processes($kind);

	return @pids && kill($signal, @pids);
}

# --- the server ------------------------------------------------------------

sub shut_down
{
	my ($self, $mode) = @_;
	my $away = "$self->{dir}/away";

	# A smart shutdown waits until the clients have gone by themselves.
	append_to_file($away, '') if $mode eq 'smart';
	$self->{node}->stop($mode);
	unlink $away;
	$self->start;
	return 1;
}

sub kill_postmaster
{
	my ($self) = @_;
	my @children = $self->processes;
	my $begun    = time;

	$self->{node}->kill9;
	# They notice by themselves.
	while (grep { kill 0, $_ } @children)
	{
		die 'processes survive the postmaster' if time - $begun > 60;
		usleep(10_000);
	}
	$self->start;
	return 1;
}

# Comes back with one of the two settings of step_commit that promise the same.
sub start
{
	my ($self) = @_;
	my $mode = rand(2) < 1 ? 'group' : 'on';

	$self->{node}->append_conf('postgresql.conf',
		"durable_singleton.step_commit = '$mode'\n");
	$self->{node}->start;
	return;
}

# --- memory and disk -------------------------------------------------------

# For a while the processes can have little more memory than they have.  The
# limit is that of data, which leaves the stack alone: a stack that cannot grow
# is not an error but a signal.
sub starve
{
	my ($self, $kind) = @_;
	my @pids = grep { $self->limit($_, int rand 600_000) } $self->processes($kind);

	usleep(200_000 + rand 800_000);
	$self->limit($_, undef) foreach @pids;
	return scalar @pids;
}

# extra: bytes above what the process has; undefined: as it was
sub limit
{
	my ($self, $pid, $extra) = @_;
	my $limit = 'unlimited';

	if (defined $extra)
	{
		my $status = eval { slurp_file("/proc/$pid/status") } // return 0;
		my ($has) = $status =~ /^VmData:\s+(\d+) kB/m or return 0;

		$limit = $has * 1024 + $extra;
	}
	return system("prlimit --pid $pid --data=$limit: 2>/dev/null") == 0;
}

sub fill_disk
{
	my ($self) = @_;

	SmallDisk::fill();
	usleep(300_000 + rand 1_000_000);
	SmallDisk::make_room();
	return 1;
}

1;
