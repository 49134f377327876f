# Hostile and broken clients do no harm: framing, headers, sizes, slowness,
# numbers; keys and rights; the log.
use strict;
use warnings;
use FindBin;

# A thousand connections are more than many a shell allows.
BEGIN
{
	exec 'bash', '-c', 'ulimit -n 4096 && FILES_RAISED=1 exec "$0" "$@"', $^X, (map { "-I$_" } @INC), $0
	  if !$ENV{FILES_RAISED};
}
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use Gateway;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(SHUT_WR);
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'the gateway was not built' if !-x sanitized_gateway();

my $node = new_server('main');
gateway_setup($node);
my $http = Gateway->start($node);
my $webhook = '/runtime/webhooks/durabletask';
my $host = "Host: 127.0.0.1:$http->{port}\r\n";
my $alive = 0;

sub is_alive
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($http->api('POST', 'orchestrators/echo/alive' . ++$alive)->{status}, 202, "after $name others are served");
	return;
}

sub count_like
{
	my ($pattern) = @_;

	return $node->safe_psql('postgres', "SELECT count(*) FROM df_instances WHERE instance_id LIKE '$pattern'");
}

#
# Request smuggling: where a request ends is beyond doubt, or it is refused and
# the connection closed
#
my $post = "POST $webhook/orchestrators/echo/smuggled HTTP/1.1\r\n$host";
my $inner = "POST $webhook/orchestrators/echo/inner HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n";
my %ambiguous = (
	'two lengths'            => "Content-Length: 0\r\nContent-Length: " . length($inner) . "\r\n\r\n$inner",
	'a list of lengths'      => "Content-Length: 0, 0\r\n\r\n$inner",
	'a length with a sign'   => "Content-Length: +0\r\n\r\n$inner",
	'a negative length'      => "Content-Length: -1\r\n\r\n$inner",
	'a huge length'          => "Content-Length: 99999999999999999999999\r\n\r\n$inner",
	'length and chunks'      => "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$inner",
	'another encoding'       => "Transfer-Encoding: gzip\r\n\r\n$inner",
	'two encodings'          => "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n$inner",
	'encodings in two lines' => "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n$inner",
	'encoding with a tab'    => "Transfer-Encoding:\tx-chunked\r\n\r\n0\r\n\r\n$inner",
	'space before the colon' => "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n$inner",
	'two hosts'              => "Host: evil.example\r\nContent-Length: 0\r\n\r\n$inner",
);
foreach my $how (sort keys %ambiguous)
{
	my $socket = $http->connect;
	syswrite $socket, $post . $ambiguous{$how};
	my @status;
	while ((my $status = $http->read_answer($socket, 10)->{status}) != 0)
	{
		push @status, $status;
	}
	unlike("@status", qr/2\d\d.*2\d\d/, "$how: not two requests (@status)");
	unlike("@status", qr/^2/, "$how: refused");
	is(count_like('inner'), 0, "$how: nothing is smuggled in");
}
foreach my $chunks ("zz\r\n\r\n", "5\r\nabc\r\n0\r\n\r\n", "ffffffffffffffffff\r\n", "-1\r\n\r\n", "0x1\r\n1\r\n0\r\n\r\n")
{
	my $socket = $http->connect;
	syswrite $socket, "${post}Transfer-Encoding: chunked\r\n\r\n$chunks";
	shutdown $socket, SHUT_WR;
	unlike($http->read_answer($socket, 10)->{status}, qr/^2/, 'bad chunks: ' . ($chunks =~ s/\s+/ /gr));
}
is(count_like('smuggled'), 0, 'none of them has started anything');

#
# Headers and targets
#
my $answer = $http->request('GET', "$webhook/instances/x", header => { Host => "a\"b{}<script>" });
is($answer->{status}, 400, 'a host that is none');
$answer = $http->request('POST', "/api/orchestrators/waits/inject%0d%0aX-Evil:%201", body => '');
is($answer->{status}, 400, 'an id with a line end');
$node->safe_psql('postgres', q{
	SET SESSION AUTHORIZATION web;
	SELECT df_start_singleton('waits', E'a/b\\\\c"d#e?f')});
$answer = $http->api('GET', 'instances/a%2Fb%5Cc%22d%23e%3Ff');
is($answer->{status}, 202, 'what SQL has started can be seen, however its id is written');
is($answer->{header}{'x-evil'}, undef, 'no header is injected');
$answer = $http->request('GET', "$webhook/instances/x?a=\r\n X-Evil: 1");
unlike($answer->{status}, qr/^2/, 'a folded line');
$answer = $http->request('POST', "$webhook/orchestrators/echo/forwarded", header => { 'X-Forwarded-Host' => 'evil.example' });
like($answer->{header}{location}, qr/^\Q$http->{origin}\E/, 'X-Forwarded-Host does not count by default');
foreach my $bytes ("GET  / HTTP/1.1\r\n\r\n", "\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET\r\n\r\n", "\r\n" x 100,
	"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
{
	my $socket = $http->connect;
	syswrite $socket, $bytes;
	shutdown $socket, SHUT_WR;
	unlike($http->read_answer($socket, 10)->{status}, qr/^2/, 'nonsense: ' . substr($bytes =~ s/[^ -~]/./gr, 0, 20));
}
$http->raw("G\x1b[31mT /escape HTTP/1.1\r\n$host\r\n");
$http->raw("GET /esc\x9b31m HTTP/1.1\r\n$host\r\n");
ok($http->wait_for_log(qr{ /esc\\x9b31m }), 'the log shows bytes of a path that a terminal would obey');
unlike($http->log, qr/[\x1b\x9b]/, 'and those of a method, but not as they came');
$answer = $http->raw("GET http://other.example$webhook/instances/nobody HTTP/1.1\r\n$host\r\n");
is($answer->{status}, 404, 'a target in absolute form');
$answer = $http->raw("POST $webhook/orchestrators/echo/old HTTP/1.0\r\nContent-Length: 1\r\n\r\n1");
is("$answer->{status} " . ($answer->{header}{location} // ''),
	"202 $http->{origin}$webhook/instances/old?taskHub=postgres&connection=Storage", 'HTTP/1.0 without a host');
foreach my $id ("%00", "a%00b", "%ff%fe", "a%c3%28", "%ed%a0%80", "%zz")
{
	foreach my $request ("POST orchestrators/echo/$id", "GET instances/$id", "POST instances/$id/terminate?reason=$id",
		"POST orchestrators/$id", "POST instances/alive1/raiseEvent/$id", "GET instances?instanceIdPrefix=$id&runtimeStatus=$id")
	{
		my $status = $http->api(split(/ /, $request), body => '')->{status};
		like($status, qr/^(?:400|404|410|202|200)$/, "bytes that are no text: $request");
	}
}
is($http->api('POST', 'orchestrators/echo/nul', body => "\"a\0b\"")->{status}, 400, 'a body with NUL');
is($http->api('POST', 'orchestrators/echo/nul', body => '"a\u0000b"')->{status}, 400, 'a body with an escaped NUL');
is($http->api('POST', 'orchestrators/echo/nul', body => "\"\xff\"")->{status}, 400, 'a body that is not UTF-8');
is($http->api('POST', 'orchestrators/echo/nul', body => '[' x 100000)->{status}, 400, 'a deep body');
is_alive('nonsense');

# SQL
foreach my $evil (q('; DROP TABLE durable_singleton.instance; --), q($$), q("public"."hidden"), q(echo(jsonb)), q(pg_sleep),
	q(public.echo'), '{echo}', q(\\))
{
	my $segment = $evil =~ s/([^A-Za-z0-9])/sprintf '%%%02x', ord $1/ger;
	is($http->api('POST', "orchestrators/$segment/sql")->{status}, 400, "no function: $evil");
	$http->api('GET', "instances?instanceIdPrefix=$segment&runtimeStatus=$segment&createdTimeFrom=$segment");
	is($http->api('GET', "instances/$segment")->{status}, 404, "no instance: $evil");
}
is(count_like('sql'), 0, 'none of them runs');
is($http->api('POST', 'orchestrators/%22public%22.echo/quoted')->{status}, 202, 'a name may be written as in SQL');

#
# Size
#
is($http->api('GET', 'instances/x?a=' . 'b' x 1_000_000)->{status}, 414, 'a query of a million characters');
is($http->api('GET', 'instances/x', header => { Big => 'b' x 1_000_000 })->{status}, 431, 'a header of a million');
is($http->api('GET', 'instances/x', header => { map { ("H$_" => 1) } 1 .. 20000 })->{status}, 431, '20,000 headers');
# the library drops the connection; what was begun for it is freed, says LeakSanitizer
like($http->api('GET', 'instances/x?' . '&a' x 3000)->{status}, qr/^(?:0|431)$/, '3,000 parameters');
my $large = encode('x' x 3_000_000);
is($http->api('POST', 'orchestrators/echo/large', body => $large)->{status}, 202, 'a body of 3 MB');
is(length $http->wait_ended('large')->{output}, 3_000_000, 'comes back');
my $chunked = join '', map { sprintf "%x\r\n%s\r\n", length $_, $_ } $large =~ /(.{1,50000})/gs;
is($http->raw("POST $webhook/orchestrators/echo/chunks HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${chunked}0\r\n\r\n")->{status},
	202, 'the same in chunks');
is(length $http->wait_ended('chunks')->{output}, 3_000_000, 'comes back');
is($http->raw("POST $webhook/orchestrators/echo/expect HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 1\r\n\r\n5")->{status},
	202, 'Expect: 100-continue');
my $narrow = Gateway->start($node, options => [ '--body-limit', '1000' ]);
is($narrow->api('POST', 'orchestrators/echo/limit', body => '1' x 1000)->{status}, 202, 'a body at the limit');
is($narrow->api('POST', 'orchestrators/echo/above', body => '1' x 1001)->{status}, 413, 'and above it');
$chunked = sprintf("%x\r\n%s\r\n", 600, '1' x 600) x 2;
is($narrow->raw("POST $webhook/orchestrators/echo/above HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${chunked}0\r\n\r\n")->{status},
	413, 'in chunks, too');
$chunked = sprintf("%x\r\n%s\r\n", 60000, '1' x 60000) x 50;
is($narrow->raw("POST $webhook/orchestrators/echo/above HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n$chunked")->{status},
	0, 'who goes on and on is cut off');
is(count_like('above'), 0, 'none of them runs');
# more bodies at a time than it holds
my @sockets = map {
	my $socket = $narrow->connect;
	syswrite $socket, "POST $webhook/orchestrators/echo/many$_ HTTP/1.1\r\n${host}Content-Length: 1000\r\n\r\n" . '1' x 900;
	$socket
} 1 .. 60;
my %seen;
syswrite $_, '1' x 100 foreach @sockets;
$seen{ $narrow->read_answer($_)->{status} }++ foreach @sockets;
is(($seen{202} // 0) + ($seen{503} // 0), 60, 'many large bodies: 202 or 503');
is($seen{202} // 0, count_like('many%'), 'and what is 202 was started');
$narrow->stop;
is_alive('large ones');

#
# Pipelining, and half of a connection
#
my $socket = $http->connect;
syswrite $socket, join '', map { $http->request_bytes('POST', "$webhook/orchestrators/echo/pipe$_", body => $_) } 1 .. 50;
is(join(' ', map { decode($http->read_answer($socket)->{body})->{id} =~ /(\d+)/ } 1 .. 50), join(' ', 1 .. 50),
	'50 requests in a pipeline are answered in order');
$socket = $http->connect;
syswrite $socket, $http->request_bytes('POST', "$webhook/orchestrators/echo/half", body => 1);
shutdown $socket, SHUT_WR;
is($http->read_answer($socket)->{status}, 202, 'a client that has closed its half gets its answer');
foreach (1 .. 100)
{
	$socket = $http->connect;
	syswrite $socket, $http->request_bytes('POST', "$webhook/orchestrators/echo/gone$_", body => 1);
	close $socket;
}
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM df_instances WHERE instance_id LIKE 'gone%'}), 'clients that do not wait');
is_alive('those who left');

#
# Numbers and slowness
#
@sockets = map { $http->connect } 1 .. 1000;
syswrite $_, $http->request_bytes('GET', "$webhook/instances/alive1") foreach @sockets;
%seen = ();
$seen{ $http->read_answer($_)->{status} }++ foreach @sockets;
is($seen{200}, 1000, '1,000 connections at a time');
# the sanitized program has 6 seconds of patience
syswrite $_, 'GET / HT' foreach @sockets[ 0 .. 499 ];
my $start = time;
my $slow = $http->connect;
# so far right: newer versions of libmicrohttpd end a wrong first line at once
syswrite $slow, "GET / HTTP/1.1\r\nX: ";
my $cut = 0;
local $SIG{PIPE} = 'IGNORE';
while (time - $start < 40 && !$cut)
{
	syswrite $slow, 'T';		# a byte now and then buys no time
	$cut = 1 if IO::Select->new($slow)->can_read(0.3) && !sysread $slow, my $nothing, 1000;
}
ok($cut, 'a slow client is cut off');
cmp_ok(time - $start, '>', 5, 'not at once');
%seen = ();
$seen{ $http->read_answer($_, 40)->{status} }++ foreach @sockets;
is($seen{0}, 1000, 'and so are 500 others, and 500 idle ones');
$socket = $http->connect;
syswrite $socket, "POST $webhook/orchestrators/echo/slow HTTP/1.1\r\n${host}Content-Length: 1000\r\n\r\n1";
is($http->read_answer($socket, 40)->{status}, 0, 'and one whose body does not come');
is_alive('slow ones');

# Starts that wait for somebody's open transaction leave connections to others.
my $holder = $node->background_psql('postgres');
$holder->query_safe(q{BEGIN; SELECT df_start_singleton('waits', 'held')});
@sockets = map { my $s = $http->connect; syswrite $s, $http->request_bytes('POST', "$webhook/orchestrators/waits/held"); $s } 1 .. 10;
is_alive('ten that wait for a lock');
$holder->query_safe('ROLLBACK');
%seen = ();
$seen{ $http->read_answer($_)->{status} }++ foreach @sockets;
is($seen{202}, 1, 'of which one starts in the end') or diag(explain(\%seen));
$holder->query_safe(q{BEGIN; SELECT df_start_singleton('echo', 'held for long')});
$answer = $http->api('POST', 'orchestrators/echo/held%20for%20long');
is("$answer->{status} $answer->{header}{'retry-after'}", '503 5', 'nobody waits for ever');
$holder->quit;

#
# What may be started, and touched
#
$answer = $http->api('POST', 'orchestrators/hidden/x');
is($answer->{status}, 400, 'a function that is not on the list');
like($answer->{body}, qr/The function 'hidden' doesn't exist/, 'is as good as none');
foreach my $name ('public.hidden', 'HIDDEN', 'df_run', 'pg_catalog.now', 'jsonb_typeof')
{
	is($http->api('POST', "orchestrators/$name/x")->{status}, 400, "nor $name");
}
$node->safe_psql('postgres', q{
	SET SESSION AUTHORIZATION web;
	SELECT df_start_singleton('hidden', 'hidden', '1');
	SELECT df_start_singleton('echo', 'role', '1');
	RESET SESSION AUTHORIZATION;
	CREATE ROLE other LOGIN; SELECT df_grant_usage('other');
	SET SESSION AUTHORIZATION other;
	SELECT df_start_singleton('echo', 'other', '1');
});
ok(wait_ended($node, 'postgres', 'hidden') && wait_ended($node, 'postgres', 'other'), 'two instances that are not for HTTP');
foreach my $id ('hidden', 'other')
{
	my %wanted = ('GET' => 404, 'DELETE' => 404);
	is($http->api($_, "instances/$id")->{status}, 404, "$_ $id") foreach 'GET', 'DELETE';
	foreach my $operation ('terminate', 'suspend', 'resume', 'rewind')
	{
		is($http->api('POST', "instances/$id/$operation")->{status}, 404, "$operation $id");
	}
	is($http->api('POST', "instances/$id/restart")->{status}, 400, "restart $id");
	is($http->api('POST', "instances/$id/raiseEvent/e", json => 1)->{status}, 404, "event for $id");
	is($http->api('POST', "orchestrators/echo/$id")->{status}, 409, "start over $id");
	is($http->request('POST', "/api/orchestrators/echo/$id")->{status}, 409, "start of $id by the sample's route");
	unlike($http->api('GET', "instances?instanceIdPrefix=$id")->{body}, qr/instanceId/, "list of $id");
}
$http->api('DELETE', 'instances?createdTimeFrom=2001-01-01');
is($node->safe_psql('postgres', q{
	SELECT string_agg(instance_id || output, ' ' ORDER BY instance_id) FROM df_instances WHERE instance_id IN ('hidden', 'other')}),
	'hidden1 other1', 'nobody has touched them');

# without EXECUTE
$node->safe_psql('postgres', 'REVOKE EXECUTE ON FUNCTION echo FROM PUBLIC');
is($http->api('POST', 'orchestrators/echo/noright')->{status}, 400, 'without EXECUTE there is no function');
$node->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION echo TO PUBLIC');
is($http->api('POST', 'orchestrators/echo/right')->{status}, 202, 'with it, there is');
# a function of the same name in another schema is another one
$node->safe_psql('postgres', q{
	CREATE SCHEMA web AUTHORIZATION web;
	CREATE FUNCTION web.echo(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"planted"'::jsonb $$;
	ALTER FUNCTION web.echo OWNER TO web});
is($http->api('POST', 'orchestrators/echo/planted')->{status}, 400, 'one of another schema is not on the list');
is($http->api('POST', 'orchestrators/public.echo/planted')->{status}, 202, 'with its schema, it is');
$node->safe_psql('postgres', q{DROP SCHEMA web CASCADE; SELECT df_hide_http('echo')});
is($http->api('POST', 'orchestrators/echo/late')->{status}, 400, 'df_hide_http() counts at once');
is($http->api('GET', 'instances/alive1')->{status}, 404, 'also for what was started before');
$node->safe_psql('postgres', q{SELECT df_expose_http('echo')});
# the list is the owner's
foreach my $call (q{df_expose_http('hidden')}, q{df_hide_http('echo')})
{
	is((error_of($node, 'postgres', "SELECT $call", extra_params => [ '-U', 'web' ]))[0], '42501', "$call is not for the gateway's role");
}
is((error_of($node, 'postgres', q{SELECT df_expose_http('no_such')}))[0], '42883', 'only what exists can be exposed');

#
# Keys
#
my $keys = PostgreSQL::Test::Utils::tempdir . '/keys';
sub write_keys
{
	my ($text, $mode) = @_;
	open my $file, '>', $keys or die $!;
	print $file $text;
	close $file;
	chmod $mode, $keys;
	return;
}
foreach my $mode (0640, 0604, 0660)
{
	write_keys("secret\n", $mode);
	my ($stdout, $stderr);
	IPC::Run::run([ sanitized_gateway(), '--port', '0', '--keys', $keys ], '<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(30));
	like($stderr, qr/refused/, sprintf 'a file of keys with mode %o is refused', $mode);
}
write_keys("# none\n\n", 0600);
IPC::Run::run([ sanitized_gateway(), '--port', '0', '--keys', $keys ], '<', \undef, '>', \my $stdout, '2>', \my $stderr, IPC::Run::timeout(30));
like($stderr, qr/has no key/, 'and so is one without a key');
write_keys("# two keys\nsecr&t key\n  topsecret  \n", 0600);
$http->api('POST', 'orchestrators/echo/alive1');
$http->wait_ended('alive1');
my $locked = Gateway->start($node, options => [ '--keys', $keys ]);
write_keys("topsecret\nsecr&t\n\ttwo words \r\n", 0600);
kill 'HUP', $locked->{pid};
ok($locked->wait_for_log(qr/keys read again/), 'SIGHUP reads them again');
foreach my $path ("$webhook/instances/alive1", '/durabletask/instances/alive1', '/nothing', '/api/orchestrators/echo/k')
{
	my $method = $path =~ /^.api/ ? 'POST' : 'GET';
	is($locked->request($method, $path)->{status}, 401, "$path without a key");
}
foreach my $wrong ('', 'topsecre', 'topsecrett', 'TOPSECRET', 'secr', '%00', 'topsecret%00')
{
	is($locked->api('GET', "instances/alive1?code=$wrong")->{status}, 401, "the key <$wrong>");
}
is($locked->api('GET', 'instances/alive1?code=topsecret', header => { 'x-functions-key' => 'wrong' })->{status}, 401, 'a wrong one in the header');
is($locked->api('GET', 'instances/alive1?code=two')->{status}, 401, 'a part of a key of two words');
is($locked->api('GET', 'instances/alive1?code=two+words')->{status}, 200, 'all of it');
is($locked->api('GET', 'instances/alive1?CODE=topsecret')->{status}, 200, 'the right one in the query');
is($locked->api('GET', 'instances/alive1', header => { 'X-Functions-Key' => 'topsecret' })->{status}, 200, 'or in the header');
$answer = $locked->api('POST', 'orchestrators/waits/keyed?code=secr%26t');
is($answer->{header}{location}, "$locked->{origin}$webhook/instances/keyed?taskHub=postgres&connection=Storage&code=secr%26t", 'links have the key');
is(decode($answer->{body})->{resumePostUri},
	"$locked->{origin}$webhook/instances/keyed/resume?reason={text}&taskHub=postgres&connection=Storage&code=secr%26t", 'all of them');
is($locked->request('GET', $answer->{header}{location} =~ s/^\Q$locked->{origin}\E//r)->{status}, 202, 'which opens');
$locked->api('POST', "orchestrators/echo/log%C3%BC%0A?code=topsecret", json => 'payload in confidence');
my $log = $locked->stop;
unlike($log, qr/secr|confidence|%26t/, 'the log has no key and no payload');
like($log, qr/ 127\.0\.0\.1 POST \S+orchestrators\/waits\/keyed 202 [\d.]+ ms$/m, 'but a line for each request');
unlike(slurp_file($node->logfile), qr/topsecret|secr&t|secr%26t/, 'nor has the log of the server');

#
# Web pages, which a browser lets send requests to whatever it reaches
#
sub from_page
{
	my ($gateway, $method, $path, %header) = @_;
	my $answer = $gateway->api($method, $path, header => \%header);

	return $answer->{status} . ($answer->{body} =~ /--allow-host/ ? ' told how' : '');
}
my $named = Gateway->start($node, options => [ '--listen', 'localhost', '--allow-host', 'df.example', '--allow-host', 'Shop.Example' ]);
my $port = $http->{port};
foreach my $case (
	[ 'evil.example',       $http ], [ "evil.example:$port", $http ], [ "localhost.evil.example:$port", $http ],
	[ "127.0.0.1.nip.example", $http ], [ 'df.example', $http ], [ '[::1].evil.example', $http, 400 ], [ 'evil.example', $named ],
	[ 'xdf.example', $named ], [ 'df.example.evil', $named ])
{
	my ($name, $gateway, $malformed) = @$case;
	my $expected = $malformed ? qr/^(?:400|403 told how)$/ : qr/^403 told how$/;
	like(from_page($gateway, 'POST', 'orchestrators/echo/page', Host => $name), $expected, "a start for the host $name");
	like(from_page($gateway, 'GET', 'instances/alive1', Host => $name), $expected, 'a read');
	like(from_page($gateway, 'DELETE', 'instances/alive1', Host => $name, Origin => "http://$name", 'Sec-Fetch-Site' => 'same-origin'),
		$expected, 'and a purge, all of the same origin');
}
foreach my $case (
	[ Origin => 'http://evil.example' ],     [ Origin => 'null' ], [ Origin => 'http://203.0.113.7' ],
	[ Origin => 'http://localhost.evil.example' ], [ Origin => 'chrome-extension://abcdefgh' ], [ Origin => '' ],
	[ Origin => "http://127.0.0.1:$port\@evil.example" ],
	[ Origin => "http://evil.example/127.0.0.1", 'Sec-Fetch-Site' => 'none' ],
	[ 'Sec-Fetch-Site' => 'cross-site' ],    [ 'Sec-Fetch-Site' => 'same-site' ], [ 'Sec-Fetch-Site' => 'strange' ])
{
	my $name = "@$case";
	is(from_page($http, 'POST', 'orchestrators/echo/page', @$case, 'Content-Type' => 'text/plain'), '403 told how', "a start with $name");
	is(from_page($http, 'DELETE', 'instances/alive1', @$case), '403 told how', 'and a purge');
	is(from_page($http, 'GET', 'instances?top=1', @$case), '403 told how', 'and a list');
}
is(count_like('page'), 0, 'no page has started anything');
is($http->api('GET', 'instances/alive1')->{status}, 200, 'nor removed');
# what programs, and pages of the same site, send
foreach my $case (
	[ Host => "127.0.0.1:$port" ], [ Host => "localhost:$port" ], [ Host => 'LOCALHOST.' ], [ Host => '127.1.2.3' ], [ Host => "[::1]:$port" ],
	[ Host => '203.0.113.7:80' ], [ Origin => "http://127.0.0.1:$port", 'Sec-Fetch-Site' => 'same-origin' ],
	[ Host => "localhost:$port", Origin => 'http://localhost:3000', 'Sec-Fetch-Site' => 'same-site' ],
	[ Host => "localhost:$port", Origin => "http://127.0.0.1:$port" ], [ Host => "[::1]:$port", Origin => "https://[::1]" ],
	[ Host => '203.0.113.7', Origin => 'http://203.0.113.7' ], [ 'Sec-Fetch-Site' => 'none' ], [ 'Sec-Fetch-Site' => 'same-origin' ])
{
	is(from_page($http, 'GET', 'instances/alive1', @$case), 200, "@$case is served");
}
foreach my $case (
	[ Host => 'df.example' ], [ Host => 'DF.EXAMPLE.:8443' ], [ Host => 'shop.example', Origin => 'https://shop.example' ],
	[ Origin => 'https://df.example', 'Sec-Fetch-Site' => 'cross-site' ], [ Host => "localhost:$port" ])
{
	is(from_page($named, 'GET', 'instances/alive1', @$case), 200, "--allow-host, @$case");
}
is(from_page($named, 'GET', 'instances/alive1', Host => 'df.example', Origin => 'https://evil.example'), '403 told how', 'another site, all the same');
$named->stop;
my $keyed = Gateway->start($node, options => [ '--keys', $keys ]);
is(from_page($keyed, 'GET', 'instances/alive1?code=topsecret', Host => 'evil.example', Origin => 'http://other.example', 'Sec-Fetch-Site' => 'cross-site'),
	200, 'with keys, the key decides');
$keyed->stop;

#
# Behind a proxy
#
my $proxied = Gateway->start($node, options => [ '--trust-forwarded', '--allow-host', 'df.example' ]);
$answer = $proxied->api('POST', 'orchestrators/echo/proxy', header =>
	  { 'X-Forwarded-Host' => 'df.example:8443, inner', 'X-Forwarded-Proto' => 'https' });
like($answer->{header}{location}, qr{^https://df\.example:8443/runtime/}, '--trust-forwarded: links of the proxy');
is($proxied->api('GET', 'instances/proxy', header => { 'X-Forwarded-Proto' => 'javascript' })->{status}, 400, 'another scheme');
is($proxied->api('GET', 'instances/proxy', header => { 'X-Forwarded-Host' => 'a/b' })->{status}, 400, 'a host that is none');
$answer = $proxied->api('POST', 'orchestrators/echo/proxy2', header => { 'X-Forwarded-Host' => '', 'X-Forwarded-Proto' => ' ' });
like($answer->{header}{location}, qr{^\Q$proxied->{origin}\E/}, 'empty ones say nothing');
is(from_page($proxied, 'GET', 'instances/proxy', 'X-Forwarded-Host' => 'evil.example'), '403 told how', 'a proxy that is reached by another name');
is(from_page($proxied, 'GET', 'instances/proxy', 'X-Forwarded-Host' => 'df.example', Host => 'evil.example'), '403 told how', 'past the proxy');
is(from_page($proxied, 'GET', 'instances/proxy', 'X-Forwarded-Host' => 'df.example', Origin => 'https://df.example'), 200, 'a page of the proxy');
$proxied->stop;

#
# TLS
#
SKIP:
{
	my ($stdout, $stderr);

	skip 'openssl is missing' if system('command -v openssl >/dev/null') != 0;
	my $tls = PostgreSQL::Test::Utils::tempdir;
	IPC::Run::run([ qw(openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout), "$tls/key", '-out', "$tls/cert" ],
		'<', \undef, '>', \$stdout, '2>', \$stderr) or die $stderr;
	chmod 0644, "$tls/key";
	IPC::Run::run([ sanitized_gateway(), '--port', '0', '--tls-cert', "$tls/cert", '--tls-key', "$tls/key" ],
		'<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(30));
	like($stderr, qr/key: refused/, 'a private key that others can read is refused');
	chmod 0600, "$tls/key";
	my $safe = Gateway->start($node, options => [ '--tls-cert', "$tls/cert", '--tls-key', "$tls/key" ]);
	is($safe->{scheme}, 'https', 'HTTPS');
	IPC::Run::run([ 'curl', '-sS', '--cacert', "$tls/cert", '-X', 'POST', "https://localhost:$safe->{port}/api/orchestrators/echo/tls" ],
		'<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(30));
	like($stdout, qr{"statusQueryGetUri":"https://localhost:$safe->{port}/}, 'answers, with links of its own kind') or diag($stderr);
	$safe->stop;
}

#
# The command line
#
foreach my $case ([ [ '--port', '70000' ], qr/0 to 65535/ ], [ ['--bogus'], qr/--help/ ], [ ['x'], qr/unexpected/ ],
	[ [ '--connections', '0' ], qr/1 to/ ], [ [ '--tls-cert', 'x' ], qr/together/ ], [ [ '--body-limit', '1k' ], qr/number/ ],
	[ [ '--allow-host', 'http://df.example' ], qr/without scheme/ ], [ [ '--allow-host', '' ], qr/host name/ ])
{
	my $status = IPC::Run::run([ sanitized_gateway(), @{ $case->[0] } ], '<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(30));
	ok(!$status && $stderr =~ $case->[1], "refused: @{ $case->[0] }");
}
IPC::Run::run([ sanitized_gateway(), '--version' ], '<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(30));
my ($version) = slurp_file('durable_singleton.control') =~ /^default_version = '(.*)'/m;
is($stdout, "durable-singleton-http $version\n", '--version');
IPC::Run::run([ sanitized_gateway(), '--help' ], '<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(30));
like($stdout, qr/--trust-forwarded/, '--help');
IPC::Run::run([ sanitized_gateway(), '--port', $http->{port} ], '<', \undef, '>', \$stdout, '2>', \$stderr, IPC::Run::timeout(30));
like($stderr, qr/cannot listen/, 'a port that is taken');

$http->stop;
finish($node);
done_testing();
