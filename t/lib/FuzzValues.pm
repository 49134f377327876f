# Random values for calls of SQL functions: nulls, extremes, what is nearly
# right, and what a parser stumbles over.
package FuzzValues;

use strict;
use warnings;

# Values of each type as SQL; ids and functions: names that mean something.
sub new
{
	my ($class, %param) = @_;

	return bless {%param}, $class;
}

sub pick
{
	return $_[ rand @_ ];
}

sub quoted
{
	my ($text) = @_;

	$text =~ s/'/''/g;
	# a backslash must not escape anything
	return $text =~ /\\/ ? q{ E'} . ($text =~ s/\\/\\\\/gr) . q{'} : "'$text'";
}

sub json_string
{
	my ($text) = @_;

	$text =~ s/([\\"])/\\$1/g;
	$text =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
	return "\"$text\"";
}

my %pool = (
	boolean => [qw(NULL true false true)],
	integer => [qw(NULL 0 1 2 3 -1 2147483647), '-2147483648'],
	bigint  => [qw(NULL 0 1 -1 9223372036854775807)],
	oid     => [qw(NULL 0 10 4294967295)],
	'double precision' => [
		qw(NULL 0 1 2 -1 1e308), "'5e-324'", "'NaN'", "'Infinity'", "'-Infinity'"
	],
	interval => [
		'NULL', map { "'$_'" } '0', '1 us', '-1 us', '1 ms', '10 ms', '1 s', '-1 s', '1 day',
		'178000000 years', '-178000000 years', '1 mon -30 days', '1 year -365 days', '-infinity',
		'infinity', 'P1M-1DT1S', '2147483647 months', '2147483647 days', '2147483647 months 2147483647 days'
	],
	'timestamp with time zone' => [
		'NULL', 'now()', "now() + '1 ms'", map { "'$_'" } 'infinity', '-infinity',
		'4714-11-24 00:00:00 BC', '294276-12-31 23:59:59', '294277-01-01', '2000-01-01', 'epoch', '2200-01-01'
	],
	uuid => [ 'NULL', 'gen_random_uuid()', "'00000000-0000-0000-0000-000000000000'" ],
	'integer[]' => [
		'NULL', map { "'$_'::int[]" } '{}', '{NULL}', '{1}', '{1,1}', '{1,2,3}', '{0}', '{-1}', '{2147483647}',
		'{{1,2},{3,4}}', '[-5:-3]={1,2,3}', '{1,NULL,2}'
	],
	'text[]' => [
		'NULL', '(SELECT array_agg(i::text) FROM generate_series(1, 3000) i)',
		map { "'$_'::text[]" } '{}', '{NULL}', '{40001}', '{08}', '{""}', '{4000}', '{40001,40001}', '{xxxxx}',
		'{{a,b},{c,d}}', '{own 1,own 2}', '{own 1,NULL}', '{theirs}', '[3:3]={08}'
	],
	name    => [ 'NULL', map { "'$_'" } '', 'nobody', 'nobody at all', '"other"', 'pg_monitor;', 'none' ],
	regrole => [ 'NULL', "'fuzzer'", '0', '4294967295', '10' ],
);
$pool{'durable_singleton.df_runtime_status'} = $pool{'df_runtime_status'} =
  [ 'NULL', "'Failed'", "'Running'", "'x'" ];
$pool{'df_runtime_status[]'} = [
	'NULL', map { "'$_'" } '{}', '{NULL}', '{Completed}', '{Failed,Failed}', '{Running}', '{Canceled}',
	'{Completed,Failed,Terminated}', '{{Completed,Failed}}', '{completed}', '{ContinuedAsNew}', '[0:0]={Failed}'
];

# argument: the name of the argument, which tells what would make sense
sub of_type
{
	my ($self, $type, $argument) = @_;

	return $self->text_value($argument // '') if $type eq 'text';
	return $self->jsonb_value if $type eq 'jsonb';
	return pick(@{ $pool{$type} }) if $pool{$type};
	# a type that is new here
	return pick("NULL::$type", "'x'::$type", "''", "'{}'", '0');
}

sub of_any_type
{
	my ($self) = @_;

	return $self->of_type(pick('text', 'jsonb', sort keys %pool));
}

sub text_value
{
	my ($self, $argument) = @_;
	my $kind = rand;

	if (rand() < 0.7)
	{
		return quoted(pick(@{ $self->{ids} })) if $argument =~ /_id$/;
		return quoted(pick(@{ $self->{functions} })) if $argument =~ /function/;
		return pick("'skip'", "'error'", "'terminate'") if $argument =~ /conflict/;
	}
	return 'NULL' if $kind < 0.08;
	return quoted(pick(@{ $self->{ids} })) if $kind < 0.4;
	return quoted(pick(@{ $self->{functions} })) if $kind < 0.7;
	return quoted($self->name) if $kind < 0.8;
	return pick("'skip'", "'error'", "'terminate'", "'go'", "'GO'", "''", "' '") if $kind < 0.88;
	return pick("repeat('x', 256)", "repeat('x', 257)", "repeat('é', 128)", "repeat('é', 129)", "repeat('x', 100000)",
		"E'a\\nb'", "E'\\x7f'", "E'\\u0080'", "E'\\u202e'") if $kind < 0.94;
	return quoted($self->id);
}

sub jsonb_value
{
	my ($self) = @_;
	my $kind = rand;

	return 'NULL' if $kind < 0.15;
	return quoted($self->policy) if $kind < 0.4;
	return "to_jsonb(repeat('x', 70000))" if $kind < 0.43;
	return "(repeat('[', 5000) || repeat(']', 5000))::jsonb" if $kind < 0.45;
	return quoted($self->json);
}

# Something like a name: schema-qualified, quoted, cut off, or neither.
sub name
{
	my ($self) = @_;

	return join('', map { pick('a' .. 'f', 'A', '.', '.', '"', '"', ' ', '_', '1', 'é', '\\', '(', ')', "'", '%s', '-', ';', '$') }
		  1 .. 1 + rand 12) if rand() < 0.5;
	return join('.', map { my $n = pick('public', 'pg_catalog', 'pg_temp', 'nowhere', 'fz_act', 'fz_named', 'x' x 64, '');
			rand() < 0.3 ? "\"$n\"" : $n } 1 .. 1 + rand 3) if rand() < 0.6;
	return pick(qw(pg_sleep query_to_xml now version jsonb_object_agg sum pg_notify generate_series int4in pg_lsn_mi
		pg_catalog.lower array_in record_out ts_debug df_run));
}

# Something like an id, control characters included.
sub id
{
	my ($self) = @_;

	return join '', map {
		pick('a', 'B', ' ', '"', "'", '\\', '%n', '{', '}', '$1', "\x01", "\n", "\t", "\x7f", "\xc2\x85", "\xc2\xa0",
			'é', "\xe2\x80\xae", "\xf0\x9f\x92\xa5", ';', '--', '/*', ':x', '')
	} 0 .. rand 40;
}

# One that is accepted, and no other's.
sub good_id
{
	my ($self, $n) = @_;
	my $id = $self->id;

	$id =~ s/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]//g;
	return "$n $id";
}

sub json
{
	my ($self, $depth) = @_;
	my $kind = rand;

	$depth //= 0;
	return pick('null', 'true', 'false', '0', '-1', '1', '1e100', '-0.0', '123456789012345678901234567890.5', '1e-20',
		'2147483648', '""', '"x"', '"\ud83d\ude00"', '"\n"', '"40001"', '"1 s"', '"own 1"',
		json_string($self->id)) if $depth > 4 or $kind < 0.4;
	return '[' . join(', ', map { $self->json($depth + 1) } 1 .. rand 5) . ']' if $kind < 0.7;
	return $self->json_object($depth + 1, qw(a b sql catch input name), '', 'max_attempts');
}

sub json_object
{
	my ($self, $depth, @keys) = @_;

	return '{' . join(', ', map { json_string(pick(@keys)) . ': ' . $self->json($depth + 1) } 1 .. rand 6) . '}';
}

# A retry policy that is right, or wrong in a place or two.
sub policy
{
	my ($self) = @_;
	my %right = (
		max_attempts        => [ 1, 1, 2, 3 ],
		first_interval      => [ '"PT0.001S"', '"PT0S"', '"P0D"' ],
		backoff_coefficient => [ 1, 2, 0.5, '1e308' ],
		max_interval        => [ '"PT0.001S"', '"PT1S"', '"P100000Y"' ],
		retry_timeout       => [ '"PT0.001S"', '"PT1S"' ],
		retry_on            => [ '["40P01"]', '["40"]', '[]' ]);
	my %wrong = (
		max_attempts        => [ 0, -1, 1e10, 2.5, '"3"', 'null', 2147483648 ],
		first_interval      => [ '"1 s"', '"PT-1S"', '1', '"x"', '"P178000001Y"', '""', '"PT1S2S"', '"infinity"', '"P"', '"PT"', '"P1"', '"P99999999999999999999D"' ],
		backoff_coefficient => [ 0, -1, '1e400', '1e131071', '"NaN"', '"2"' ],
		max_interval        => [ '"infinity"', 'null', '"-178000000 years"' ],
		retry_timeout       => [ '{}', '"0"', '[[]]' ],
		retry_on            => [ '["4"]', '[1]', '"40P01"', '["40P01", null]', '[["40"]]', 'null', '["4000é"]' ],
		surprise            => ['1']);
	my %policy = map { $_ => pick(@{ rand() < 0.1 ? $wrong{$_} : $right{$_} }) } keys %right;
	my @keys = ('max_attempts', grep { rand() < 0.4 } grep { $_ ne 'max_attempts' } sort keys %policy);

	if (rand() < 0.05)
	{
		push @keys, 'surprise';
		$policy{surprise} = 1;
	}
	shift @keys if rand() < 0.03;
	return $self->json if rand() < 0.1;
	return '{' . join(', ', map { "\"$_\": " . (rand() < 0.02 ? $self->json(3) : $policy{$_}) } @keys) . '}';
}

1;
