# A timeout or a cancel that a language ignores is still the failure of the
# step: interrupted work never counts as done.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "durable_singleton.max_workers = 4\n");
my %known = map { $_ => 1 } split /\n/,
  $node->safe_psql('postgres', 'SELECT name FROM pg_available_extensions');

# by language: how it sleeps in the server's process, and in another one
my %sleep = (
	plpython3u => {
		itself  => 'import time; time.sleep(%s)',
		program => "import subprocess; subprocess.run(['sleep', '%s'])",
		deed    => q{plpy.execute("INSERT INTO deeds VALUES ('" + id + "')")},
		wait    => qq{try:\n\tplpy.execute("SELECT df_create_timer('1 day')")\nexcept BaseException:\n\tpass\n},
		result  => 'return 1',
	},
	plperlu => {
		itself  => 'select(undef, undef, undef, %s);',
		program => 'system("sleep %s");',
		deed    => q{spi_exec_query("INSERT INTO deeds VALUES ('$_[0]')");},
		wait    => q{eval { spi_exec_query("SELECT df_create_timer('1 day')") };},
		result  => 'return 1;',
	},
);

$node->safe_psql('postgres', q{
CREATE TABLE deeds (id text);
CREATE FUNCTION run(name text, task boolean) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	input jsonb := jsonb_build_object('id', df_instance_id());
BEGIN
	IF task THEN
		RETURN df_await(df_schedule_activity(name, input));
	END IF;
	RETURN df_call_activity(name, input);
END $$;
});

sub create_function
{
	my ($name, $language, @code) = @_;
	my $body = join "\n", @code;

	$node->safe_psql('postgres',
		"CREATE FUNCTION $name(id text DEFAULT 'own') RETURNS int LANGUAGE $language AS \$body\$\n$body\n\$body\$");
}

# Starts it, lets it be cut short, and tells what has become of it.
sub fate
{
	my ($id, $start, $by) = @_;

	$node->safe_psql('postgres', $start);
	if ($by eq 'pg_cancel_backend')
	{
		$node->poll_query_until('postgres', qq{
			SELECT count(*) = 1 FROM df_stat_workers w, pg_stat_activity a
			WHERE w.pid = a.pid AND w.instance_id = '$id' AND w.step_start IS NOT NULL})
		  or die "no worker gets to $id";
		# once only: a step has one cancel, and the next one none
		$node->safe_psql('postgres', qq{
			SELECT pg_cancel_backend(pid) FROM df_stat_workers WHERE instance_id = '$id'});
	}
	$node->safe_psql('postgres', "SET statement_timeout = 0; SELECT df_wait_for_completion('$id', '1 min')");
	my $fate = $node->safe_psql('postgres', qq{
		SELECT runtime_status, failure ->> 'sqlstate',
			(SELECT count(*) FROM deeds WHERE id IN ('$id', 'own'))
		FROM df_get_status('$id')});
	# PL/Perl raises its own error for a statement that is canceled: this one came before the sleep
	$fate =~ s/38000/57014/ if $by eq 'pg_cancel_backend' and $id =~ /^plperlu/;
	return $fate;
}

foreach my $language (sort keys %sleep)
{
	my $how = $sleep{$language};

  SKIP:
	{
		skip "$language is not installed", 1 unless $known{$language};

		$node->safe_psql('postgres', "CREATE EXTENSION $language");
		foreach my $where ('itself', 'program')
		{
			my $sleep = sprintf $how->{$where}, '1.5';

			create_function("${language}_$where", $language, $how->{deed}, $sleep, $how->{result});
			# an orchestrator may write at its end, and sleep, if it is badly written
			create_function("o_${language}_$where", $language, $how->{deed}, $sleep, $how->{result});
			# and one that is worse yet sleeps after it has caught its own wait
			create_function("w_${language}_$where", $language, $how->{wait}, $sleep, $how->{result});
		}
		foreach my $by ('max_activity_time', 'statement_timeout', 'pg_cancel_backend')
		{
			my $setting = $by eq 'max_activity_time' ? 'durable_singleton.max_activity_time' : 'statement_timeout';

			$node->safe_psql('postgres', "ALTER DATABASE postgres SET $setting = '300ms'")
			  if $by ne 'pg_cancel_backend';
			# new workers have the new setting
			$node->safe_psql('postgres',
				'SELECT pg_terminate_backend(pid, 10000) FROM df_stat_workers');
			foreach my $where ('itself', 'program')
			{
				# Perl ignores SIGINT while it waits for a program, as in a session
				next if $language eq 'plperlu' and $where eq 'program' and $by eq 'pg_cancel_backend';

				my $f = "${language}_$where";
				my $id = "$f $by";

				is(fate("$id activity", "SELECT df_start_new('run', '$id activity', '{\"name\": \"$f\", \"task\": false}')", $by),
					'Failed|57014|0', "$by of an activity in $language that sleeps by $where");
				is(fate("$id task", "SELECT df_start_new('run', '$id task', '{\"name\": \"$f\", \"task\": true}')", $by),
					'Failed|57014|0', 'and of a task')
				  if $by ne 'pg_cancel_backend';
				is(fate("$id pass", "SELECT df_start_new('o_$f', '$id pass')", $by),
					'Failed|57014|0', 'and of an orchestrator');
				is(fate("$id wait", "SELECT df_start_new('w_$f', '$id wait')", $by),
					'Failed|57014|0', 'and of an orchestrator that catches its wait');
			}
			$node->safe_psql('postgres', "ALTER DATABASE postgres RESET $setting")
			  if $by ne 'pg_cancel_backend';
		}
		# nobody asked for an end: it comes to one
		$node->safe_psql('postgres',
			'SELECT pg_terminate_backend(pid, 10000) FROM df_stat_workers');
		is(fate("$language undisturbed", qq{SELECT df_start_new('run', '$language undisturbed', '{"name": "${language}_itself", "task": false}')}, ''),
			'Completed||1', 'undisturbed it completes');
		$node->safe_psql('postgres', 'TRUNCATE deeds');
	}
}

# A sleep for longer than all cancels together: it has caught none of them.
SKIP:
{
	skip 'plpython3u is not installed', 2 unless $known{plpython3u};

	my $how = $sleep{plpython3u};
	create_function('sleeps_long', 'plpython3u', $how->{deed}, sprintf($how->{itself}, '5'), $how->{result});
	$node->safe_psql('postgres', q{
		ALTER DATABASE postgres SET durable_singleton.max_activity_time = '300ms';
		SELECT pg_terminate_backend(pid, 10000) FROM df_stat_workers});
	my $mark = -s $node->logfile;
	is(fate('long', q{SELECT df_start_new('run', 'long', '{"name": "sleeps_long", "task": false}')}, ''),
		'Failed|57014|0', 'an activity that sleeps for 5 s fails as any other');
	unlike(slurp_file($node->logfile, $mark), qr/worker ended because/, 'and its worker goes on');
}

# A program's death comes before the cancel that killed it: that is the error,
# and the cancel is over with it.
$node->safe_psql('postgres', q{
CREATE FUNCTION copy_program(id text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE x (l text) ON COMMIT DROP;
	COPY x FROM PROGRAM 'sleep 10; echo 1';
	RETURN 1;
END $$;
ALTER DATABASE postgres SET durable_singleton.max_activity_time = '300ms';
SELECT pg_terminate_backend(pid, 10000) FROM df_stat_workers;
});
like(fate('program', q{SELECT df_start_new('run', 'program', '{"name": "copy_program", "task": false}')}, ''),
	qr/^Failed\|(38000|57014)\|0$/, 'COPY FROM PROGRAM that runs into the time-out fails');
is($node->safe_psql('postgres', 'SELECT steps_undone FROM df_stat WHERE database = current_database()'),
	0, 'no step had to be undone and run again for it');

finish($node);
done_testing();
