# Random sequences of client calls return what a small reference model of the
# state machine predicts, and leave the instances in the predicted state.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use StatusModel;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# MODEL_SEED repeats a run, MODEL_SEQUENCES makes it longer.
my $seed      = $ENV{MODEL_SEED} // (int(time * 1000) ^ $$) % 1_000_000_000;
my $sequences = $ENV{MODEL_SEQUENCES} // 3000;
my $batch     = 150;

my $node = new_server('main', conf => "max_prepared_transactions = 5\n");

# Without workers nothing happens but what the session does.
$node->safe_psql('postgres', q{
ALTER DATABASE postgres SET durable_singleton.enabled = off;

CREATE TABLE m_log (id text);
CREATE INDEX ON m_log (id);
CREATE TABLE m_mended (mended boolean);
INSERT INTO m_mended VALUES (false);

-- activities
CREATE FUNCTION m_note(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO m_log VALUES (input #>> '{}');
	RETURN '"noted"';
END $$;
CREATE FUNCTION m_fix(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF NOT (SELECT mended FROM m_mended) THEN
		RAISE EXCEPTION 'not mended yet';
	END IF;
	RETURN '"fixed"';
END $$;

-- orchestrators
CREATE FUNCTION m_done(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN input;
END $$;
CREATE FUNCTION m_wait(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"waiting"');
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION m_acts(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	data jsonb;
BEGIN
	PERFORM df_call_activity('m_note', to_jsonb(df_instance_id()));
	data := df_wait_for_external_event('Go');
	PERFORM df_call_activity('m_note', to_jsonb(df_instance_id()));
	RETURN data;
END $$;
CREATE FUNCTION m_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('m_note', to_jsonb(df_instance_id()));
	RETURN df_call_activity('m_fix');
END $$;
CREATE FUNCTION m_late(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('m_fix');
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION m_raise(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN m_fix(input);
END $$;
CREATE FUNCTION m_catch(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	first jsonb;
BEGIN
	BEGIN
		first := df_call_activity('m_fix');
	EXCEPTION WHEN raise_exception THEN
		first := '"caught"';
	END;
	PERFORM df_call_activity('m_note', to_jsonb(df_instance_id()));
	RETURN jsonb_build_array(first, df_call_activity('m_fix'));
END $$;
CREATE FUNCTION m_fan(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_all(ARRAY[
		df_schedule_activity('m_note', to_jsonb(df_instance_id())),
		df_schedule_activity('m_fix'),
		df_schedule_activity('m_note', to_jsonb(df_instance_id()))]);
END $$;
CREATE FUNCTION m_kid(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	data jsonb;
BEGIN
	data := df_wait_for_external_event('go');
	PERFORM df_call_activity('m_fix');
	RETURN data;
END $$;
CREATE FUNCTION m_family(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_sub_orchestrator('m_kid', input, df_instance_id() || ' kid');
END $$;
CREATE FUNCTION m_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"sleeping"');
	PERFORM df_create_timer('1000 days');
	RETURN NULL;
END $$;
CREATE FUNCTION m_turn(input jsonb, preserve boolean) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	data jsonb;
BEGIN
	PERFORM df_set_custom_status(input);
	data := df_wait_for_external_event('item');
	IF input::int % 10 < 2 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int + 1), preserve);
	END IF;
	RETURN data;
END $$;
CREATE FUNCTION m_loop(input jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT m_turn(input, true)';
CREATE FUNCTION m_drop(input jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT m_turn(input, false)';

-- a call in a subtransaction: its result or its SQLSTATE
CREATE FUNCTION m_try(call text, id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE 'SELECT (' || call || ')::text' INTO answer USING id;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE FUNCTION m_status(id text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN format('%s|%s|%s', coalesce((
			SELECT format('%s|%s|%s|%s|%s|%s|%s', s.name, s.runtime_status, s.input,
				s.custom_status, s.output, s.failure ->> 'sqlstate',
				(SELECT string_agg(event_type, ' ' ORDER BY seq) FROM df_history h
				WHERE h.instance_id = id AND h.execution_id = s.execution_id))
			FROM df_get_status(id) s), 'none'),
		(SELECT count(*) FROM df_executions WHERE instance_id = id),
		(SELECT count(*) FROM m_log WHERE m_log.id = m_status.id));
END $$;

-- the tables of the extension that have rows
CREATE FUNCTION m_left() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	relation text;
	n bigint;
	found text[];
BEGIN
	FOR relation IN SELECT relname FROM pg_class
		WHERE relnamespace = 'durable_singleton'::regnamespace AND relkind = 'r'
			AND relname <> 'home'
	LOOP
		EXECUTE format('SELECT count(*) FROM durable_singleton.%I', relation) INTO n;
		IF n > 0 THEN
			found := found || format('%s: %s', relation, n);
		END IF;
	END LOOP;
	RETURN array_to_string(found, ', ');
END $$;
});

#
# Sequences of operations: data alone, so that parts of them can be left out.
# A transaction (tx) and a savepoint (sp) contain others.
#

sub one_of
{
	return $_[ rand @_ ];
}

my @functions = qw(m_done m_done m_wait m_wait m_acts m_fail m_fail m_late m_late
  m_raise m_catch m_fan m_family m_family m_family m_loop m_loop m_drop m_timer);
my @endings = qw(Completed Failed Terminated);
my @reuses = (
	undef, undef, undef, [], [qw(Completed)], [qw(Failed Terminated)],
	[qw(Terminated)], [qw(Completed Failed)], [qw(Completed Running)]);

sub what_to_start
{
	return (
		function => one_of(@functions),
		input    => 10 * int rand 90,
		later    => rand() < 0.1 ? 1 : 0);
}

sub reason
{
	return one_of(undef, 'why', 'because');
}

my %generators = (
	start => [
		20,
		sub {
			my $conflict = one_of(qw(skip skip error terminate));
			return (
				what_to_start(),
				variant  => $conflict,
				conflict => $conflict,
				reuse    => one_of(@reuses));
		}
	],
	start_new => [
		4,
		sub {
			my ($sequence) = @_;
			return (what_to_start(), rand() < 0.3 ? made_id($sequence) : ());
		}
	],
	raise_event => [
		18,
		sub {
			return (
				event => one_of(qw(go GO item item Item other)),
				data  => rand() < 0.1 ? '' : 100 + int rand 900);
		}
	],
	terminate => [ 6, sub { return (reason => reason()) } ],
	suspend   => [ 9, sub { return (reason => reason()) } ],
	resume    => [ 11, sub { return (reason => reason()) } ],
	rewind    => [ 11, sub { return (reason => reason()) } ],
	restart   => [
		8,
		sub {
			my ($sequence) = @_;
			return rand() < 0.4
			  ? (variant => 'new id', made_id($sequence, 1))
			  : (variant => 'same id');
		}
	],
	purge    => [ 6, sub { return () } ],
	purge_by => [
		3,
		sub {
			return (
				id => undef,
				statuses =>
				  one_of(undef, [one_of(@endings)], [qw(Failed Completed)],
					[], [qw(Completed Pending)]),
				none => rand() < 0.2);
		}
	],
	status => [ 6, sub { return () } ],
	mend   => [ 5, sub { return (id => undef, value => int rand 2) } ],
	run    => [ 25, sub { return (id => undef) } ]);
my @calls = sort keys %generators;
my @wheel = map { ($_) x $generators{$_}[0] } @calls;

# The next id of those that the server makes.
sub made_id
{
	my ($sequence, $keep_id) = @_;
	my $as = 'n' . ++$sequence->{made};

	return (as => $as, $keep_id ? () : (id => undef));
}

# What leads on from a status, so that sequences do not get stuck in errors.
my %leads_on = (
	none    => [qw(start start start start_new)],
	Pending => [qw(run run run raise_event suspend suspend terminate)],
	Running =>
	  [qw(run run raise_event raise_event raise_event raise_event suspend suspend terminate)],
	active     => [qw(run run run suspend raise_event)],
	Suspended  => [qw(resume resume resume resume run raise_event raise_event terminate)],
	Completed  => [qw(start start_new restart restart purge purge_by)],
	Failed     => [qw(rewind rewind rewind mend mend run start_new restart purge purge_by)],
	Terminated => [qw(start start_new restart purge purge_by)],
	'~'        => [qw(run)]);

# The sequence has the model of what it did so far.
sub random_op
{
	my ($sequence, $in_transaction) = @_;
	my $model = $sequence->{model};
	my $id = one_of(qw(a a a a a a b b b c), map { "n$_" } 1 .. $sequence->{made});
	my $status = $model->status_of($id);
	my $call;

	do
	{
		$call = one_of(rand() < 0.65 ? @{ $leads_on{$status} }
			: rand() < 0.5 ? @wheel : @calls);
	} while ($in_transaction && $call eq 'run' && $status ne '~');
	$call = 'status' if $in_transaction && $call eq 'run';

	# a child is left to its parent but for these calls
	$id .= ' kid'
	  if $call =~ /^(?:raise_event|terminate|suspend|resume|status)$/
	  && rand() < ($model->status_of("$id kid") eq 'none' ? 0.05 : 0.6);

	my $op = {
		call    => $call,
		variant => '',
		id      => $id,
		trapped => rand() < 0.3,
		$generators{$call}[1]->($sequence)
	};
	my $instance = $model->{instance}{$id};
	$op->{event} = $instance->{function} =~ /loop|drop/ ? 'item' : 'go'
	  if $call eq 'raise_event' && $instance && rand() < 0.7;
	$model->call($op);
	return $op;
}

# Now and then with a look at what it has made of the instance.
sub random_ops
{
	my $op = random_op(@_);

	return $op unless defined $op->{id} && $op->{call} ne 'status' && rand() < 0.2;
	return ($op, { call => 'status', variant => '', id => $op->{id} });
}

sub random_block
{
	my ($sequence, $kind) = @_;
	my $snapshot = $sequence->{model}->snapshot;
	my $block = { call => $kind, ops => [] };

	foreach (1 .. 1 + int rand 4)
	{
		push @{ $block->{ops} }, rand() < 0.25
		  ? random_block($sequence, 'sp')
		  : random_ops($sequence, 1);
	}
	if ($kind eq 'sp')
	{
		$block->{end} = one_of(qw(release rollback));
	}
	else
	{
		$block->{end} = one_of(qw(commit commit commit rollback rollback prepare forget));
		$block->{level} = one_of('', '', 'REPEATABLE READ', 'SERIALIZABLE');
	}
	$sequence->{model}->restore($snapshot) if $block->{end} =~ /rollback|forget/;
	return $block;
}

sub random_sequence
{
	my $keep = one_of(10, 10, 2, 1, 0);
	my $sequence =
	  { keep => $keep, made => 0, ops => [], model => StatusModel->new($keep) };
	my $length = 10 + int rand 11;

	while (count_ops($sequence->{ops}) < $length)
	{
		push @{ $sequence->{ops} }, rand() < 0.1
		  ? random_block($sequence, 'tx')
		  : random_ops($sequence, 0);
	}
	push @{ $sequence->{ops} }, { call => 'run', variant => '' }
	  if rand() < 0.7;
	return $sequence;
}

sub count_ops
{
	my ($ops) = @_;
	my $n = 0;

	$n += $_->{ops} ? 1 + count_ops($_->{ops}) : 1 foreach @$ops;
	return $n;
}

#
# A sequence as a script of psql and the answers that the model expects.
#

sub literal
{
	my ($value) = @_;

	return defined $value && $value ne '' ? "'$value'" : 'NULL';
}

sub status_array
{
	my ($statuses) = @_;

	return defined $statuses ? "'{" . join(',', @$statuses) . "}'" : 'NULL';
}

# The call as SQL, with %s in the place of the id.
sub call_sql
{
	my ($op) = @_;
	my $call = $op->{call};

	if ($call eq 'start' || $call eq 'start_new')
	{
		my $sql = sprintf "%s('%s', %%s, '%s'",
		  $call eq 'start' ? 'df_start_singleton' : 'df_start_new',
		  $op->{function}, $op->{input};
		$sql .= ", on_conflict => '$op->{conflict}'" if defined $op->{conflict};
		$sql .= ', reuse => ' . status_array($op->{reuse}) if defined $op->{reuse};
		$sql .= ", start_at => '2200-01-01'" if $op->{later};
		return "$sql)";
	}
	return "df_raise_event(%s, '$op->{event}', " . literal($op->{data}) . ')'
	  if $call eq 'raise_event';
	return "df_$call(%s, " . literal($op->{reason}) . ')'
	  if $call =~ /^(?:terminate|suspend|resume|rewind)$/;
	return 'df_restart(%s, ' . ($op->{as} ? 'true' : 'false') . ')'
	  if $call eq 'restart';
	return 'df_purge(%s)' if $call eq 'purge';
	return 'm_status(%s)' if $call eq 'status';
	return
		"df_purge_by(:'begun', "
	  . ($op->{none} ? ":'begun'" : 'NULL') . ', '
	  . status_array($op->{statuses}) . ')'
	  if $call eq 'purge_by';
	die $call;
}

sub with_id
{
	my ($sql, $id) = @_;

	return $sql =~ s/%s/$id/r;
}

# Adds the operations to the script; each answer is a line of its own.
sub add_ops
{
	my ($script, $ops, $depth) = @_;
	my ($lines, $model) = @$script{qw(lines model)};

	foreach my $op (@$ops)
	{
		if ($op->{ops})
		{
			my $snapshot = $model->snapshot;

			# a savepoint whose transaction was left out is one
			my $end = $op->{end} eq 'release' && !$depth ? 'commit' : $op->{end};

			push @$lines, $depth ? "SAVEPOINT s$depth;"
			  : 'BEGIN' . ($op->{level} ? " ISOLATION LEVEL $op->{level}" : '') . ';';
			add_ops($script, $op->{ops}, $depth + 1);
			if ($model->{unclear})
			{
				$model->restore($snapshot);
				return;
			}
			push @$lines, {
				release => "RELEASE SAVEPOINT s$depth;",
				commit  => 'COMMIT;',
				prepare => "PREPARE TRANSACTION 'm';\nCOMMIT PREPARED 'm';",
				forget  => "PREPARE TRANSACTION 'm';\nROLLBACK PREPARED 'm';",
				rollback => $depth ? "ROLLBACK TO SAVEPOINT s$depth;" : 'ROLLBACK;'
			}->{$end};
			$model->restore($snapshot) if $end =~ /rollback|forget/;
			next;
		}

		# what comes after something that the contract leaves open is, too
		my $snapshot = $model->{families} ? $model->snapshot : undef;
		my $expected = $model->call($op);
		if ($model->{unclear})
		{
			push @$lines, 'ROLLBACK;' if $depth;
			$model->restore($snapshot);
			return;
		}
		if ($op->{call} eq 'run')
		{
			push @$lines, 'CALL df_run();';
			next;
		}
		if ($op->{call} eq 'mend')
		{
			push @$lines, 'UPDATE m_mended SET mended = '
			  . ($op->{value} ? 'true' : 'false') . ';';
			next;
		}

		my $id = id_sql($script, $op->{id});
		my $sql = call_sql($op);
		my $failing = $expected =~ /^SD/;

		# An error outside of a subtransaction would abort the transaction.
		my $guard = $failing && $depth ? 'SAVEPOINT t;' : '';
		if ($op->{trapped} && $op->{call} ne 'purge_by')
		{
			push @$lines, sprintf(
				'SELECT m_try($$ %s $$, %s) AS answer \gset',
				with_id($sql, '$1'), $id);
			$guard = '';
		}
		else
		{
			push @$lines, $guard if $guard;
			push @$lines, sprintf('SELECT (%s)::text AS answer \gset', with_id($sql, $id));
		}
		my $line = $#$lines;
		add_answer($script, $expected, $line);
		push @$lines, "ROLLBACK TO SAVEPOINT t;" if $guard;
		push @$lines, "\\set $op->{as} :answer" if $op->{as} && !$failing;
	}
	return;
}

# A symbol of the model as SQL.
sub id_sql
{
	my ($script, $id) = @_;

	return 'NULL' unless defined $id;
	return $1 ? "(:'$1' || ' kid')" : ":'$id'" if $id =~ /^(?:(n\d+) kid|n\d+)$/;
	return "'s$script->{number} $id'";
}

sub add_answer
{
	my ($script, $expected, $line) = @_;
	my $answers = $script->{answers};

	push @$answers, { expected => $expected, line => $line };
	push @{ $script->{lines} },
	  "\\echo # $script->{number} $#$answers :SQLSTATE :answer";
	return;
}

sub compile
{
	my ($sequence, $number) = @_;
	my $script = {
		number  => $number,
		model   => StatusModel->new($sequence->{keep}),
		lines   => [],
		answers => []
	};
	push @{ $script->{lines} }, "\\set n$_ 's$number n$_'" foreach 1 .. $sequence->{made};
	push @{ $script->{lines} },
	  'SELECT clock_timestamp() AS begun \gset',
	  "SET durable_singleton.keep_executions = $sequence->{keep};",
	  'UPDATE m_mended SET mended = false;';
	add_ops($script, $sequence->{ops}, 0);

	my @ids = (qw(a b c), map { "n$_" } 1 .. $sequence->{made});

	push @ids, map { "$_ kid" } @ids if $script->{model}{families};
	foreach my $id (@ids)
	{
		push @{ $script->{lines} }, sprintf 'SELECT m_status(%s) AS answer \gset',
		  id_sql($script, $id);
		add_answer($script,
			$script->{model}->call({ call => 'status', id => $id, variant => '' }),
			$#{ $script->{lines} });
	}

	# so that none of it is left to the next sequence
	push @{ $script->{lines} }, 'CALL df_run();';
	return $script;
}

# Runs the scripts in one session and returns the number of the first one that
# answers otherwise than expected.
my $runs = 0;

sub run_scripts
{
	my @scripts = @_;
	my $dir  = PostgreSQL::Test::Utils::tempdir;
	my $file = "$dir/script";
	my %actual;

	open my $out, '>', $file or die "$file: $!";
	print $out "\\set QUIET on\nSET client_min_messages = error;\n";
	print $out map { "$_\n" } map { @{ $_->{lines} } } @scripts;
	close $out;
	start_psql($node, 'postgres', $file, "$dir/out")->finish;
	$runs++;

	foreach (split /\n/, slurp_file("$dir/out"))
	{
		$actual{$1}[$2] = $3 eq '00000' ? $4 : $3 if /^# (\d+) (\d+) (\w+) ?(.*)$/;
	}
	foreach my $script (@scripts)
	{
		$script->{actual} = $actual{ $script->{number} };
		$script->{differs} = 0;
		foreach my $n (0 .. $#{ $script->{answers} })
		{
			my $answer = $script->{answers}[$n];
			$answer->{actual} = normal($actual{ $script->{number} }[$n] // 'nothing',
				$answer->{expected});
			$script->{differs} ||= $answer->{actual} ne $answer->{expected};
		}
	}
	return grep { $_->{differs} } @scripts;
}

# Ids that nobody can foresee; statuses and histories that the contract leaves
# open.
sub normal
{
	my ($actual, $expected) = @_;

	$actual =~ s/^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|s\d+ n\d+)$/a uuid/;
	$actual =~ s/^s\d+ [abc]$/the id/;
	$actual =~ s/\|(?:Pending|Running)\|/|active|/ if $expected =~ /\|active\|/;
	$actual =~ s/\|ExecutionStarted[^|]*\|/|*|/ if $expected =~ /\|\*\|/;
	if ($expected =~ /~/)
	{
		my @actual = split /\|/, $actual, -1;
		my @expected = split /\|/, $expected, -1;

		foreach my $n (0 .. $#actual)
		{
			$actual[$n] = '~' if ($expected[$n] // '') eq '~';
		}
		$actual = join '|', @actual;
	}
	return $actual;
}

#
# A sequence that differs is made shorter as long as it still differs.
#

# All that one gets by leaving out one operation, or the block around some.
sub shorter
{
	my ($ops) = @_;
	my @result;

	foreach my $n (0 .. $#$ops)
	{
		my @before = @$ops[ 0 .. $n - 1 ];
		my @after  = @$ops[ $n + 1 .. $#$ops ];
		my $op     = $ops->[$n];

		push @result, [ @before, @after ];
		next unless $op->{ops};
		push @result, [ @before, @{ $op->{ops} }, @after ];
		push @result, [ @before, { %$op, ops => $_ }, @after ]
		  foreach shorter($op->{ops});
	}
	return @result;
}

my $next_number = 0;

sub shrink
{
	my ($sequence) = @_;
	my $best;

	for (;;)
	{
		my @candidates = map { { %$sequence, ops => $_ } } shorter($sequence->{ops});
		my %of = map { my $c = $_; my $s = compile($c, ++$next_number); ($s->{number} => [ $c, $s ]) }
		  @candidates;
		my ($found) = run_scripts(map { $_->[1] } map { $of{$_} } sort { $a <=> $b } keys %of);

		last unless $found;
		($sequence, $best) = @{ $of{ $found->{number} } };
	}
	return $best;
}

sub show
{
	my ($script) = @_;
	my ($lines, $answers) = @$script{qw(lines answers)};
	my %answer = map { $_->{line} => $_ } @$answers;

	foreach my $n (0 .. $#$lines)
	{
		diag $lines->[$n] unless $lines->[$n] =~ /^\\echo/;
		my $answer = $answer{$n} or next;
		diag $answer->{actual} eq $answer->{expected}
		  ? "    $answer->{actual}"
		  : "    EXPECTED $answer->{expected}\n    ACTUAL   $answer->{actual}";
	}
	return;
}

# Ends and purges everything; returns what is left all the same.
sub clean
{
	$node->safe_psql('postgres', q{
		SELECT count(df_terminate(instance_id)) FROM df_instances
		WHERE runtime_status IN ('Pending', 'Running', 'Suspended')});
	$node->safe_psql('postgres', 'CALL df_run()');
	return $node->safe_psql('postgres', q{
		TRUNCATE m_log;
		DO $$ BEGIN PERFORM df_purge_by('-infinity'); END $$;
		SELECT m_left()});
}

#
# The test
#
diag "MODEL_SEED=$seed, $sequences sequences";
srand $seed;

my $begun = time;
my ($calls, $differing, %seen, @left) = (0, 0);
for (my $done = 0; $done < $sequences && !$differing; $done += $batch)
{
	my $n = $sequences - $done < $batch ? $sequences - $done : $batch;
	my @sequences = map { random_sequence() } 1 .. $n;
	my @scripts = map { compile($_, ++$next_number) } @sequences;
	my %of;

	@of{ map { $_->{number} } @scripts } = @sequences;
	my @differing = run_scripts(@scripts);
	$differing += @differing;
	foreach my $script (@scripts)
	{
		$calls += @{ $script->{answers} };
		foreach my $call (keys %{ $script->{model}{seen} })
		{
			my $in = $script->{model}{seen}{$call};
			$seen{$call}{$_} += $in->{$_} foreach keys %$in;
		}
	}
	push @left, grep { $_ ne '' } clean() unless @differing;
	next unless @differing;

	my ($shortest) = sort { count_ops($a->{ops}) <=> count_ops($b->{ops}) }
	  map { $of{ $_->{number} } } @differing;
	diag scalar(@differing) . " of $n sequences differ; the shortest, as short as it gets:";
	my $shrunk = shrink($shortest);
	diag 'It answers as expected when it runs alone:' unless $shrunk;
	show($shrunk // $differing[0]);
}
note sprintf '%d answers in %.1f s', $calls, time - $begun;
is($differing, 0, "$sequences random sequences of calls answer what the model says");

# The sequences must have been everywhere.
my @missing;
my @rarest = ('', 1e9);
foreach my $call (
	'start skip', 'start error', 'start terminate', 'start_new ', 'raise_event ',
	'terminate ', 'suspend ', 'resume ', 'rewind ', 'restart same id',
	'restart new id', 'purge ')
{
	foreach my $status (qw(none Pending Running Suspended Completed Failed Terminated))
	{
		my $n = $seen{$call}{$status} // 0;

		push @missing, "$call/$status" unless $n;
		@rarest = ("$call/$status", $n) if $n < $rarest[1];
	}
}
note "the rarest: $rarest[0], $rarest[1] times";
is(join(', ', @missing), '', 'and have made every call in every status');

is(join('; ', @left), '', 'nothing is left in any table once all are terminated and purged');

finish($node);
done_testing();
