# Shared by the tests of the HTTP gateway: starting one, and speaking HTTP to it,
# plainly or byte by byte.
package Gateway;

use strict;
use warnings;

use FindBin;
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(WNOHANG);
use PostgreSQL::Test::Utils;
use Socket qw(SHUT_WR);
use Test::More;
use Time::HiRes qw(time);

use Exporter 'import';
our @EXPORT = qw(sanitized_gateway plain_gateway gateway_setup decode encode);

my $folder = "$FindBin::RealBin/../gateway";
my $count = 0;
my %running;		# pids of gateways
my $test = $$;

# None outlives its test, however that ends.
END
{
	my $status = $?;
	kill 'KILL', keys %running if $$ == $test;
	$? = $status;
}

sub sanitized_gateway { return "$folder/durable-singleton-http-sanitized" }
sub plain_gateway { return "$folder/durable-singleton-http" }

sub decode { return JSON::PP->new->utf8->allow_nonref->decode($_[0]) }
sub encode { return JSON::PP->new->utf8->allow_nonref->encode($_[0]) }

# What the tests of the gateway start over HTTP, as the role "web".
sub gateway_setup
{
	my ($node) = @_;

	$node->safe_psql('postgres', q{
CREATE ROLE web LOGIN;
SELECT df_grant_usage('web');
CREATE FUNCTION echo(input jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT input';
CREATE FUNCTION hidden(input jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT input';
CREATE FUNCTION fails(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no luck';
END $$;
CREATE FUNCTION waits(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"waiting"');
	RETURN df_wait_for_external_event('go');
END $$;
SELECT df_expose_http(f) FROM unnest('{echo,fails,waits}'::text[]) f;
});
	return;
}

# Starts a gateway for a node; arguments are options of its command line.
# program, user: which and as whom; dsn: another one than the node's.
sub start
{
	my ($class, $node, %param) = @_;
	my $self = bless {
		node => $node,
		log  => PostgreSQL::Test::Utils::tempdir . '/gateway' . ++$count . '.log',
	}, $class;
	my $user = $param{user} // 'web';
	my $dsn = $param{dsn} // $node->connstr('postgres') . " user=$user";

	open my $log, '>', $self->{log} or die $!;
	$self->{run} = IPC::Run::start(
		[
			$param{program} // sanitized_gateway(), '--port', '0', '--dsn', $dsn,
			@{ $param{options} // [] }
		],
		'<', \undef, '>', $log, '2>', $log);
	$self->{pid} = $self->{run}{KIDS}[0]{PID};
	$running{ $self->{pid} } = 1;
	my $until = time + 60;
	for (;;)
	{
		last if @$self{qw(scheme port)} =
		  slurp_file($self->{log}) =~ m{listening at (https?)://\S+:(\d+)$}m;
		die 'the gateway does not start: ' . slurp_file($self->{log})
		  if time > $until || waitpid($self->{pid}, WNOHANG) != 0;
		select undef, undef, undef, 0.02;
	}
	$self->{origin} = "$self->{scheme}://127.0.0.1:$self->{port}";
	return $self;
}

# SIGTERM; the log as it is then.  A sanitizer's report is a failure.
sub stop
{
	my ($self) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;

	kill 'TERM', $self->{pid};
	$self->{run}->finish;
	delete $running{ $self->{pid} };
	is($self->{run}->result(0), 0, 'the gateway ends well');
	my $log = slurp_file($self->{log});
	unlike($log, qr/Sanitizer|runtime error|Assertion/, 'and without a word of the sanitizers');
	return $log;
}

sub log
{
	my ($self) = @_;

	return slurp_file($self->{log});
}

sub wait_for_log
{
	my ($self, $pattern) = @_;
	my $until = time + 60;

	while (time < $until)
	{
		return 1 if $self->log =~ $pattern;
		select undef, undef, undef, 0.02;
	}
	return 0;
}

sub connect
{
	my ($self) = @_;

	return IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $self->{port},
		Timeout  => 20) // die "cannot connect: $!";
}

# One answer from a socket: status, headers with names in lower case, body;
# status 0 if the connection ends before it is whole.
sub read_answer
{
	my ($self, $socket, $seconds) = @_;
	my $until = time + ($seconds // 30);
	my $select = IO::Select->new($socket);

	# what has come behind an answer belongs to the next one
	my $rest = delete ${*$socket}{gateway_rest} // '';
	my $head_end;

	for (;;)
	{
		if (!defined $head_end)
		{
			my $at = index $rest, "\r\n\r\n";
			$head_end = $at + 4 if $at >= 0;
		}
		if (defined $head_end)
		{
			my ($first, @lines) = split /\r\n/, substr($rest, 0, $head_end);
			my ($status) = $first =~ m{^HTTP/1\.[01] (\d+)};
			my %header = map { /^([^:]+): *(.*)$/ ? (lc $1, $2) : () } @lines;
			my $length = $header{'content-length'} // 0;
			if ($status == 100)
			{
				$rest = substr $rest, $head_end;
				undef $head_end;
				next;
			}
			if (length($rest) >= $head_end + $length)
			{
				${*$socket}{gateway_rest} = substr $rest, $head_end + $length;
				return {
					status => $status,
					header => \%header,
					body   => substr($rest, $head_end, $length)
				};
			}
		}
		return { status => 0, header => {}, body => $rest }
		  if !$select->can_read($until - time)
		  || !sysread $socket, $rest, 1 << 20, length $rest;
	}
}

# Sends bytes on a connection of their own and reads an answer.
sub raw
{
	my ($self, $bytes) = @_;
	my $socket = $self->connect;

	# who is refused early may be cut off while it still sends
	local $SIG{PIPE} = 'IGNORE';
	for (my $at = 0; $at < length $bytes;)
	{
		my $n = syswrite $socket, $bytes, 65536, $at;
		last if !$n;
		$at += $n;
	}
	return $self->read_answer($socket);
}

sub request_bytes
{
	my ($self, $method, $target, %param) = @_;
	my $body = $param{body};
	my %header = (
		'Host' => "127.0.0.1:$self->{port}",
		(defined $body ? ('Content-Length' => length $body) : ()),
		%{ $param{header} // {} });

	return "$method $target HTTP/1.1\r\n"
	  . join('', map { "$_: $header{$_}\r\n" } sort keys %header)
	  . "\r\n" . ($body // '');
}

# A request in good order; body: its bytes, header: more headers.
sub request
{
	my ($self, $method, $target, %param) = @_;

	return $self->raw($self->request_bytes($method, $target, %param));
}

# The same below the path of the webhook; json: a value as the body.
sub api
{
	my ($self, $method, $path, %param) = @_;

	if (exists $param{json})
	{
		$param{body} = encode($param{json});
		$param{header}{'Content-Type'} //= 'application/json';
	}
	return $self->request($method, "/runtime/webhooks/durabletask/$path", %param);
}

# Waits until a status read answers 200.
sub wait_ended
{
	my ($self, $id) = @_;
	my $until = time + 60;

	while (time < $until)
	{
		my $answer = $self->api('GET', "instances/$id");
		return decode($answer->{body}) if $answer->{status} == 200;
		select undef, undef, undef, 0.02;
	}
	die "instance $id does not end";
}

1;
