# One client of the torture: calls at random, again and again, and writes down,
# outside of the database, what it was told.
#
# Arguments: connection string, role, its number, seed, directory.  It ends when
# there is a file "stop" in the directory, and keeps away from the server while
# there is a file "away".  Its log is the file "told.N", a row for table told.
use strict;
use warnings;
use IO::Handle;
use IPC::Open2;
use Time::HiRes qw(time usleep);

my ($connstr, $role, $client, $seed, $dir) = @ARGV;
my ($to, $from, $pid);
my $n = 0;

srand($seed);
$SIG{PIPE} = 'IGNORE';
$SIG{ALRM} = sub { die "client $client: no answer for two minutes\n" };
open(my $log, '>', "$dir/told.$client") or die "told.$client: $!";
$log->autoflush(1);

my @orchestrators = qw(chain fan eternal family flaky);
my @operations    = (
	[ 22, \&start,   'start' ],
	[ 4,  \&start,   'start_terminate', ", on_conflict => 'terminate'" ],
	[ 4,  \&start,   'start_error', ", on_conflict => 'error'" ],
	[ 3,  \&start,   'start_reuse', ", reuse => '{Completed}'" ],
	[ 3,  \&start,   'start_later', ", start_at => now() + '50 ms'" ],
	[ 4,  \&undone,  'start', 'ROLLBACK' ],
	[ 3,  \&undone,  'start', 'ROLLBACK TO s; COMMIT' ],
	[ 2,  \&undone,  'event', 'ROLLBACK' ],
	[ 3,  \&prepared ],
	[ 2,  \&call,    'restart', 'df_restart(%s, false)' ],
	[ 18, \&event ],
	[ 5,  \&call,    'terminate', 'df_terminate(%s)' ],
	[ 3,  \&call,    'terminate', 'df_terminate(%s)', '/kid' ],
	[ 5,  \&call,    'suspend',   'df_suspend(%s)' ],
	[ 2,  \&call,    'suspend',   'df_suspend(%s)', '/kid' ],
	[ 9,  \&call,    'resume',    'df_resume(%s)' ],
	[ 4,  \&call,    'resume',    'df_resume(%s)', '/kid' ],
	[ 6,  \&call,    'rewind',    'df_rewind(%s)' ],
	[ 4,  \&call,    'purge',     'purge_keeping(%s)' ],
	[ 10, \&status,  'status',    'df_get_status(%s)' ],
	[ 6,  \&status,  'wait',      "df_wait_for_completion(%s, '100 ms')" ],
	[ 5,  \&run ]);
my $weight = 0;
$weight += $_->[0] foreach @operations;

my $parent = getppid;

until (-e "$dir/stop" || getppid != $parent)
{
	if (-e "$dir/away")
	{
		disconnect();
		usleep(20_000);
		next;
	}
	if (!connect_once())
	{
		usleep(50_000);
		next;
	}
	my $dice = rand($weight);
	foreach (@operations)
	{
		my ($share, $do, @argument) = @$_;

		next if ($dice -= $share) >= 0;
		$do->(@argument);
		last;
	}
	usleep(rand 8_000);
}
disconnect();
exit 0;

# --- operations ------------------------------------------------------------

# Mostly one of the four that this role's clients like best: an id that another
# role owns only answers that it does.
sub some_id
{
	my ($suffix) = @_;
	my $first = 4 * int(($client - 1) / 2);
	my $id    = rand() < 0.75 ? $first + int rand 4 : int rand 12;

	return 'id ' . ($id + 1) . ($suffix // '');
}

# unique, in the input of what is started and in the data of events
sub new_token { return "$client-" . $n++ }

sub start_call
{
	my ($id, $token, $option) = @_;

	return sprintf "SELECT df_start_singleton('%s', '%s', '{\"token\": \"%s\"}'%s)",
	  $orchestrators[ rand @orchestrators ], $id, $token, $option // '';
}

sub start
{
	my ($op, $option) = @_;
	my ($id, $token) = (some_id(), new_token());
	my ($state, $answer) = ask(start_call($id, $token, $option));

	told($op, $id, $token, outcome($state, $answer eq 't'), $state);
	return;
}

# What is rolled back never happened, whether the answer came or not.
sub undone
{
	my ($op, $end) = @_;
	my ($id, $token) = (some_id(), new_token());
	my $call = $op eq 'event' ? event_call($id, $token) : start_call($id, $token);
	my ($state) = ask("BEGIN; SAVEPOINT s; $call; $end");

	told($op, $id, $token, 'no', $state);
	return;
}

# A prepared start is committed at last, over as many connections as it takes.
sub prepared
{
	my ($id, $token) = (some_id(), new_token());
	my ($state, $answer) = ask(
		start_call($id, $token) . " AS started \\gset\n",
		before => "\\unset started\nBEGIN;\n",
		after  => "\\echo :started\nPREPARE TRANSACTION '$token';");
	my $outcome = $answer eq 't' ? 'yes' : $answer eq 'f' ? 'no' : 'unknown';
	my $sent    = 0;

	while (getppid == $parent)
	{
		my ($there, $count);

		if (!connect_once())
		{
			usleep(50_000);
			next;
		}
		($there, $count) =
		  ask("SELECT count(*) FROM pg_prepared_xacts WHERE gid = '$token'");
		next if $there ne '00000';
		last if $count eq '0';
		# from here on it may be gone because we have committed it
		ask("COMMIT PREPARED '$token'");
		$sent = 1;
	}
	told('start_prepared', $id, $token, $sent ? $outcome : 'no', $state);
	return;
}

sub event_call
{
	my ($id, $token) = @_;

	return "SELECT df_raise_event('$id', 'go', '\"$token\"')";
}

sub event
{
	my ($id, $token) = (some_id(), new_token());
	my ($state) = ask(event_call($id, $token));

	told('event', $id, $token, outcome($state, 1), $state);
	return;
}

sub call
{
	my ($op, $call, $suffix) = @_;
	my $id = some_id($suffix);
	my ($state) = ask('SELECT ' . sprintf($call, "'$id'"));

	told($op, $id, '\N', outcome($state, 1), $state);
	return;
}

sub status
{
	my ($op, $call) = @_;
	my $id = some_id();
	my ($state, $answer) = ask('SELECT execution_id, runtime_status,'
		  . ' md5(output::text) FROM ' . sprintf($call, "'$id'"));
	my ($execution, $status, $md5) = split /\|/, $answer, -1;

	told($op, $id, '\N', outcome($state, 1), $state,
		map { length($_ // '') ? $_ : '\N' } $execution, $status, $md5)
	  if $state eq '00000';
	return;
}

# this session executes steps itself
sub run
{
	my ($state) = ask('CALL df_run(20)');

	told('run', '-', '\N', outcome($state, 1), $state);
	return;
}

# --- what is told ----------------------------------------------------------

# Nobody knows what became of a statement whose answer did not come.
sub outcome
{
	my ($state, $done) = @_;

	return 'unknown' if $state eq '' || $state =~ /^(08|57P)/;
	return $state eq '00000' && $done ? 'yes' : 'no';
}

sub told
{
	my ($op, $id, $token, $outcome, $state, @status) = @_;

	$state = '\N' if $state eq '';
	@status = ('\N') x 3 if !@status;
	print $log join("\t", $client, $n++, $op, $id, $token, $outcome, $state, @status),
	  "\n";
	return;
}

# --- the session -----------------------------------------------------------

# True if there is a session, perhaps a new one.
sub connect_once
{
	return 1 if defined $pid;
	# errors come with the SQLSTATE; what else the server says is in its log
	$pid = open2($from, $to, 'sh', '-c', 'exec psql -XAtq -d "$1" 2>/dev/null',
		'sh', "$connstr user=$role");
	my ($state) = ask("SET lock_timeout = '2s'; SET statement_timeout = '20s'");
	return $state eq '00000';
}

sub disconnect
{
	return if !defined $pid;
	close $to;
	close $from;
	waitpid $pid, 0;
	undef $_ foreach $pid, $from, $to;
	return;
}

# Runs a statement; returns its SQLSTATE, empty if the connection was lost
# before, and the last line that it printed.
sub ask
{
	my ($sql, %around) = @_;
	my @lines;

	return ('', '') if !defined $pid;
	$sql .= ';' if $sql !~ /\n\z/;
	print $to ($around{before} // ''), $sql, "\n", ($around{after} // ''),
	  "\n\\echo =done :SQLSTATE\n";
	$to->flush;
	alarm 120;
	while (defined(my $line = <$from>))
	{
		chomp $line;
		if ($line =~ /^=done (\w*)$/)
		{
			# psql has no code for a lost connection, and makes a new one
			last if $1 eq '';
			alarm 0;
			return ($1, $lines[-1] // '');
		}
		push @lines, $line;
	}
	alarm 0;
	disconnect();
	return ('', '');
}
