# A standby shows everything and changes nothing; after promotion, instances
# continue there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_server('primary', init => { allows_streaming => 1 },
	conf => "max_connections = 20\n");

$primary->safe_psql('postgres', q{
CREATE TABLE ledger (instance text, step int);
CREATE SEQUENCE attempts;
CREATE FUNCTION step(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	INSERT INTO ledger VALUES ($1 ->> 'id', ($1 ->> 'step')::int)
	RETURNING to_jsonb(step) $$;
-- takes long on its first run
CREATE FUNCTION long_step(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM step(input);
	IF nextval('attempts') = 1 THEN
		PERFORM pg_sleep(600);
	END IF;
	RETURN '2';
END $$;
CREATE FUNCTION long(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_array(
		df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'step', 1)),
		df_call_activity('long_step', jsonb_build_object('id', df_instance_id(), 'step', 2)),
		df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'step', 3)));
END $$;
CREATE FUNCTION waiting(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'step', 1));
	IF df_instance_id() LIKE 'timer%' THEN
		PERFORM df_create_timer('6 s');
	ELSE
		PERFORM df_wait_for_external_event('go');
	END IF;
	RETURN df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'step', 2));
END $$;
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
});
$primary->backup('base');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# A step that is executing, an event that is waited for, a timer
$primary->safe_psql('postgres', q{
	SELECT df_start_singleton('long', 'long');
	SELECT df_start_singleton('waiting', 'event');
	SELECT df_start_singleton('waiting', 'timer');
	SELECT df_start_singleton('once', 'ended', '"ended"')});
wait_in_activity($primary, 'postgres', 'long')
  or die 'no worker gets into the activity';
ok( $primary->poll_query_until('postgres',
		'SELECT count(*) = 2 FROM df_instances WHERE waiting_for IS NOT NULL'),
	'instances wait on the primary');
wait_status($primary, 'postgres', 'ended', 'Completed')
  or die 'the short instance does not end';

# The sequence remembers the first run only when its WAL has come over.
$primary->safe_psql('postgres', 'CHECKPOINT');
$primary->wait_for_catchup($standby);

#
# What a standby shows
#
my $columns = 'instance_id, execution_id, output, waiting_for, next_wake_time';
is( $standby->safe_psql('postgres',
		"SELECT $columns FROM df_instances ORDER BY instance_id"),
	$primary->safe_psql('postgres',
		"SELECT $columns FROM df_instances ORDER BY instance_id"),
	'df_instances shows the instances of the primary');
is( $standby->safe_psql('postgres',
		'SELECT * FROM df_history ORDER BY execution_id, seq'),
	$primary->safe_psql('postgres',
		'SELECT * FROM df_history ORDER BY execution_id, seq'),
	'df_history shows their history');
is( $standby->safe_psql('postgres', q{
		SELECT runtime_status, output FROM df_get_status('ended', true, true)}),
	'Completed|"ended"',
	'df_get_status works');
is( $standby->safe_psql('postgres', q{
		SELECT runtime_status FROM df_wait_for_completion('ended')}),
	'Completed',
	'df_wait_for_completion of an ended instance works');
is( $standby->safe_psql('postgres', q{
		SELECT instance_id FROM df_wait_for_completion('event', '10 ms')}),
	'event',
	'df_wait_for_completion returns after its time-out');

# and what it refuses
foreach my $call (
	q{SELECT df_start_singleton('once', 'new')},
	q{SELECT df_start_singleton('once', 'ended')},
	q{SELECT df_start_new('once')},
	q{SELECT df_raise_event('event', 'go')},
	q{SELECT df_terminate('event')},
	q{SELECT df_adopt_database()},
	q{CALL df_run()})
{
	my ($sqlstate, $message, $hint) = error_of($standby, 'postgres', $call);

	is($sqlstate, '25006', "25006 on the standby: $call");
}

is($standby->safe_psql('postgres', 'SELECT count(*) FROM df_stat_workers'),
	0, 'no worker is there');
# The sessions of the calls above may take a moment to end.
ok($standby->poll_query_until('postgres', q{
		SELECT count(*) = 0 FROM pg_stat_activity
		WHERE pid <> pg_backend_pid() AND (datname IS NOT NULL
			OR backend_type LIKE 'durable_singleton%')}),
	'nor any other process of the extension');

#
# Promotion
#
$primary->stop('immediate');
my $mark = -s $standby->logfile;
$standby->promote;
ok(wait_status($standby, 'postgres', 'long', 'Completed'),
	'the instance whose step was executing goes on');
ok(wait_status($standby, 'postgres', 'timer', 'Completed'), 'the timer fires');
is( $standby->safe_psql('postgres', q{
		SELECT df_raise_event('event', 'go');
		SELECT runtime_status FROM df_wait_for_completion('event')}),
	"\nCompleted",
	'the event reaches its instance');
is( $standby->safe_psql('postgres', q{
		SELECT instance, string_agg(step::text, ' ' ORDER BY step)
		FROM ledger GROUP BY 1 ORDER BY 1}),
	"event|1 2\nlong|1 2 3\ntimer|1 2",
	'nothing has run twice');
is( $standby->safe_psql('postgres', q{
		SELECT df_start_singleton('once', 'ended', '"new"');
		SELECT output FROM df_wait_for_completion('ended')}),
	"t\n\"new\"",
	'new instances run');
unlike(slurp_file($standby->logfile, $mark),
	qr/paused/, 'a promoted standby is not taken for a copy');

finish($standby);
done_testing();
