# CREATE DATABASE ... TEMPLATE and DROP DATABASE, repeatedly, of a database
# whose workers are busy.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = 6;
my $node = new_server('main', conf => "durable_singleton.rescan_interval = '1s'\nmax_worker_processes = 16\n");

create_database($node, 'busy');
$node->safe_psql('busy', q{
CREATE TABLE ledger (instance text, step int, PRIMARY KEY (instance, step));
CREATE FUNCTION step(id text, n int) RETURNS int LANGUAGE sql AS $$
	INSERT INTO ledger VALUES (id, n) RETURNING n $$;
CREATE FUNCTION chain(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 5 LOOP
		PERFORM df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'n', i));
	END LOOP;
	PERFORM df_create_timer('300 ms');
	RETURN df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'n', 6));
END $$;
});

my $load = q{
	SELECT df_start_singleton('chain', format('%s %s', ROUND, n)) FROM generate_series(1, 200) n};
my $copies = 0;
foreach my $round (1 .. $rounds)
{
	$node->safe_psql('busy', $load =~ s/ROUND/$round/r);
	$node->poll_query_until('postgres', q{
		SELECT count(*) > 0 FROM df_stat_workers WHERE database = 'busy'})
	  or die 'no worker is at work';
	my ($error, undef, undef) =
	  error_of($node, 'postgres', "CREATE DATABASE copy$round TEMPLATE busy");

	is($error, '', "CREATE DATABASE TEMPLATE beside busy workers, $round");
	# while the last copy is dropped, the next one is made
	is($node->safe_psql("copy$round", 'SELECT count(*) > 0 FROM df_instances'),
		't', 'the copy has instances');
	if ($round % 2)
	{
		# a copy with busy workers of its own
		$node->safe_psql("copy$round", 'SELECT df_adopt_database()');
		$node->poll_query_until('postgres', qq{
			SELECT count(*) > 0 FROM df_stat_workers WHERE database = 'copy$round'})
		  or die 'no worker is in the copy';
	}
	my (undef, $milliseconds) = timed($node, 'postgres', "DROP DATABASE copy$round");
	cmp_ok($milliseconds, '<', 3000, "DROP DATABASE, $round: $milliseconds ms");
}
ok(wait_ended($node, 'busy', '%'), 'all instances of the original end');
is($node->safe_psql('busy', q{
		SELECT string_agg(DISTINCT runtime_status::text, ' '), count(*) FROM df_instances}),
	'Completed|' . $rounds * 200, 'well');
is($node->safe_psql('busy', 'SELECT count(*) FROM ledger'), $rounds * 200 * 6, 'each step once');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity
		WHERE backend_type LIKE 'durable_singleton worker' AND datname IS DISTINCT FROM 'busy'"),
	0, 'no worker is left behind');

# A database that goes while it is full of work
$node->safe_psql('busy', $load =~ s/ROUND/0/r);
$node->safe_psql('postgres', 'DROP DATABASE busy');
create_database($node, 'busy');
is($node->safe_psql('busy', q{
		CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
		SELECT df_start_singleton('once', 'new', '1');
		SELECT output FROM df_wait_for_completion('new')}),
	"t\n1", 'the next one of that name works');
# A process that was on its way into a database that is gone by then says so.
is(join("\n", grep { /ERROR:|FATAL:/ && !/terminating background worker|database \d+ does not exist/ }
		split /\n/, slurp_file($node->logfile)),
	'', 'the log has no other errors');

finish($node);
done_testing();
