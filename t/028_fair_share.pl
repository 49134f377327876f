# A role with a long queue does not make other roles wait.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use List::Util qw(max);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => "max_worker_processes = 16\n");
my $functions = q{
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"served"'::jsonb $$;
CREATE FUNCTION nap(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT NULL::jsonb FROM pg_sleep(0.005) $$;
CREATE FUNCTION sleep(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT NULL::jsonb FROM pg_sleep($1::float8) $$;
CREATE FUNCTION sleeper(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('sleep', $1);
END $$;
};

create_database($node, 'other');
$node->safe_psql($_, $functions) foreach 'postgres', 'other';

# Ten roles with queues, and a new one for each question: it has never had a
# worker.
my @hungry = map { "hungry$_" } 1 .. 10;
my $n_guests = 0;

sub new_role
{
	my ($role) = @_;

	$node->safe_psql('postgres', "CREATE ROLE $role LOGIN");
	$node->safe_psql($_, "SELECT df_grant_usage('$role')") foreach 'postgres', 'other';
	return $role;
}

new_role($_) foreach @hungry;

# Starts so many instances of the role.
sub queue
{
	my ($role, $function, $n, %param) = @_;
	my $database = $param{database} // 'postgres';
	my $input = $param{input} // 'null';

	is( $node->safe_psql($database, qq{
			SELECT count(df_start_new('$function', NULL, '$input')) FROM generate_series(1, $n)},
			extra_params => [ '-U', $role ]),
		$n, "$role has $n instances of $function in $database");
	return;
}

# How long a new role waits for its first step, in milliseconds.
sub first_step
{
	my ($database) = @_;
	my $guest = new_role('guest' . ++$n_guests);
	my ($result, $milliseconds) = timed($node, $database // 'postgres', qq{
		SELECT df_start_singleton('once', '$guest');
		SELECT output FROM df_wait_for_completion('$guest')},
		extra_params => [ '-U', $guest ]);

	$result eq qq(t\n"served") or die "$guest is not served: $result";
	return $milliseconds;
}

# The longest of some waits, at moments that have nothing to do with each other.
sub longest_first_step
{
	my ($n, $database) = @_;

	return max map { select undef, undef, undef, rand 0.3; first_step($database) } 1 .. $n;
}

sub configure
{
	my (%setting) = @_;

	foreach my $setting (keys %setting)
	{
		$node->safe_psql('postgres',
			"ALTER SYSTEM SET durable_singleton.$setting = '$setting{$setting}'");
	}
	$node->reload;
	foreach my $setting (keys %setting)
	{
		$node->poll_query_until('postgres',
			"SELECT current_setting('durable_singleton.$setting') = '$setting{$setting}'")
		  or die "$setting did not change";
	}
	return;
}

# The roles have nothing to do any more, and no worker is left.
sub clear
{
	foreach my $database ('postgres', 'other')
	{
		$node->safe_psql($database,
			join ';', 'DROP EXTENSION durable_singleton CASCADE',
			'CREATE EXTENSION durable_singleton',
			map { "SELECT df_grant_usage('$_')" } @hungry);
	}
	$node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM df_stat_workers)')
	  or die 'the workers do not go';
	return;
}

# Workers by role.
sub wait_workers
{
	my ($role, $n) = @_;

	return $node->poll_query_until('postgres', qq{
		SELECT count(*) FROM df_stat_workers WHERE role = '$role'}, $n);
}

# Of the second, some is for a slow machine.
my $alone = longest_first_step(3);
note "alone: $alone ms";

sub in_time
{
	my ($milliseconds, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	note "$milliseconds ms";
	cmp_ok($milliseconds, '<', $alone + 1000, "$name: within a second");
	return;
}

#
# Short steps
#
queue($hungry[0], 'nap', 100_000);
foreach my $max_workers (1, 2, 4)
{
	configure(max_workers => $max_workers);
	wait_workers($hungry[0], $max_workers) or die 'it does not get all workers';
	in_time(longest_first_step(5), "beside 100,000 instances, $max_workers workers");
	in_time(longest_first_step(2, 'other'), 'in another database');
}

# several with queues
queue($_, 'nap', 2000) foreach @hungry[ 1, 2 ];
queue($hungry[0], 'nap', 2000, database => 'other');
foreach my $max_workers (1, 2, 4)
{
	configure(max_workers => $max_workers);
	in_time(longest_first_step(5), "beside four long queues, $max_workers workers");
}

# Seven come at once, and have queues, too.
configure(max_workers => 1);
{
	my @script = map {
		my $script = PostgreSQL::Test::Utils::tempdir . "/$_.sql";

		append_to_file($script, q{
			SELECT clock_timestamp() AS begun \gset
			SELECT df_start_singleton('once', current_user);
			SELECT count(df_start_new('nap')) FROM generate_series(1, 200);
			SELECT output FROM df_wait_for_completion(current_user);
			SELECT extract(epoch FROM clock_timestamp() - :'begun') * 1000;
		});
		[ $_, $script ]
	} @hungry[ 3 .. 9 ];
	my @output = map { '' } @script;
	my @psql = map {
		start_psql($node, 'postgres', $script[$_][1], \$output[$_], '-U', $script[$_][0])
	} 0 .. $#script;

	$_->finish foreach @psql;
	in_time(max(map { (split /\n/)[-1] } @output), 'seven at once, one worker');
}
clear();

#
# Fair shares: two with long queues have two workers each
#
configure(max_workers => 4);
queue($hungry[0], 'nap', 20_000);
wait_workers($hungry[0], 4) or die 'the first does not get all workers';
queue($hungry[1], 'nap', 20_000);
ok(wait_workers($hungry[1], 2), 'of four workers the second of two roles gets two');
ok(wait_workers($hungry[0], 2), 'the first keeps two');
clear();

#
# Long steps: they end when they end.  A worker is free at once where
# workers_per_role leaves one.
#
foreach my $case ([ 2, 1 ], [ 4, 3 ])
{
	my ($max_workers, $workers_per_role) = @$case;

	configure(max_workers => $max_workers, workers_per_role => $workers_per_role);
	queue($hungry[0], 'sleeper', 10, input => '600');
	wait_workers($hungry[0], $workers_per_role) or die 'the steps do not begin';
	in_time(longest_first_step(3),
		"beside steps of ten minutes, $workers_per_role of $max_workers workers for a role");
	clear();
}

# One short step among long ones is enough, whoever has it.
configure(max_workers => 4, workers_per_role => 4);
queue($hungry[0], 'sleeper', 3, input => '600');
$node->poll_query_until('postgres', q{
	SELECT count(*) = 3 FROM df_stat_workers WHERE function_name = 'sleep'})
  or die 'the steps do not begin';
queue($hungry[0], 'nap', 5000);
wait_workers($hungry[0], 4) or die 'there is no fourth worker';
in_time(longest_first_step(3), 'three long steps, and short ones in the fourth worker');
clear();

# With one worker that is the bound.
configure(max_workers => 1);
queue($hungry[0], 'sleeper', 20, input => '2');
$node->poll_query_until('postgres', q{
	SELECT count(*) = 1 FROM df_stat_workers WHERE function_name = 'sleep'})
  or die 'the step does not begin';
in_time(first_step() - 2000, 'when the step that holds the only worker has ended');
clear();

finish($node);
done_testing();
