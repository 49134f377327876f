# What a process leaves behind when it ends in the middle of something: a
# session in CALL df_run, a primary that is gone, a procedure that rolls back.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use IPC::Run qw(start timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_server('primary', init => { allows_streaming => 1 },
	conf => "max_locks_per_transaction = 1024\n");

#
# A terminated session in CALL df_run gives its instance back after its abort
#
$primary->safe_psql('postgres', q{
CREATE FUNCTION act() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	alone boolean := pg_try_advisory_xact_lock(4711);
BEGIN
	-- outside of this transaction, so that it stays
	RAISE LOG 'step, % alone', CASE WHEN alone THEN 'is' ELSE 'IS NOT' END;
	IF (SELECT backend_type = 'client backend' FROM pg_stat_activity WHERE pid = pg_backend_pid()) THEN
		-- the abort has files to delete
		FOR i IN 1 .. 2000 LOOP
			EXECUTE 'CREATE TABLE junk' || i || ' (i int)';
		END LOOP;
		SET application_name = 'in the step';
		PERFORM pg_sleep(600);
	END IF;
	RETURN 'done';
END $$;
CREATE FUNCTION orch() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity('act') $$;
ALTER DATABASE postgres SET durable_singleton.enabled = off;
});
ok($primary->poll_query_until('postgres', 'SELECT count(*) = 0 FROM df_stat_workers'),
	'no worker is there');
$primary->safe_psql('postgres', q{SELECT df_start_singleton('orch', 'x')});
my $mark = -s $primary->logfile;
my $session = start([ 'psql', '-Xq', '-d', $primary->connstr('postgres'), '-c', 'CALL df_run()' ],
	'<', \undef, '>', \my $output, '2>', \my $error, timeout(120));
ok($primary->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'in the step'}),
	'a session runs the step');
$primary->safe_psql('postgres', 'ALTER DATABASE postgres SET durable_singleton.enabled = on');
ok($primary->poll_query_until('postgres', q{SELECT count(*) > 0 FROM df_stat_workers WHERE database = 'postgres'}),
	'a worker is there, too');
$primary->safe_psql('postgres',
	q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'in the step'});
ok(wait_status($primary, 'postgres', 'x', 'Completed'), 'a worker takes over');
$session->finish;
is(scalar(() = slurp_file($primary->logfile, $mark) =~ /LOG:  step, is alone/g), 2,
	'the step has run twice');
unlike(slurp_file($primary->logfile, $mark), qr/IS NOT alone/,
	'the second time after the abort of the first');

#
# The hook for utility commands keeps what it needs of a statement that frees itself
#
$primary->safe_psql('postgres', 'CREATE PROCEDURE rolls_back(x text) LANGUAGE plpgsql AS $$ BEGIN ROLLBACK; END $$');
$primary->pgbench('--no-vacuum --transactions=20 --protocol=extended -D x=1', 0,
	[qr/processed: 20\/20/], [qr/^$/], 'CALL of a procedure that rolls back',
	{ 'call' => 'CALL rolls_back(:x);' });

#
# An id of a lost transaction of the old primary, given again after the promotion
#
$primary->safe_psql('postgres', 'CREATE TABLE written (by int)');
my $name = $primary->safe_psql('postgres', q{
	BEGIN;
	INSERT INTO written VALUES (0);
	SELECT durable_singleton.http_transaction();
	ROLLBACK});
my ($incarnation) = $name =~ m{^(\d+)/\d+$} or die "no name of a transaction: $name";
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
$primary->stop('immediate');

# Sessions that try to write from before the promotion on, as clients do that
# have been told to try again.
my @writers = map {
	my $file = $standby->basedir . "/writer$_";
	append_to_file("$file.sql",
		qq{INSERT INTO written VALUES ($_) RETURNING 'xid ' || pg_current_xact_id()::text;\n} x 200_000);
	{ file => $file, run => start([ 'psql', '-XAtq', '-d', $standby->connstr('postgres'), '-f', "$file.sql" ],
		'<', \undef, '>', $file, '2>', '/dev/null', timeout(120)) };
} 1 .. 4;
ok($standby->poll_query_until('postgres', q{
		SELECT count(*) = 4 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO written%'}),
	'sessions try to write');
$standby->promote;
ok($standby->poll_query_until('postgres', q{SELECT count(*) = 4 FROM (SELECT DISTINCT by FROM written) w WHERE by > 0}),
	'and do so after the promotion');
$_->{run}->kill_kill foreach @writers;
my ($first) = sort { $a <=> $b } map { slurp_file($_->{file}) =~ /^xid (\d+)/m } @writers;
is($standby->safe_psql('postgres', qq{SELECT durable_singleton.http_fate('$incarnation/$first')}),
	'aborted', 'what the old primary had under the first id of the new one is lost');
is($standby->safe_psql('postgres', qq{SELECT durable_singleton.http_fate('$name')}),
	'aborted', 'and so is what it rolled back');
my $own = $standby->safe_psql('postgres', q{
	BEGIN;
	INSERT INTO written VALUES (0);
	SELECT durable_singleton.http_transaction();
	COMMIT});
is($standby->safe_psql('postgres', qq{SELECT durable_singleton.http_fate('$own')}),
	'committed', 'a transaction of its own has committed');

finish($standby);
done_testing();
