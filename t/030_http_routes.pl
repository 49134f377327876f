# The gateway answers every route of the HTTP management API, status by status.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use Gateway;
use IO::Select;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'the gateway was not built' if !-x sanitized_gateway();

my $node = new_server('main');
gateway_setup($node);
my $http = Gateway->start($node);
my $base = "$http->{origin}/runtime/webhooks/durabletask";
my $query = 'taskHub=postgres&connection=Storage';

sub is_empty
{
	my ($answer, $status, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$answer->{status} <$answer->{body}>", "$status <>", $name);
	return;
}

sub is_refused
{
	my ($answer, $status, $message, $exception, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($answer->{status}, $status, $name) or return;
	like($answer->{header}{'content-type'}, qr/^application\/json/, "$name: JSON");
	my $body = decode($answer->{body});
	is($body->{Message}, $message, "$name: its message");
	like($body->{ExceptionMessage}, $exception, "$name: the reason");
	return;
}

my $incorrect = 'One or more of the arguments submitted is incorrect';
my $wrong = 'Something went wrong while processing your request';

#
# Start
#
my $answer = $http->api('POST', 'orchestrators/waits/one', json => { a => 1 });
is($answer->{status}, 202, 'a start is accepted');
my %links = (
	id                    => 'one',
	statusQueryGetUri     => "$base/instances/one?$query",
	sendEventPostUri      => "$base/instances/one/raiseEvent/{eventName}?$query",
	terminatePostUri      => "$base/instances/one/terminate?reason={text}&$query",
	purgeHistoryDeleteUri => "$base/instances/one?$query",
	restartPostUri        => "$base/instances/one/restart?$query",
	suspendPostUri        => "$base/instances/one/suspend?reason={text}&$query",
	resumePostUri         => "$base/instances/one/resume?reason={text}&$query");
is_deeply(decode($answer->{body}), \%links, 'its body has the links, without rewind');
is($answer->{header}{location}, $links{statusQueryGetUri}, 'and so has Location');
is($answer->{header}{'retry-after'}, 10, 'Retry-After of a start');
is($answer->{header}{'content-type'}, 'application/json; charset=utf-8', 'Content-Type');
is_deeply(decode($node->safe_psql('postgres',
			"SELECT df_create_check_status_response('one', '$http->{origin}')")),
	\%links, 'SQL gives the same');
is_deeply(decode($node->safe_psql('postgres',
			"SELECT df_create_http_management_payload('one', '$base/', 'hub', 'c', 'k y') - 'id'")),
	{
		(map { $_ => $links{$_} =~ s/\Q$query\E/taskHub=hub&connection=c&code=k%20y/r }
			  grep { $_ ne 'id' } keys %links),
		rewindPostUri => "$base/instances/one/rewind?reason={text}&taskHub=hub&connection=c&code=k%20y"
	},
	'and the management payload, with rewind');

is_refused($http->api('POST', 'orchestrators/waits/one'), 409, $wrong,
	qr/^An Orchestration instance with the status (Running|Pending) already exists\.$/,
	'a second start');
is_refused($http->api('POST', 'orchestrators/nothing/x'), 400, $incorrect,
	qr/^The function 'nothing' doesn't exist, is disabled, or is not an orchestrator function/,
	'an unknown function');
is_refused($http->api('POST', 'orchestrators/echo/x', body => '{"a'), 400,
	'Invalid JSON content', qr/./, 'a body that is not JSON');
foreach my $id ('@x', 'a%2Fb', 'a%5Cb', 'a%23b', 'a%3Fb', 'a%0Ab', 'a%01b', 'a%7Fb', '%2E%2E', 'x' x 257)
{
	is_refused($http->api('POST', "orchestrators/echo/$id"), 400, $incorrect,
		qr/./, 'the id ' . substr($id, 0, 10));
}
$answer = $http->api('POST', 'orchestrators/echo/' . ('y' x 256));
is($answer->{status}, 202, 'an id of 256 bytes');
foreach my $path ('orchestrators/echo', 'orchestrators/echo/')
{
	$answer = $http->api('POST', $path, body => '');
	like(decode($answer->{body})->{id}, qr/^[0-9a-f]{32}$/, "$path: an id is made");
}
is($http->api('POST', 'Orchestrators/echo/over', json => 1)->{status}, 202, 'words in any case');
is($http->wait_ended('over')->{output}, 1, 'it has run');
is($http->api('POST', 'orchestrators/echo/over', json => 2)->{status}, 202, 'a start over an ended one');
is($http->wait_ended('over')->{output}, 2, 'which has run again');
is($http->request('POST', '/durabletask/orchestrators/echo/rpc?version=1',
		body => '""', header => { 'Content-Type' => 'text/plain' })->{status},
	202, 'the other prefix; the type of a start does not matter');
is($http->wait_ended('rpc')->{input}, '', 'two quotes are an empty string');
is($http->request('POST', '/durabletask/orchestrators/echo/rpc2')->{header}{location},
	"$base/instances/rpc2?$query", 'links are those of the webhook');
is($http->api('POST', 'orchestrators/echo/twice', json => encode({ a => 1 }))->{status}, 202,
	'JSON encoded twice');
is($http->wait_ended('twice')->{input}, '{"a":1}', 'is a string, as there');

# waiting for the end
my $start = time;
$answer = $http->api('POST', 'orchestrators/echo/wait?timeout=20&pollingInterval=1', json => [ 1, 2 ]);
is("$answer->{status} $answer->{body}", '200 [1, 2]', 'timeout and pollingInterval: the bare output');
cmp_ok(time - $start, '<', 15, 'as soon as it is there');
$answer = $http->api('POST', 'orchestrators/echo/wait?timeout=20&pollingInterval=1');
is("$answer->{status} $answer->{body}", '200 null', 'of an output that is null');
$answer = $http->api('POST', 'orchestrators/fails/waitfail?timeout=20&pollingInterval=.5');
is("$answer->{status} " . decode($answer->{body})->{runtimeStatus}, '200 Failed', 'the status of a failed one');
$answer = $http->api('POST', 'orchestrators/waits/waitlong?timeout=0.3&pollingInterval=0.1');
is($answer->{status}, 202, 'not ended in time');
is(decode($answer->{body})->{id}, 'waitlong', 'has the answer of a start');
is($http->api('POST', 'orchestrators/waits/waitnot?timeout=5')->{status}, 202, 'timeout alone does not count');
is_refused($http->api('POST', 'orchestrators/echo/waitbad?timeout=1&pollingInterval=2'), 400,
	$incorrect, qr/pollingInterval/, 'an interval above the timeout');
is_empty($http->api('GET', 'instances/waitbad'), 404, 'nothing was started then');

#
# Status
#
$answer = $http->request('GET', '/runtime/webhooks/durabletask/instances/one?showInput=False&taskHub=x');
is($answer->{status}, 202, 'status of a running one');
is($answer->{header}{location}, "$base/instances/one?showInput=False&taskHub=x", 'Location is the URL');
is($answer->{header}{'retry-after'}, 5, 'Retry-After of a status');
my $status = decode($answer->{body});
is_deeply([ sort keys %$status ],
	[qw(createdTime customStatus input instanceId lastUpdatedTime name output runtimeStatus)],
	'all keys, and no history');
is($status->{input}, undef, 'without the input');
like($status->{createdTime}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'times in whole seconds');
ok(wait_status($node, 'postgres', 'one', 'Running'), 'it runs');
ok($node->poll_query_until('postgres',
		"SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'one'"),
	'and waits');
$status = decode($http->api('GET', 'instances/one?showHistory=TRUE')->{body});
is_deeply([ @$status{qw(name runtimeStatus customStatus)} ], [qw(waits Running waiting)], 'name, status, custom status');
is_deeply($status->{input}, { a => 1 }, 'with the input');
is($status->{historyEvents}[0]{EventType}, 'ExecutionStarted', 'with history');
is_deeply($status->{history}, $status->{historyEvents}, 'under both names');
is($http->api('GET', 'instances/one?showHistory=1')->{body} =~ /historyEvents/, '', 'a boolean is true or false');
$answer = $http->api('GET', 'instances/waitfail');
$status = decode($answer->{body});
is("$answer->{status} $status->{output}", "200 Orchestrator function 'fails' failed: no luck", 'a failed one');
is($http->api('GET', 'instances/waitfail?returnInternalServerErrorOnFailure=true')->{status}, 500, '500 when asked for');
is_empty($http->api('GET', 'instances/nobody'), 404, 'an unknown id');

#
# Ids that need escapes
#
foreach my $id ("a b", 'a+b', "\x{fc}\x{4e2d}", '100%', q('"{}), 'a;b=c,d:e&f')
{
	my $bytes = $id;
	utf8::encode($bytes);
	my $segment = $bytes =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger;
	$answer = $http->api('POST', "orchestrators/echo/$segment");
	is(decode($answer->{body})->{id}, $id, "$segment: the id");
	my ($link) = $answer->{header}{location} =~ m{^\Q$http->{origin}\E(.*)};
	is($link, "/runtime/webhooks/durabletask/instances/$segment?$query", "$segment: the link");
	isnt($http->request('GET', $link)->{status}, 404, "$segment: the link works");
}

#
# Operations on one instance
#
my $event = 'instances/one/raiseEvent';
is_empty($http->api('POST', 'instances/nobody/raiseEvent/go', json => 1), 404, 'an event for nobody');
is_empty($http->api('POST', 'instances/over/raiseEvent/go', body => '{'), 410, 'an event for an ended one');
foreach my $type (undef, 'text/plain', 'application/json2')
{
	is_refused($http->api('POST', "$event/go", body => '1', header => { $type ? ('Content-Type' => $type) : () }),
		400, 'Only application/json request content is supported', qr/json/,
		'an event as ' . ($type // 'no type'));
}
is_refused($http->api('POST', "$event/go", body => '', header => { 'Content-Type' => 'application/json' }),
	400, 'Invalid JSON content', qr/./, 'an event without a body');
is_empty($http->api('POST', 'instances/one/suspend?reason=a+b%20c'), 202, 'suspend');
is(decode($http->api('GET', 'instances/one')->{body})->{runtimeStatus}, 'Suspended', 'it is');
is($http->api('GET', 'instances/one')->{status}, 202, 'and counts as live');
is_refused($http->api('POST', 'instances/one/suspend'), 500, $wrong, qr/Suspended/, 'suspend again');
is_empty($http->api('POST', 'INSTANCES/one/Resume/'), 202, 'resume');
is_refused($http->api('POST', 'instances/one/resume'), 500, $wrong, qr/one/, 'resume again');
is_empty($http->api('POST', "$event/GO", json => { done => 1 },
		header => { 'Content-Type' => 'Application/JSON; charset=utf-8' }), 202, 'an event');
is_deeply($http->wait_ended('one')->{output}, { done => 1 }, 'which it was waiting for');
foreach my $operation (qw(terminate suspend resume))
{
	is_empty($http->api('POST', "instances/one/$operation"), 410, "$operation an ended one");
	is_empty($http->api('POST', "instances/nobody/$operation"), 404, "$operation nobody");
}
is_empty($http->api('POST', 'instances/waitlong/terminate?reason=a+b%20c'), 202, 'terminate');
is($http->wait_ended('waitlong')->{output}, 'a b c', 'its reason is the output');

$answer = $http->api('POST', 'instances/one/rewind');
is("$answer->{status} " . (decode($answer->{body}) =~ /only supported on failed/), '412 1', 'rewind of a completed one');
is_empty($http->api('POST', 'instances/nobody/rewind'), 404, 'rewind of nobody');
is_empty($http->api('POST', 'instances/waitfail/rewind?reason=again'), 202, 'rewind of a failed one');
$http->wait_ended('waitfail');

$answer = $http->api('POST', 'instances/over/restart');
isnt(decode($answer->{body})->{id}, 'over', 'restart makes a new id');
$http->wait_ended(decode($answer->{body})->{id});
is("$answer->{status} $answer->{header}{'retry-after'}", '202 10', 'and answers like a start');
$answer = $http->api('POST', 'instances/over/restart?restartWithNewInstanceId=false&timeout=20&pollingInterval=1');
is("$answer->{status} $answer->{body}", '200 2', 'restart of the same id, with its input, waiting');
is_refused($http->api('POST', 'instances/nobody/restart'), 400,
	'InstanceId does not match a valid orchestration instance.', qr/./, 'restart of nobody');
is_refused($http->api('POST', 'instances/waitnot/restart?restartWithNewInstanceId=false'), 409, $wrong,
	qr/already exists/, 'restart of a live one under its id');

#
# List
#
my $n = $node->safe_psql('postgres', 'SELECT count(*) FROM df_http_instances');
my ($token, @ids) = ('');
for (;;)
{
	$answer = $http->api('GET', 'instances?top=3&showInput=false', header => { 'x-ms-continuation-token' => $token });
	push @ids, map { $_->{instanceId} } @{ decode($answer->{body}) };
	$token = $answer->{header}{'x-ms-continuation-token'} // '';
	last if $token eq '' || @ids > $n;
}
is(scalar @ids, $n, 'pages have every instance');
is(scalar @ids, scalar keys %{ { map { $_ => 1 } @ids } }, 'and each once');
sub listed
{
	return join ' ', map { $_->{instanceId} } @{ decode($http->api('GET', "instances/?$_[0]")->{body}) };
}
is(listed('instanceIdPrefix=wait&runtimeStatus=Failed'), 'waitfail', 'by prefix and status');
is(listed('instanceIdPrefix=wait&runtimeStatus=Failed&runtimeStatus=Terminated,Bogus'), 'waitfail waitlong', 'several statuses');
is(listed('instanceIdPrefix=wait&runtimeStatus=failed'), 'wait waitfail waitlong waitnot', 'unknown names are no filter');
is(listed('createdTimeFrom=2999-01-01T00:00:00.000Z'), '', 'created later');
is(listed('createdTimeTo=2001-01-01T00:00:00.0000000%2B02:00'), '', 'created earlier');
is(listed('instanceIdPrefix=waitl&createdTimeFrom=yesterday&createdTimeTo=2001-01-01T00:00:00+02:00'), 'waitlong', 'times that do not parse');
is(listed('instanceIdPrefix=wait%25'), '', 'a prefix is no pattern');
is_refused($http->api('GET', 'instances', header => { 'x-ms-continuation-token' => "x'y" }), 400, $incorrect, qr/token/, 'a token of nobody');
is($http->api('GET', 'instances?top=1000000&showHistory=true')->{body} =~ /historyEvents/, '', 'no history in lists');

#
# Purge
#
is($http->api('DELETE', 'instances/waitlong')->{body} =~ s/ //gr, '{"instancesDeleted":1}', 'purge');
is_empty($http->api('DELETE', 'instances/waitlong'), 404, 'purge again');
is_refused($http->api('DELETE', 'instances/waitnot'), 409, $wrong, qr/waitnot/, 'purge of a live one');
$answer = $http->api('DELETE', 'instances?runtimeStatus=Failed');
is("$answer->{status} $answer->{body}", q{400 "Please provide value for 'createdTimeFrom' parameter."}, 'purge without a time');
is_refused($http->api('DELETE', 'instances?createdTimeFrom=2001-01-01T00:00:00Z&runtimeStatus=failed'), 400, $incorrect,
	qr/runtimeStatus/, 'purge by a status that is none');
is_refused($http->api('DELETE', 'instances?createdTimeFrom=2001-01-01T00:00:00Z&runtimeStatus=Running'), 400, $incorrect,
	qr/runtimeStatus/, 'purge by a status of live ones');
is($http->api('DELETE', 'instances?createdTimeFrom=2001-01-01T00:00:00Z&runtimeStatus=Failed,Running')->{body} =~ s/ //gr,
	'{"instancesDeleted":1}', 'purge by status');
is_empty($http->api('DELETE', 'instances?createdTimeFrom=2001-01-01T00:00:00Z&runtimeStatus=Failed'), 404, 'nothing left of it');
is_empty($http->api('DELETE', 'instances?createdTimeFrom=2001-01-01T00:00:00Z&runtimeStatus=Canceled'), 404, 'nobody is Canceled');
is($http->api('DELETE', 'instances/?createdTimeFrom=0001-01-01T00:00:00Z')->{status}, 200, 'purge all');
is(listed(''), 'waitnot', 'what lives, stays');

#
# No such thing
#
foreach my $request ('GET entities/a/b', 'GET entities', 'POST entities/a/b', 'DELETE entities/a/b', 'POST makeprimary',
	'GET orchestrators/echo/x', 'PUT instances/one', 'POST instances', 'GET instances/one/terminate', 'HEAD nothing',
	'POST instances/one/explode', 'POST instances/one/raiseEvent', 'POST instances/one/raiseEvent/', 'GET instances//x',
	'POST instances//terminate', 'POST orchestrators', 'GET x', 'GET instances/a/b/c/d/e/f', 'OPTIONS instances')
{
	is_empty($http->api(split / /, $request), 404, $request);
}
foreach my $target ('/', '/runtime', '/runtime/webhooks/durabletaskX/instances', '/api/instances/one', '/api/orchestrators/echo',
	'/etc/passwd', '/runtime/webhooks/durabletask/../../../etc/passwd', '/durabletask/..%2f..%2fetc%2fpasswd')
{
	is_empty($http->request('GET', $target), 404, "GET $target");
}

#
# The sample's route: of simultaneous posts exactly one is accepted
#
$answer = $http->request('POST', '/api/orchestrators/waits/single', body => '{}');
is($answer->{status}, 202, 'the route of the sample');
isnt($http->request('GET', decode($answer->{body})->{statusQueryGetUri} =~ s/^\Q$http->{origin}\E//r)->{status},
	404, 'its links work');
$answer = $http->request('POST', '/api/orchestrators/waits/single', body => '{}');
is("$answer->{status} $answer->{body}", "409 An instance with ID 'single' already exists.", 'again');
is_refused($http->request('POST', '/api/orchestrators/waits/x', body => 'no'), 400, 'Invalid JSON content', qr/./, 'with a bad body');
foreach my $round (1 .. 5)
{
	my @sockets = map { $http->connect } 1 .. 40;
	my $bytes = $http->request_bytes('POST', "/api/orchestrators/waits/race$round", body => '1');
	syswrite $_, substr($bytes, 0, -1) foreach @sockets;
	syswrite $_, substr($bytes, -1) foreach @sockets;
	my %count;
	$count{ $http->read_answer($_)->{status} }++ foreach @sockets;
	is_deeply(\%count, { 202 => 1, 409 => 39 }, "round $round of 40 posts: one 202");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM df_instances WHERE instance_id LIKE 'race%'"), 5, 'and one instance each');

#
# Long polls take no connection from others
#
my $small = Gateway->start($node, options => [ '--connections', '1' ]);
my @polls = map {
	my $socket = $small->connect;
	syswrite $socket, $small->request_bytes('POST',
		"/durabletask/orchestrators/waits/poll$_?timeout=60&pollingInterval=30");
	$socket
} 1 .. 50;
ok($node->poll_query_until('postgres', "SELECT count(*) = 50 FROM df_instances WHERE instance_id LIKE 'poll%'"), '50 long polls');
foreach my $i (1 .. 50)
{
	is($small->api('POST', "instances/poll$i/raiseEvent/go", json => $i)->{status}, 202, "event for poll $i") if $i % 10 == 0;
	$small->api('POST', "instances/poll$i/raiseEvent/go", json => $i) if $i % 10;
}
is(join(' ', map { my $a = $small->read_answer($_); "$a->{status}:$a->{body}" } @polls),
	join(' ', map { "200:$_" } 1 .. 50), 'each gets its output');

# A poll that waits for long does not hold up others that come later.
my $long = $small->connect;
syswrite $long, $small->request_bytes('POST', '/durabletask/orchestrators/waits/long?timeout=60&pollingInterval=60');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM df_instances WHERE instance_id = 'long'}), 'a long poll');
$start = time;
foreach my $i (1 .. 20)
{
	$answer = $small->api('POST', 'orchestrators/echo/quick?timeout=60&pollingInterval=30', json => $i);
	is("$answer->{status} $answer->{body}", "200 $i", "quick poll $i") if $answer->{body} ne $i || $i == 20;
}
note sprintf '20 quick polls beside a long one: %.0f ms', 1000 * (time - $start);
cmp_ok(time - $start, '<', 20, 'quick ones end at once');

# SIGTERM answers those that still wait
my $poll = $small->connect;
syswrite $poll, $small->request_bytes('POST', '/durabletask/orchestrators/waits/drained?timeout=60&pollingInterval=30');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM df_instances WHERE instance_id = 'drained'"), 'one more');
kill 'TERM', $small->{pid};
is($small->read_answer($poll)->{status}, 202, 'SIGTERM: a long poll is answered');
$small->stop;

$http->stop;
finish($node);
done_testing();
