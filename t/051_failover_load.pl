# The primary is killed under load: everything acknowledged is on the promoted
# standby, each step once; the old primary returns as an idle standby.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SyncStandby;
use Test::More;

# wal_log_hints: for pg_rewind
my $primary = new_server('primary', init => { allows_streaming => 1 },
	conf => qq{
max_connections = 30
wal_log_hints = on
wal_keep_size = '256MB'
});

$primary->safe_psql('postgres', q{
CREATE TABLE ledger (instance text, step int);
CREATE FUNCTION step(id text, n int) RETURNS int LANGUAGE sql AS $$
	INSERT INTO ledger VALUES (id, n) RETURNING n $$;
CREATE FUNCTION do_step(n int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'n', n)) $$;
CREATE FUNCTION three(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_array(do_step(1), do_step(2), do_step(3), input);
END $$;
CREATE FUNCTION timed(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	PERFORM df_create_timer('2 seconds');
	RETURN do_step(2);
END $$;
-- a client: starts, waits, and says on its connection what it was told
CREATE PROCEDURE client(name text, by_status boolean) LANGUAGE plpgsql AS $$
DECLARE
	id text;
	s df_status;
BEGIN
	FOR i IN 1 .. 1000000 LOOP
		id := name || ' ' || i;
		PERFORM df_start_singleton('three', id, to_jsonb(i));
		COMMIT;
		RAISE NOTICE 'started %', id;
		LOOP
			IF by_status THEN
				SELECT * INTO s FROM df_get_status(id);
			ELSE
				SELECT * INTO s FROM df_wait_for_completion(id);
			END IF;
			COMMIT;
			EXIT WHEN s.runtime_status = 'Completed';
		END LOOP;
		RAISE NOTICE 'completed %: %', id, s.output;
	END LOOP;
END $$;
});
my $standby = new_sync_standby($primary);

#
# Clients of all levels, some that look and some that wait
#
my @clients;
foreach my $level ('remote_write', 'on', 'remote_apply')
{
	foreach my $by_status ('true', 'false')
	{
		my %client = (out => '', err => '');

		$client{run} = IPC::Run::start(
			[
				$primary->installed_command('psql'), '-XAtq',
				'-d', $primary->connstr('postgres'),
				'-c', "SET synchronous_commit = $level",
				'-c', "CALL client('$level $by_status', $by_status)"
			],
			'<', \undef, '>', \$client{out}, '2>', \$client{err});
		push @clients, \%client;
	}
}
$primary->safe_psql('postgres', q{
	SELECT df_start_singleton('timed', 'timer ' || n) FROM generate_series(1, 3) n;
	SELECT df_start_singleton('timed', 'later', start_at => now() + interval '1 day')});
ok($primary->poll_query_until('postgres', q{
		SELECT (SELECT count(*) >= 100 FROM df_instances WHERE runtime_status = 'Completed')
			AND (SELECT count(*) = 3 FROM df_instances WHERE name = 'timed' AND waiting_for IS NOT NULL)}),
	'clients are at work, and timers run');

lose_machine($primary);
$_->{run}->finish foreach @clients;
my (%started, %completed);
foreach my $client (@clients)
{
	$started{$1} = 1 while $client->{err} =~ /NOTICE:  started (.*)\n/g;
	$completed{$1} = $2 while $client->{err} =~ /NOTICE:  completed (.*): (.*)\n/g;
}
note scalar(keys %started) . ' starts and ' . scalar(keys %completed) . ' completions acknowledged';
cmp_ok(scalar(keys %completed), '>=', 50, 'clients were told of ends');

#
# Promotion
#
my $columns = 'instance_id, execution_id, runtime_status';
$standby->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$standby->reload;
# what has arrived, and before anything runs there
$standby->append_conf('postgresql.conf', "durable_singleton.enabled = off\n");
$standby->reload;
$standby->poll_query_until('postgres', 'SHOW durable_singleton.enabled', 'off')
  or die 'the setting does not change';
$standby->promote;

my %there = map { split /\|/ } split /\n/, $standby->safe_psql('postgres', q{
	SELECT instance_id, runtime_status FROM df_instances});
my %output = map { split /\|/ } split /\n/, $standby->safe_psql('postgres', q{
	SELECT instance_id, output FROM df_instances WHERE runtime_status = 'Completed'});
is(join(', ', grep { !$there{$_} } sort keys %started), '', 'every acknowledged start is there');
is(join(', ', grep { ($output{$_} // '') ne $completed{$_} } sort keys %completed),
	'', 'and every end that a client was told of, with its output');

# Timers fall due while nothing runs.
ok($standby->poll_query_until('postgres', q{
		SELECT bool_and(next_wake_time < now()) FROM df_instances WHERE instance_id LIKE 'timer%'}),
	'timers have fallen due in the meantime');
is($standby->safe_psql('postgres', q{
		SELECT count(*) FROM df_instances WHERE instance_id LIKE 'timer%' AND runtime_status = 'Completed'}),
	0, 'and nothing runs while it is switched off');
$standby->append_conf('postgresql.conf', "durable_singleton.enabled = on\n");
$standby->reload;
ok($standby->poll_query_until('postgres', q{
		SELECT count(*) = 0 FROM df_instances
		WHERE runtime_status IN ('Pending', 'Running') AND instance_id <> 'later'}),
	'all others go on to their ends');
is($standby->safe_psql('postgres', q{
		SELECT DISTINCT runtime_status, n
		FROM df_instances LEFT JOIN (
			SELECT instance, string_agg(step::text, ' ' ORDER BY step) AS n FROM ledger GROUP BY 1) l
			ON instance = instance_id
		ORDER BY 1, 2}),
	"Pending|\nCompleted|1 2\nCompleted|1 2 3", 'each step has run once');

#
# The old primary comes back, as a standby
#
my $ended = $standby->safe_psql('postgres', "SELECT $columns FROM df_instances ORDER BY 1");
$standby->safe_psql('postgres', 'CHECKPOINT');
# It was killed: first a recovery of its own, with nothing that may run
$primary->append_conf('postgresql.conf', "durable_singleton.enabled = off\nsynchronous_standby_names = ''\n");
$primary->start;
$primary->stop;
command_ok(
	[
		'pg_rewind', '--target-pgdata', $primary->data_dir,
		'--source-server', $standby->connstr('postgres')
	],
	'pg_rewind');
# The settings came over with the rest.
$primary->append_conf('postgresql.conf', 'port = ' . $primary->port . "\n");
$primary->enable_streaming($standby);
$primary->set_standby_mode;
my $mark = -s $primary->logfile;
$primary->start;
$standby->safe_psql('postgres', q{
	SELECT df_start_singleton('timed', 'after');
	SELECT df_start_singleton('three', 'after: three');
	SELECT runtime_status FROM df_wait_for_completion('after: three')});
$standby->wait_for_catchup($primary);
is($primary->safe_psql('postgres', 'SELECT pg_is_in_recovery(), current_setting($$durable_singleton.enabled$$)'),
	't|on', 'the old primary is a standby, and may run instances if it is promoted');
is($primary->safe_psql('postgres', q{SELECT runtime_status, input FROM df_get_status('after: three')}),
	'Completed|', 'it shows what the new primary does');
my ($sqlstate) = error_of($primary, 'postgres', q{SELECT df_start_singleton('three', 'x')});
is($sqlstate, '25006', 'it takes no starts');
is($primary->safe_psql('postgres', q{
		SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'durable_singleton%'}),
	0, 'it has no process of the extension');
ok(wait_status($standby, 'postgres', 'after', 'Completed'), 'a timer fires on the new primary');
$standby->wait_for_catchup($primary);
is($primary->safe_psql('postgres', q{SELECT count(*) FROM ledger WHERE instance = 'after'}),
	2, 'once');
unlike(slurp_file($primary->logfile, $mark), qr/ERROR:(?!.*cannot execute)|paused/,
	'its log has no attempt to write and no word of a copy');

# and back again
$standby->stop;
$primary->promote;
is($primary->safe_psql('postgres', q{
		SELECT df_start_singleton('three', 'back');
		SELECT runtime_status FROM df_wait_for_completion('back')}),
	"t\nCompleted", 'promoted, it runs instances again');
is($primary->safe_psql('postgres', "SELECT $columns FROM df_instances
		WHERE instance_id NOT LIKE 'after%' AND instance_id <> 'back' ORDER BY 1"),
	$ended, 'and has left the others as they were');

finish($primary);
done_testing();
