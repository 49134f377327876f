# Random calls of all functions of the extension, with NULLs, extremes and
# wrong types, in every place that SQL allows: they raise errors of the
# extension, but never an internal error, a crash or a leak.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use FuzzValues;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# FUZZ_SEED repeats a run, or is "random"; FUZZ_SECONDS lets it go on for so long.
my $seed = $ENV{FUZZ_SEED} // 20240229;
$seed = (int(time * 1000) ^ $$) % 1_000_000_000 if $seed eq 'random';
my $deadline = time + ($ENV{FUZZ_SECONDS} // 0);
note "FUZZ_SEED=$seed";
srand($seed);

# calls of each function in each place and round; starts of random names, ids ...
my $calls   = 12;
my $parsers = 60;

my $node = new_server('main', conf => q{
durable_singleton.max_payload_size = '64kB'
durable_singleton.rescan_interval = '2s'
max_prepared_transactions = 5
});
my $parallel = $node->safe_psql('postgres', q{
	SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')
	ORDER BY name LIMIT 1});

$node->safe_psql('postgres', q{
CREATE ROLE fuzzer LOGIN;
CREATE ROLE other LOGIN IN ROLE pg_read_all_stats;
SELECT df_grant_usage(r) FROM unnest('{fuzzer,other}'::name[]) r;
ALTER ROLE fuzzer SET statement_timeout = '150ms';
-- executes statements one by one, and tells what each came to
CREATE FUNCTION fz_steps(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	statement text;
	states text[] := '{}';
BEGIN
	FOR statement IN SELECT jsonb_array_elements_text(input -> 'sql') LOOP
		IF (input ->> 'catch')::boolean THEN
			BEGIN
				EXECUTE statement;
				states := states || '00000'::text;
			EXCEPTION WHEN OTHERS THEN
				states := states || SQLSTATE;
			END;
		ELSE
			EXECUTE statement;
		END IF;
	END LOOP;
	RETURN to_jsonb(states);
END $$;
CREATE FUNCTION fz_in_activity(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('fz_steps', input);
END $$;
CREATE FUNCTION fz_in_task(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_await(df_schedule_activity('fz_steps', input));
END $$;
CREATE FUNCTION fz_echo(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_array(input, df_call_activity('fz_act', input),
		df_record(input));
END $$;
CREATE FUNCTION fz_act(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION fz_named(a int, b text DEFAULT 'b', c jsonb DEFAULT '{}') RETURNS SETOF text
	LANGUAGE sql AS $$ SELECT b FROM generate_series(1, a % 10) $$;
CREATE FUNCTION fz_fails(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING errcode = coalesce(input #>> '{}', 'P0001');
END $$;
CREATE FUNCTION fz_policy(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('fz_fails', '"40P01"', input);
END $$;
CREATE FUNCTION fz_waits(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event(input #>> '{}');
END $$;
-- says that it is safe where the extension's functions are not
CREATE FUNCTION fz_parallel(statement text) RETURNS void PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
END $$;
CREATE FUNCTION fz_no_path(statement text) RETURNS void LANGUAGE plpgsql
	SET search_path = '' SET work_mem = '1MB' AS $$
BEGIN
	EXECUTE statement;
END $$;
-- the call succeeds, and then its subtransaction does not
CREATE FUNCTION fz_undone(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	NULL;
END $$;
CREATE FUNCTION fz_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE NEW.statement;
	RETURN NULL;
END $$;
CREATE TABLE fz_deferred (statement text);
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON fz_deferred DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION fz_trigger();
GRANT INSERT ON fz_deferred TO fuzzer;
});

# Instances of another role are among the targets, and some of one's own.
$node->safe_psql('postgres', q{
	SELECT df_start_singleton('fz_waits', 'theirs', '"go"')}, extra_params => [ '-U', 'other' ]);

# Whatever belongs to the extension and can be called, as the catalog has it.
my @functions = map {
	my ($name, $kind, $types, $arguments) = split /\|/;
	{
		name      => $name,
		kind      => $kind,
		types     => [ split /;/, $types // '' ],
		arguments => [ split /;/, $arguments // '' ]
	}
} split /\n/, $node->safe_psql('postgres', q{
	SELECT p.pronamespace::regnamespace || '.' || quote_ident(p.proname), p.prokind,
		(SELECT string_agg(format_type(t, NULL), ';' ORDER BY i)
			FROM unnest(p.proargtypes) WITH ORDINALITY u (t, i)),
		array_to_string(p.proargnames[1:p.pronargs], ';')
	FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid
			AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		JOIN pg_extension x ON x.oid = d.refobjid
	WHERE x.extname = 'durable_singleton'
	ORDER BY 1});
my @df = grep { $_->{name} =~ /^public\.df_/ } @functions;
cmp_ok(scalar(@df), '>', 30, 'the functions are found in the catalog');

my $values = FuzzValues->new(
	ids       => [ map({ "own $_" } 1 .. 5), 'theirs', 'nobody' ],
	functions => [ (qw(fz_steps fz_in_activity fz_in_task fz_echo fz_act fz_named fz_fails fz_policy fz_waits)) x 4,
		map { $_->{name} } @functions ]);

sub random_call
{
	my ($function) = @_;
	my @types = @{ $function->{types} };
	my @arguments;

	# a wrong number, or wrong types, now and then
	pop @types if @types and rand() < 0.1;
	push @types, 'integer' if rand() < 0.03;
	my $named = rand() < 0.3;
	foreach my $i (0 .. $#types)
	{
		my $value = rand() < 0.06 ? $values->of_any_type : $values->of_type($types[$i], $function->{arguments}[$i]);

		$value = "$function->{arguments}[$i] => $value"
		  if $named and $i < @{ $function->{arguments} };
		push @arguments, $value;
	}
	@arguments = reverse @arguments if $named and @types <= @{ $function->{arguments} };
	my $call = "$function->{name}(" . join(', ', @arguments) . ')';
	return $function->{kind} eq 'p' ? "CALL $call" : "SELECT * FROM $call";
}

sub quoted
{
	return FuzzValues::quoted(@_);
}

# JSON text of a list of statements
sub json_list
{
	return '[' . join(', ', map { FuzzValues::json_string($_) } @_) . ']';
}

my $instances = 0;
sub start
{
	my ($function, $catch, @statements) = @_;
	my $input = '{"catch": ' . ($catch ? 'true' : 'false') . ', "sql": ' . json_list(@statements) . '}';

	return "SELECT public.df_start_singleton('$function', 'fuzz " . ++$instances . "', " . quoted($input) . ')';
}

# Each place makes of calls what psql is to execute.
my %place = (
	'top level'     => sub { @_ },
	'read only'     => sub { map { ('BEGIN READ ONLY', $_, 'ROLLBACK') } @_ },
	'committed'     => sub { map { ('BEGIN ISOLATION LEVEL SERIALIZABLE', $_, 'COMMIT') } @_ },
	'prepared'      => sub { map { ('BEGIN', $_, "PREPARE TRANSACTION 'fuzz'", "COMMIT PREPARED 'fuzz'") } @_ },
	'after failure' => sub { map { ('BEGIN', 'SAVEPOINT s', 'SELECT 1 / 0', $_, 'ROLLBACK TO s', $_, 'ROLLBACK') } @_ },
	'undone'        => sub { map { 'SELECT fz_undone(' . quoted($_) . ')' } @_ },
	'search_path'   => sub { map { 'SELECT public.fz_no_path(' . quoted($_) . ')' } @_ },
	'parallel'      => sub { ("SET $parallel = on", map { 'SELECT fz_parallel(' . quoted($_) . ')' } @_) },
	'at commit'     => sub { map { 'INSERT INTO fz_deferred VALUES (' . quoted($_) . ')' } @_ },
	'orchestrator, caught' => sub { map { start('fz_steps', 1, splice @{ $_[0] }, 0, 4) } 1 .. @{ $_[0] } / 4 },
	'orchestrator'  => sub { map { start('fz_steps', 0, $_) } @_ },
	'activity'      => sub { map { start('fz_in_activity', 0, $_) } @_ },
	'task'          => sub { map { start('fz_in_task', 1, $_) } @_ },
);

my $in_worker = qr/orchestrator|activity|task/;

my %seen;      # SQLSTATE => how often
my @internal;  # calls that came to an internal error

# By files: there is much of it.  Returns what was printed.
sub run_script
{
	my ($user, @statements) = @_;
	my ($script, $out, $err) = map { "$PostgreSQL::Test::Utils::tmp_check/fuzz.$_" } qw(sql out err);

	append_to_file($script, ''), unlink $script;
	append_to_file($script, join(";\n", 'SET client_min_messages = error', @statements) . ";\n");
	IPC::Run::run(
		[
			$node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'),
			'-U', $user, '-v', 'VERBOSITY=verbose', '-f', $script
		],
		'<', \undef, '>', $out, '2>', $err);
	my $stderr = slurp_file($err);
	foreach my $sqlstate ($stderr =~ /^psql:\N+?:\d+: (?:ERROR|FATAL|PANIC):  (\w{5}):/mg)
	{
		$seen{$sqlstate}++;
	}
	push @internal, $stderr =~ /^(psql:\N+?:\d+: \w+:  XX.*)/mg;
	push @internal, "session ended: $1"
	  if $stderr =~ /(.*(?:connection to server was lost|server closed).*)/;
	return slurp_file($out);
}

my $busy = q{
	SELECT count(*) FROM df_instances WHERE owner = 'fuzzer'::regrole
		AND runtime_status IN ('Pending', 'Running')
		AND waiting_for IS NULL AND next_wake_time IS NULL};

my $round = 0;
my %called;
do
{
	my @last;

	$round++;
	$node->safe_psql('postgres', join(';', map {
				"SELECT df_start_singleton('fz_waits', 'own $_', '\"go\"')" } 1 .. 4),
		extra_params => [ '-U', 'fuzzer' ]);
	# what ordinary roles may not call
	run_script(scalar getpwuid($<), 'SET statement_timeout = 150',
		map { my $f = $_; map { random_call($f) } 1 .. $calls }
		grep { $_->{name} !~ /^public\.df_/ or $_->{name} =~ /adopt|usage/ } @functions);
	# one of these calls may have taken away what the others need
	$node->safe_psql('postgres', q{SELECT df_grant_usage(r) FROM unnest('{fuzzer,other}'::name[]) r});

	# what runs in workers last: nothing purges it before it is looked at
	foreach my $name (sort { ($a =~ /$in_worker/) <=> ($b =~ /$in_worker/) or $a cmp $b } keys %place)
	{
		my @calls;

		foreach my $function (@df)
		{
			push @calls, map { random_call($function) } 1 .. $calls;
			$called{$name}{ $function->{name} } = 1;
		}
		# so that what one of them does comes before all sorts of others
		@calls = map { $_->[1] } sort { $a->[0] <=> $b->[0] } map { [ rand(), $_ ] } @calls;
		# what purges comes when the others have been looked at
		if ($name =~ $in_worker)
		{
			push @last, start('fz_steps', 1, $_) foreach grep { /df_purge_by/ } @calls;
			@calls = grep { !/df_purge_by/ } @calls;
		}
		my $begun = time;
		run_script('fuzzer', $place{$name}->($name =~ /caught/ ? \@calls : @calls));
		note sprintf '%s: %.1f s', $name, time - $begun;
	}
	# Everything that is parsed: policies, names, ids, and jsonb into arguments.
	run_script('fuzzer', map {
		(
			"SELECT df_start_new('fz_policy', NULL, " . quoted($values->policy) . ')',
			'SELECT df_start_new(' . quoted($values->name) . ", NULL, '{}')",
			"SELECT df_start_singleton('fz_act', " . quoted($values->id) . ", '1')",
			"SELECT df_start_new('fz_waits', NULL, to_jsonb(" . quoted($values->id) . '::text))',
			"SELECT df_start_new('fz_in_activity', NULL, " . quoted($values->json) . ')',
			start('fz_steps', 1, 'SELECT df_call_activity(' . quoted($values->name) . ', ' . quoted($values->json) . ')',
				"SELECT df_call_activity('fz_named', " . quoted($values->json_object(3, qw(a b c d))) . ')'),
			"SELECT df_raise_event('own 1', " . quoted($values->id) . ', ' . quoted($values->json) . ')')
	} 1 .. $parsers);

	ok($node->poll_query_until('postgres', $busy, '0'), "round $round: whatever was started comes to an end, or waits");
	note "what became of what was started:\n" . $node->safe_psql('postgres', q{
		SELECT string_agg(concat_ws(' ', n, name, runtime_status, sqlstate), E'\n') FROM (
			SELECT name, runtime_status, failure ->> 'sqlstate' AS sqlstate, count(*) AS n
			FROM df_instances WHERE name LIKE 'fz%' GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 40) s});
	push @internal, split /\n/, $node->safe_psql('postgres', q{
		SELECT instance_id || ': ' || failure FROM df_instances WHERE failure ->> 'sqlstate' LIKE 'XX%'
		UNION ALL SELECT instance_id || ': ' || output FROM df_instances WHERE output::text LIKE '%"XX%'
		UNION ALL SELECT instance_id || ': ' || failure FROM df_history WHERE failure ->> 'sqlstate' LIKE 'XX%'
		LIMIT 20});
	$seen{$_->[0]} += $_->[1] foreach map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', q{
		SELECT failure ->> 'sqlstate', count(*) FROM df_instances WHERE failure IS NOT NULL GROUP BY 1
		UNION ALL SELECT s, count(*) FROM df_instances,
			jsonb_array_elements_text(CASE jsonb_typeof(output) WHEN 'array' THEN output END) s
		WHERE name = 'fz_steps' AND length(s) = 5 GROUP BY 1});
	run_script('fuzzer', @last);
	$node->poll_query_until('postgres', $busy, '0') or die 'purging does not come to an end';
	# the next round begins anew
	$node->safe_psql('postgres', q{
		DO $$
		DECLARE
			id text;
		BEGIN
			FOR id IN SELECT instance_id FROM df_instances WHERE owner = 'fuzzer'::regrole
				AND runtime_status IN ('Pending', 'Running', 'Suspended')
			LOOP
				BEGIN
					PERFORM df_terminate(id);
				EXCEPTION WHEN SQLSTATE 'SD410' THEN
					-- it was waiting for a moment only
					NULL;
				END;
			END LOOP;
		END $$});
	$node->safe_psql('postgres', "SET statement_timeout = 0; SELECT df_purge_by('2000-01-01')",
		extra_params => [ '-U', 'fuzzer' ]);
} while (time < $deadline);

is(join("\n", @internal), '', 'no call comes to an internal error');
note join ' ', map { "$_: $seen{$_}" } sort keys %seen;
foreach my $sqlstate (qw(SD400 SD404 SD409 SD410 42501 42883 25006 25P02))
{
	cmp_ok($seen{$sqlstate} // 0, '>', 0, "some are refused with $sqlstate");
}
foreach my $name (sort keys %place)
{
	is(scalar(keys %{ $called{$name} }), scalar(@df), "every function was called: $name");
}
is( $node->safe_psql('postgres', q{
		SELECT runtime_status, input, waiting_for FROM df_instances WHERE instance_id = 'theirs'}),
	'Running|"go"|event go', "another role's instance has not been touched");
is( $node->safe_psql('postgres', "SELECT df_raise_event('theirs', 'go', '7'); SELECT output FROM df_wait_for_completion('theirs')",
		extra_params => [ '-U', 'other' ]),
	"\n7", 'and still works');

# What goes in comes out.
my @payloads = map { $values->json } 1 .. 200;
$node->safe_psql('postgres', join(";\n", map {
			"SELECT df_start_singleton('fz_echo', 'echo $_', " . quoted($payloads[$_]) . ')'
		} 0 .. $#payloads));
wait_ended($node, 'postgres', 'echo %') or die 'payloads do not come back';
is( $node->safe_psql('postgres', q{
		SELECT count(*), count(*) FILTER (WHERE output = jsonb_build_array(input, input, input)) FROM df_instances
		WHERE instance_id LIKE 'echo %'}),
	'200|200', 'payloads come back as they were sent');
my @ids = map { $values->good_id($_) } 1 .. 200;
$node->safe_psql('postgres', join(";\n", map {
			"SELECT df_start_singleton('fz_act', " . quoted($_) . ", to_jsonb(" . quoted($_) . "::text))"
		} @ids));
is($node->safe_psql('postgres', 'SELECT count(*) FROM unnest(ARRAY[' . join(', ', map { quoted($_) } @ids) . q{]::text[]) id,
		df_wait_for_completion(id) s WHERE s.instance_id = id AND s.output = to_jsonb(id)}),
	200, 'and so do ids');

# An encoding without rules: bytes that no other encoding knows.
$node->safe_psql('postgres', q{CREATE DATABASE ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
$node->safe_psql('ascii', q{
	CREATE EXTENSION durable_singleton;
	CREATE FUNCTION act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		RAISE EXCEPTION E'\xff% \xfe', df_instance_id();
	END $$});
is( $node->safe_psql('ascii', q{
		SELECT df_start_singleton('act', E'\xff\xfe\xc2\x80');
		SELECT runtime_status, encode(convert_to(failure ->> 'message', 'SQL_ASCII'), 'hex') FROM df_wait_for_completion(E'\xff\xfe\xc2\x80')},
		extra_params => [ '-v', 'ENCODING=SQL_ASCII' ]),
	"t\nFailed|fffffec28020fe", 'bytes of no encoding are just bytes');

# A session that has seen all errors again and again has not grown by them.
my @script = map { my $f = $_; map { random_call($f) } 1 .. 3 } @df;
my $size = q{SELECT 'size', sum(used_bytes) FROM pg_backend_memory_contexts};
my $stdout = run_script('other', 'SET statement_timeout = 20',
	map({ (@script) } 1 .. 2), $size, map({ (@script) } 1 .. 5), $size);
my ($before, $after) = $stdout =~ /^size\|(\d+)$/mg;
cmp_ok(($after // 1e9) - ($before // 0), '<', 300_000, 'memory does not leak: ' . ($before // '?') . ' bytes, then ' . ($after // '?'));
is( $node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE a.pid <> pg_backend_pid() AND l.locktype <> 'virtualxid' AND a.state = 'idle'}),
	0, 'nor do locks');

my @bad = grep { /(?:\] |^)XX\d{3} | (?:ERROR|FATAL):  XX/ } split /\n/, slurp_file($node->logfile);
is(join("\n", @bad[ 0 .. (@bad > 5 ? 4 : $#bad) ]), '', 'no internal error stands in the log');
finish($node);
done_testing();
