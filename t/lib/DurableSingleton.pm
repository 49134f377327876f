# Shared by the TAP tests: a server with the extension, measured statements,
# waits on instances and workers.
package DurableSingleton;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(dirname);
use File::Copy qw(copy);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

our @EXPORT = qw(new_server create_database rescan_off timed error_of
  wait_ended wait_status wait_in_activity wait_still start_psql strikes median finish
  build_module in_full at_full_speed lose_machine measured);

# True if ./test was told to take its time.
sub in_full { return $ENV{TEST_ALL} }

# True unless server or extension were built to find mistakes, not to be fast.
sub at_full_speed
{
	my ($node) = @_;

	return !$ENV{TEST_MODE} && $node->safe_psql('postgres', 'SHOW debug_assertions') eq 'off';
}

# A figure, which ./test shows.
sub measured
{
	my ($text) = @_;

	note "measured: $text";
	return;
}

# A server that preloads the extension, with the extension in "postgres".
# conf: more lines for postgresql.conf; init: arguments of Cluster's init.
sub new_server
{
	my ($name, %param) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%{ $param{init} // {} });
	$node->append_conf(
		'postgresql.conf', qq{
shared_preload_libraries = 'durable_singleton'
log_statement = none
} . ($param{conf} // ''));
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION durable_singleton');
	return $node;
}

sub create_database
{
	my ($node, $database) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION durable_singleton');
	return;
}

# Stretches the rescan so far that whatever happens afterwards happens by a
# hint.
sub rescan_off
{
	my ($node) = @_;

	my $longest = $node->safe_psql('postgres', q{
		SELECT max_val || coalesce(unit, '') FROM pg_settings
		WHERE name = 'durable_singleton.rescan_interval'});
	$node->safe_psql('postgres',
		"ALTER SYSTEM SET durable_singleton.rescan_interval = '$longest'");
	$node->reload;
	$node->poll_query_until('postgres', q{
		SELECT setting = max_val FROM pg_settings
		WHERE name = 'durable_singleton.rescan_interval'})
	  or die 'rescan_interval did not change';
	return;
}

# Runs statements in one session; returns what they print and how many
# milliseconds the session needed for them.
sub timed
{
	my ($node, $database, $sql, %param) = @_;
	my $output = $node->safe_psql(
		$database, qq{
SELECT clock_timestamp() AS begun \\gset
$sql;
SELECT round(extract(epoch FROM clock_timestamp() - :'begun') * 1000, 1);
}, %param);
	my ($result, $milliseconds) = $output =~ /\A(?:(.*)\n)?([\d.]+)\z/s
	  or die "unexpected output: $output";

	return ($result // '', $milliseconds);
}

# SQLSTATE, message and hint of a statement that must fail; all empty when it
# does not.
sub error_of
{
	my ($node, $database, $sql, %param) = @_;
	my ($ret, $stdout, $stderr) =
	  $node->psql($database, "\\set VERBOSITY verbose\n$sql", %param);
	my ($sqlstate, $message) = $stderr =~ /(?:ERROR|FATAL):  (\w{5}): (.*)/;
	my ($hint) = $stderr =~ /^HINT:  (.*)/m;

	return ($sqlstate // '', $message // '', $hint // '');
}

# What may befall workers, by name: functions that are called with the pid of
# a worker that is at work.
sub strikes
{
	my ($node) = @_;

	return (
		'kill -9' => sub {
			my ($pid) = @_;
			my $mark = -s $node->logfile;

			kill 'KILL', $pid;
			$node->wait_for_log(qr/$pid\) was terminated by signal 9/, $mark);
		},
		'immediate shutdown' => sub {
			$node->stop('immediate');
			$node->start;
		},
		'pg_terminate_backend' => sub {
			is( $node->safe_psql('postgres',
					'SELECT bool_and(pg_terminate_backend(pid)) FROM df_stat_workers'),
				't', 'all workers are told to go');
		});
}

# The machine is lost, with all that runs there: a session that never sleeps
# would not notice that the postmaster is gone.  The server's shared memory is
# lost as well: else it stayed until the next start.
sub lose_machine
{
	my ($node) = @_;
	my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
	my @processes = ($postmaster);
	my %memory;

	kill 'STOP', $postmaster;
	foreach my $file (glob '/proc/[0-9]*/stat')
	{
		my ($pid, $parent) = (eval { slurp_file($file) } // '') =~ /^(\d+) \(.*\) \S (\d+) /s;

		push @processes, $pid if defined $parent && $parent == $postmaster;
	}
	foreach my $pid (@processes)
	{
		my $maps = eval { slurp_file("/proc/$pid/maps") } // '';

		$memory{$_}++ foreach $maps =~ m!(/dev/shm/PostgreSQL\.\d+)!g;
	}
	kill 'KILL', @processes;
	$node->kill9;
	# until somebody has reaped it, a dead postmaster passes for a running one
	unlink keys %memory, $node->data_dir . '/postmaster.pid';
	return;
}

# While a server recovers from a crash, psql ends before it has read the query;
# 15's poll_query_until() then dies of the broken pipe instead of trying again.
# And a wait must not fail unnoticed: one whose result is not asked for dies.
{
	no warnings 'redefine';
	my $poll = \&PostgreSQL::Test::Cluster::poll_query_until;

	*PostgreSQL::Test::Cluster::poll_query_until = sub {
		my @arguments = @_;

		for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
		{
			my $result = eval { $poll->(@arguments) };
			die "it never comes to: $arguments[2]" if $@ eq '' && !$result && !defined wantarray;
			return $result if $@ eq '';
			die $@ unless $@ =~ /Broken pipe/;
			usleep(100_000);
		}
		return 0;
	};
}

# Waits until the instances whose ids are like the pattern have all ended.
sub wait_ended
{
	my ($node, $database, $pattern) = @_;

	return $node->poll_query_until($database, qq{
		SELECT count(*) > 0 AND bool_and(runtime_status
			IN ('Completed', 'Failed', 'Terminated'))
		FROM df_instances WHERE instance_id LIKE '$pattern'});
}

sub wait_status
{
	my ($node, $database, $id, $status) = @_;

	return $node->poll_query_until($database,
		"SELECT runtime_status FROM df_get_status('$id')", $status);
}

# Waits until a worker sits in an activity of the instance: asleep, or at an
# advisory lock.
sub wait_in_activity
{
	my ($node, $database, $id) = @_;

	return $node->poll_query_until($database, qq{
		SELECT count(*) = 1
		FROM df_stat_workers w JOIN pg_stat_activity a USING (pid)
		WHERE w.instance_id = '$id' AND w.database = current_database()
			AND a.wait_event IN ('PgSleep', 'advisory')});
}

# Waits until a query has given the same for four seconds, at most a minute;
# returns what that is, or undef.
sub wait_still
{
	my ($node, $sql) = @_;
	my $begun = time;
	my ($since, $result) = ($begun, $node->safe_psql('postgres', $sql));

	while (time - $since < 4)
	{
		return undef if time - $begun > 60;

		usleep(250_000);
		my $now = $node->safe_psql('postgres', $sql);
		($since, $result) = (time, $now) if $now ne $result;
	}
	note sprintf 'still after %.1f s', $since - $begun;
	return $result;
}

# A psql that executes a script file on its own; its output goes to a file.
sub start_psql
{
	my ($node, $database, $script, $output, @option) = @_;

	return IPC::Run::start(
		[
			$node->installed_command('psql'), '-XAtq',
			'-d', $node->connstr($database),
			'-v', 'VERBOSITY=sqlstate',
			@option, '-f', $script
		],
		'<', \undef, '>', $output, '2>', "$output.err");
}

# Builds t/modules/NAME; returns the path of the library, for AS '...'.
sub build_module
{
	my ($node, $name) = @_;
	my $source = dirname(__FILE__) . "/../modules/$name";
	my $dir = PostgreSQL::Test::Utils::tempdir($name);

	copy($_, $dir) or die "$_: $!" foreach glob "$source/*";
	system_or_bail('make', '-s', '-C', $dir, 'with_llvm=no',
		'PG_CONFIG=' . $node->config_data('--bindir') . '/pg_config');
	return "$dir/$name";
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;

	return $sorted[ @sorted / 2 ];
}

# Stops the server and searches its log for what must never stand there.
# crashes => 1: the test made processes crash.
sub finish
{
	my ($node, %param) = @_;
	my $name = $node->name;

	local $Test::Builder::Level = $Test::Builder::Level + 1;

	$node->stop;
	my @bad = grep {
		/TRAP:|PANIC|reference leak|snapshot .* still active|refcount leak|cache leak/
		  || (!$param{crashes} && /terminated by signal (?!9:)/)
	} split /\n/, slurp_file($node->logfile);
	is(join("\n", @bad), '', "no leak and no crash in the log of $name");
	return;
}

1;
