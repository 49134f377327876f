# No request over HTTP is lost while the database restarts or a connection
# dies: each is answered, with 202 only for committed work.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use Gateway;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

plan skip_all => 'the gateway was not built' if !-x sanitized_gateway();

my $node = new_server('main', conf => "wal_level = replica\nmax_wal_senders = 2\n");
gateway_setup($node);
my $http = Gateway->start($node);

# Posts starts until told to stop, from some connections side by side, and
# returns how each was answered: id => status.
sub post_while
{
	my ($round, $action) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir;
	my @children;

	foreach my $child (1 .. 8)
	{
		my $pid = fork // die;
		if ($pid == 0)
		{
			open my $file, '>', "$folder/$round.$child" or POSIX::_exit(1);
			my $socket = $http->connect;
			for (my $n = 1; !-e "$folder/$round.stop"; $n++)
			{
				my $id = "$round-$child-$n";
				syswrite $socket, $http->request_bytes('POST', "/api/orchestrators/echo/$id", body => $n);
				my $answer = $http->read_answer($socket, 60);
				print $file "$id $answer->{status} " . ($answer->{header}{'retry-after'} // '') . "\n";
				last if $answer->{status} == 0;
				sleep 0.002 if $answer->{status} == 503;
			}
			close $file;
			POSIX::_exit(0);
		}
		push @children, $pid;
	}
	$action->();
	open my $stop, '>', "$folder/$round.stop" or die;
	close $stop;
	waitpid $_, 0 foreach @children;
	return map { /^(\S+) (\d+ ?\d*)/ ? ($1 => $2) : () }
	  map { split /\n/, slurp_file("$folder/$round.$_") } 1 .. 8;
}

sub check_answers
{
	my ($round, %answer) = @_;
	my %count;
	my %there = map { $_ => 1 } split /\n/, $node->safe_psql('postgres',
		"SELECT instance_id FROM df_instances WHERE instance_id LIKE '$round-%'");

	$count{$_}++ foreach values %answer;
	note join ', ', map { "$count{$_} times $_" } sort keys %count;
	my @odd = grep { !/^(?:202 10|503 \d+)$/ } keys %count;
	is("@odd", '', "$round: each start is answered, with 202 or 503");
	cmp_ok($count{'202 10'}, '>', 20, "$round: many with 202");
	my @lost = grep { $answer{$_} eq '202 10' && !$there{$_} } sort keys %answer;
	is("@lost", '', "$round: what is 202 is there");
	my @more = grep { $answer{$_} ne '202 10' && $there{$_} } sort keys %answer;
	is("@more", '', "$round: what is 503 is not");
	return %count;
}

my $working = sub {
	my $until = time + 30;
	my $n = $node->safe_psql('postgres', 'SELECT count(*) FROM df_instances');
	$node->poll_query_until('postgres', "SELECT count(*) > $n + 100 FROM df_instances")
	  or die 'no more starts come in';
};
foreach my $mode ('fast', 'immediate')
{
	my %count = check_answers($mode, post_while($mode, sub {
		foreach (1 .. 3)
		{
			$working->();
			$node->stop($mode);
			# down for a while: the gateway has to answer without a database
			sleep 0.3;
			$node->start;
		}
		$working->();
	}));
	cmp_ok(scalar(grep { /^503/ } keys %count), '>', 0, "$mode: and some were refused meanwhile");
}

check_answers('killed', post_while('killed', sub {
	foreach (1 .. 10)
	{
		$working->();
		$node->safe_psql('postgres',
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web' AND backend_type = 'client backend'");
	}
	$working->();
}));

#
# A connection that dies inside COMMIT
#
# A synchronous standby that does not exist holds every commit, which is done
# already here; the session that waits is ended, so its client is told nothing.
$node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = 'nobody'});
$node->reload;
ok($node->poll_query_until('postgres', q{SELECT current_setting('synchronous_standby_names') = 'nobody'}), 'no commit ends');
my $socket = $http->connect;
syswrite $socket, $http->request_bytes('POST', '/api/orchestrators/waits/doubt', body => 1);
my $waiting = q{FROM pg_stat_activity WHERE usename = 'web' AND wait_event = 'SyncRep' AND backend_type = 'client backend'};
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 $waiting"), 'the commit of a start hangs');
my $log_length = length $http->log;
is($node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) $waiting"), 't', 'its session is ended');
is($http->read_answer($socket)->{status}, 202, 'the start is 202 all the same');
like(substr($http->log, $log_length), qr/lost during its commit: committed/, 'because the gateway has asked');

# When the database does not tell, the answer is that nobody knows.
$node->safe_psql('postgres', q{SET synchronous_commit = off; REVOKE EXECUTE ON FUNCTION durable_singleton.http_fate FROM PUBLIC, web});
$socket = $http->connect;
syswrite $socket, $http->request_bytes('POST', '/api/orchestrators/waits/untold', body => 1);
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 $waiting"), 'the commit of another start hangs');
is($node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) $waiting"), 't', 'its session is ended');
my $untold = $http->read_answer($socket);
is($untold->{status}, 500, 'who may not ask for its fate answers 500');
like($untold->{body}, qr/not known/, 'and does not say that nothing was done');
is($node->safe_psql('postgres', q{SELECT count(*) FROM df_instances WHERE instance_id = 'untold'}), 1, 'since it was');
$node->safe_psql('postgres', q{SET synchronous_commit = off; GRANT EXECUTE ON FUNCTION durable_singleton.http_fate TO web});

# A gateway that is to end does not wait for ever for a commit that hangs.
my $ending = Gateway->start($node);
$socket = $ending->connect;
syswrite $socket, $ending->request_bytes('POST', '/api/orchestrators/waits/ending', body => 1);
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 $waiting"), 'the commit of another start hangs');
kill 'TERM', $ending->{pid};
my $last = $ending->read_answer($socket);
is($last->{status}, 500, 'SIGTERM: it is answered in the end');
like(decode($last->{body})->{ExceptionMessage}, qr/not known/, 'with the truth');
$ending->stop;
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) $waiting");

$node->safe_psql('postgres', q{ALTER SYSTEM RESET synchronous_standby_names});
$node->reload;
is($node->safe_psql('postgres', q{SELECT runtime_status IN ('Pending', 'Running') FROM df_get_status('doubt')}), 't', 'and it is there');

#
# While the database is away, and what is missing in it
#
$node->stop('fast');
ok($http->wait_for_log(qr/database: /), 'the gateway notices');
my $answer = $http->api('GET', 'instances/doubt');
is("$answer->{status} " . ($answer->{header}{'retry-after'} // ''), '503 2', 'away: 503 and Retry-After');
like(decode($answer->{body})->{ExceptionMessage}, qr/nothing was done/, 'with a body that clients can read');
is($http->api('GET', 'nothing')->{status}, 404, 'what needs no database is answered');
$node->start;

# Asks until it is answered as wanted.
sub comes_to
{
	my ($wanted, $name) = @_;
	my $until = time + 30;
	my $status;

	do
	{
		$status = $http->api('GET', 'instances/doubt')->{status};
	} while ($status != $wanted && time < $until);
	is($status, $wanted, $name);
	return;
}
comes_to(202, 'it comes back by itself');
# None may be preparing its statements at this moment.
ok($node->poll_query_until('postgres', q{SELECT count(*) = 16 FROM pg_stat_activity
	WHERE usename = 'web' AND backend_type = 'client backend' AND state = 'idle' AND query LIKE '%http_%'}),
	'with all of its connections');
$node->safe_psql('postgres', 'DROP EXTENSION durable_singleton');
comes_to(503, 'without the extension: 503');
$node->safe_psql('postgres', q{
	CREATE EXTENSION durable_singleton; SELECT df_grant_usage('web'); SELECT df_expose_http('echo')});
comes_to(404, 'with a new one it works again');
is($http->api('POST', 'orchestrators/echo/new')->{status}, 202, 'in full');
$node->safe_psql('postgres', q{SELECT df_revoke_usage('web')});
is($http->api('POST', 'orchestrators/echo/new2')->{status} =~ /^(?:202|5\d\d|40[03])$/, 1, 'without rights it answers');
$node->safe_psql('postgres', q{SELECT df_grant_usage('web')});
comes_to(404, 'and again with them');

# A standby serves what only reads.
$node->safe_psql('postgres', q{ALTER ROLE web SET default_transaction_read_only = on;
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web' AND backend_type = 'client backend'});
comes_to(404, 'read only: reads');
$answer = $http->api('POST', 'orchestrators/echo/standby');
is($answer->{status}, 503, 'and starts are 503');

# Of several hosts one may be silent: here a socket at which nobody accepts.
my $silent = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die;
my $several = Gateway->start($node,
	dsn => sprintf('host=127.0.0.1,%s port=%d,%d dbname=postgres user=web connect_timeout=1',
		$node->host, $silent->sockport, $node->port));
my $until = time + 60;
do { $answer = $several->api('GET', 'instances/nobody') } while ($answer->{status} != 404 && time < $until);
is($answer->{status}, 404, 'a host that does not answer is not the last that is tried');
$several->stop;

$http->stop;
finish($node);
done_testing();
