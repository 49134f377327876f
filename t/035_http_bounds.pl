# The memory that clients make the gateway use is limited: bodies and answers,
# long polls of disconnected clients, headers that grow with the request.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use Gateway;
use IO::Select;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(SHUT_WR SOL_SOCKET SO_RCVBUF inet_aton pack_sockaddr_in);
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'the gateway was not built' if !-x sanitized_gateway();

my $node = new_server('main');
gateway_setup($node);
my $webhook = '/runtime/webhooks/durabletask';
my $busy = qr/Too many large requests are under way/;

#
# Bodies, also those of requests that wait for a connection
#
my $narrow = Gateway->start($node, options => [ '--connections', '1', '--body-limit', '200000' ]);
my $holder = $node->background_psql('postgres');
$holder->query_safe(q{SET SESSION AUTHORIZATION web; BEGIN; SELECT df_start_singleton('waits', 'held')});
my $large = '1' x 150_000;
my @sockets;
foreach (1 .. 40)
{
	my $socket = $narrow->connect;
	syswrite $socket, $narrow->request_bytes('POST', "$webhook/orchestrators/waits/held", body => "\"$large\"");
	push @sockets, $socket;
}
my $small = $narrow->connect;
syswrite $small, $narrow->request_bytes('POST', "$webhook/orchestrators/waits/held", body => '1');
# a refusal comes at once, all others when the holder's transaction has ended
my $refused = sub { scalar grep { IO::Select->new($_)->can_read(0) } @sockets };
my $until = time + 30;
select undef, undef, undef, 0.01 while $refused->() <= 10 && time < $until;
$holder->query_safe('ROLLBACK');
my %seen;
foreach (@sockets)
{
	my $answer = $narrow->read_answer($_);
	$seen{ $answer->{status} . ($answer->{body} =~ $busy ? ' busy' : '') }++;
}
cmp_ok($seen{'503 busy'} // 0, '>', 10, 'most of many large bodies are refused while the first wait');
is($seen{202} // 0, 1, 'one of the others starts');
unlike($narrow->read_answer($small)->{body}, $busy, 'a small one is not refused because of them');
is($narrow->api('POST', 'orchestrators/echo/later', body => "\"$large\"")->{status}, 202, 'later there is room again');
$narrow->stop;
$holder->quit;

#
# Answers that nobody reads
#
my $http = Gateway->start($node, options => [ '--body-limit', '2000000' ]);
is($http->api('POST', 'orchestrators/echo/big', json => 'x' x 1_999_000)->{status}, 202, 'a large input');
$http->wait_ended('big');
@sockets = map {
	my $socket = IO::Socket::INET->new(Proto => 'tcp') or die;
	setsockopt $socket, SOL_SOCKET, SO_RCVBUF, 4096;
	CORE::connect($socket, pack_sockaddr_in($http->{port}, inet_aton('127.0.0.1'))) or die;
	syswrite $socket, $http->request_bytes('GET', "$webhook/instances/big");
	$socket
} 1 .. 20;
ok(wait_for_answer(sub { $http->api('GET', 'instances/big')->{body} =~ $busy }), 'large answers that are not read: no more of them');
is($http->api('GET', 'instances/big?showInput=false')->{status}, 503, 'also for others');
is($http->api('POST', 'orchestrators/echo/little')->{status}, 202, 'small ones are served');
is($http->wait_ended('little')->{runtimeStatus}, 'Completed', 'all the time');
my $answer = $http->api('POST', 'orchestrators/echo/big2?timeout=30&pollingInterval=1', json => 'x' x 1_999_000);
is($answer->{status}, 202, 'a start whose output is too much at the moment is answered like one that has not ended');
close $_ foreach @sockets;
ok(wait_for_answer(sub { $http->api('GET', 'instances/big')->{status} == 200 }), 'when they are gone, there is room again');

sub wait_for_answer
{
	my ($test) = @_;
	my $end = time + 30;

	while (time < $end)
	{
		return 1 if $test->();
	}
	return 0;
}

#
# Long polls of clients that have left, or closed their half
#
my $target = "$webhook/orchestrators/waits";
my $socket = $http->connect;
syswrite $socket, $http->request_bytes('POST', "$target/left?timeout=3000&pollingInterval=1", body => '');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM df_instances WHERE instance_id = 'left'}), 'a long poll');
close $socket;
ok($http->wait_for_log(qr{orchestrators/waits/left 202}), 'is over when the client has left');
$socket = $http->connect;
syswrite $socket, $http->request_bytes('POST', "$target/half?timeout=3000&pollingInterval=1", body => '');
shutdown $socket, SHUT_WR;
is($http->read_answer($socket)->{status}, 202, 'one who has closed his half gets the answer of a start');

#
# Headers that grow with the request
#
$http->api('POST', 'orchestrators/waits/live');
foreach my $length (1000, 4000, 8000, 10000, 12000, 14000, 16000, 20000, 24000, 28000, 30000, 31000, 31500, 32000, 40000)
{
	$answer = $http->api('GET', 'instances/live?a=' . 'b' x $length);
	like($answer->{status}, qr/^(?:202|414)$/, "a status whose Location has $length characters is answered");
	is(length($answer->{header}{location} // ''), length("$http->{origin}$webhook/instances/live?a=") + $length, 'in full')
	  if $answer->{status} == 202;
	my $hub = $http->api('POST', "orchestrators/echo/hub$length?taskHub=" . '%7B' x ($length / 3));
	like($hub->{status}, qr/^(?:202|414)$/, "and so is a start with as long a task hub");
	$hub = $http->api('POST', "orchestrators/echo/pipe$length?taskHub=" . '|' x $length);
	like($hub->{status}, qr/^(?:202|400|414)$/, "also of characters that grow in links");
	is($node->safe_psql('postgres', "SELECT count(*) FROM df_instances WHERE instance_id = 'pipe$length'"),
		$hub->{status} == 202 ? 1 : 0, 'and 202 means that it was started');
}
my $hub = '%7B' x 2400;
foreach my $n (10, 100, 255, 257, 500, 1000, 1500, 3000)
{
	my %many = (
		headers    => [ "?taskHub=$hub", { map { ("H$_" => 1) } 1 .. $n } ],
		cookies    => [ "?taskHub=$hub", { Cookie => 'a=b; ' x $n } ],
		parameters => [ '?taskHub=' . substr($hub, 0, 7800 - 2 * $n) . '&a' x $n, {} ]);
	foreach my $what (sort keys %many)
	{
		my ($query, $header) = @{ $many{$what} };
		next if length $query > 8000;
		$answer = $http->api('POST', "orchestrators/echo/$what$n$query", header => $header, body => '');
		like($answer->{status}, $n <= 255 - 5 ? qr/^202$/ : qr/^(?:202|431|0)$/, "$n $what");
		is($node->safe_psql('postgres', "SELECT count(*) FROM df_instances WHERE instance_id = '$what$n'"),
			$answer->{status} == 202 ? 1 : 0, "and with $n $what, 202 means that it was started");
	}
}
like($http->api('GET', 'instances/live', header => { Padding => 'x' x 31000 })->{status}, qr/^(?:202|431)$/, 'a header nearly as large as may be');

$http->stop;
finish($node);
done_testing();
