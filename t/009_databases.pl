# Databases and the extension are created and dropped while steps run, and
# never wait for them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');

# An activity that takes long on its first run only: what interrupted it must
# have made it run again.  In a database it stops before its end for good when
# "forever" is there.
my $functions = q{
CREATE TABLE ledger (instance text, step int);
CREATE SEQUENCE attempts;
CREATE FUNCTION long_step(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger VALUES (input #>> '{}', 1);
	IF nextval('attempts') = 1 THEN
		PERFORM pg_sleep(600);
	END IF;
	RETURN NULL;
END $$;
CREATE FUNCTION long(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('long_step', to_jsonb(df_instance_id()));
	RETURN '"done"';
END $$;
CREATE FUNCTION waiting(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION once(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
};

sub new_database
{
	my ($database) = @_;

	create_database($node, $database);
	$node->safe_psql($database, $functions);
	return;
}

sub new_database_with_long_step
{
	my ($database) = @_;

	new_database($database);
	$node->safe_psql($database, q{
		SELECT df_start_singleton('long', 'long');
		SELECT df_start_singleton('waiting', 'waiting')});
	wait_in_activity($node, $database, 'long')
	  or die 'no worker gets into the activity';
	wait_status($node, $database, 'waiting', 'Running')
	  or die 'the other instance does not run';
	return;
}

sub still_works
{
	my ($database, $name) = @_;

	is( $node->safe_psql($database, q{
			SELECT df_start_singleton('once', 'proof', '"proof"');
			SELECT output FROM df_wait_for_completion('proof')}),
		"t\n\"proof\"",
		$name);
	return;
}

sub step_was_run_again
{
	my ($database, $name) = @_;

	ok(wait_status($node, $database, 'long', 'Completed'),
		"$name: the interrupted step runs again");
	is($node->safe_psql($database, 'SELECT instance, step FROM ledger'),
		'long|1', "$name: its effect is there once");
	return;
}

#
# Several databases
#
new_database('one');
new_database('two');
still_works('one', 'instances run in a database');
still_works('two', 'the same id runs in another one');

#
# DROP EXTENSION
#
new_database_with_long_step('extension');
my (undef, $milliseconds) =
  timed($node, 'extension', 'DROP EXTENSION durable_singleton');
note "DROP EXTENSION: $milliseconds ms";
cmp_ok($milliseconds, '<', 2000, 'DROP EXTENSION does not wait for a step');
ok( $node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'extension'"),
	'the workers leave');
is($node->safe_psql('extension', 'SELECT count(*) FROM ledger'),
	0, 'the step is undone');
$node->safe_psql('extension', 'CREATE EXTENSION durable_singleton');
still_works('extension', 'CREATE EXTENSION brings it back');

# A DROP EXTENSION that is rolled back has not happened.
new_database_with_long_step('rollback');
$node->safe_psql('rollback', 'BEGIN; DROP EXTENSION durable_singleton; ROLLBACK');
still_works('rollback', 'instances run after DROP EXTENSION was rolled back');
$node->safe_psql('rollback', "SELECT df_raise_event('waiting', 'go')");
ok(wait_status($node, 'rollback', 'waiting', 'Completed'), 'older ones too');

#
# DROP DATABASE
#
new_database_with_long_step('dropped');
(undef, $milliseconds) = timed($node, 'postgres', 'DROP DATABASE dropped');
note "DROP DATABASE: $milliseconds ms";
cmp_ok($milliseconds, '<', 3000, 'DROP DATABASE does not wait for a step');
is( $node->safe_psql('postgres',
		"SELECT count(*) FROM df_stat_workers WHERE instance_id = 'long'
			AND database IS NULL"),
	0,
	'no worker is left behind');
new_database_with_long_step('dropped');
is((error_of($node, 'postgres', 'DROP DATABASE dropped WITH (FORCE)'))[1], '',
	'DROP DATABASE WITH (FORCE) works too');

# Somebody who must not drop the database, and a drop that must fail
new_database_with_long_step('kept');
$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN');
my $worker = q{SELECT pid, step_start FROM df_stat_workers WHERE instance_id = 'long'
	AND database = 'kept'};
my $before = $node->safe_psql('kept', $worker);
foreach my $command (
	'DROP DATABASE kept',
	'DROP DATABASE kept WITH (FORCE)',
	'ALTER DATABASE kept RENAME TO stolen',
	'ALTER DATABASE kept SET TABLESPACE pg_default',
	'CREATE DATABASE stolen TEMPLATE kept')
{
	my ($sqlstate) = error_of($node, 'postgres', $command,
		extra_params => [ '-U', 'mallory' ]);
	is($sqlstate, '42501', "not by a role without the right: $command");
}
my ($sqlstate) = error_of($node, 'postgres', 'DROP DATABASE IF EXISTS nowhere; DROP DATABASE nowhere');
is($sqlstate, '3D000', 'a database that does not exist gets the usual error');
is($node->safe_psql('kept', $worker),
	$before, 'the step has not been disturbed by any of them');

my $session = $node->background_psql('kept');
$session->query_safe('SELECT 1');
($sqlstate) = error_of($node, 'postgres', 'DROP DATABASE kept');
is($sqlstate, '55006', 'DROP DATABASE fails because of a session');
$session->quit;
step_was_run_again('kept', 'after a DROP DATABASE that failed');
still_works('kept', 'the database is open for workers again');

#
# ALTER DATABASE ... RENAME
#
new_database_with_long_step('old_name');
(undef, $milliseconds) =
  timed($node, 'postgres', 'ALTER DATABASE old_name RENAME TO new_name');
note "ALTER DATABASE RENAME: $milliseconds ms";
cmp_ok($milliseconds, '<', 3000, 'ALTER DATABASE RENAME does not wait for a step');
step_was_run_again('new_name', 'after ALTER DATABASE RENAME');
still_works('new_name', 'instances run under the new name');

#
# ALTER DATABASE ... SET TABLESPACE
#
my $elsewhere = PostgreSQL::Test::Utils::tempdir;
$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$elsewhere'");
new_database_with_long_step('moving');
(undef, $milliseconds) =
  timed($node, 'postgres', 'ALTER DATABASE moving SET TABLESPACE elsewhere');
note "ALTER DATABASE SET TABLESPACE: $milliseconds ms";
cmp_ok($milliseconds, '<', 5000, 'ALTER DATABASE SET TABLESPACE does not wait for a step');
step_was_run_again('moving', 'after ALTER DATABASE SET TABLESPACE');
still_works('moving', 'instances run in the new place');

#
# CREATE DATABASE ... TEMPLATE
#
new_database_with_long_step('original');
my $mark = -s $node->logfile;
(undef, $milliseconds) =
  timed($node, 'postgres', 'CREATE DATABASE copy TEMPLATE original');
note "CREATE DATABASE TEMPLATE: $milliseconds ms";
cmp_ok($milliseconds, '<', 5000,
	'CREATE DATABASE TEMPLATE does not wait for a step');
step_was_run_again('original', 'after CREATE DATABASE TEMPLATE');
still_works('original', 'the original goes on');

# The copy has everything and touches nothing.
is( $node->safe_psql('copy', q{
		SELECT instance_id FROM df_instances ORDER BY 1}),
	"long\nwaiting",
	'the copy has the instances');
ok($node->wait_for_log(qr/WARNING:.*paused/, $mark),
	'the copy warns that it is paused');
$node->safe_psql('original', "SELECT df_raise_event('waiting', 'go')");
ok(wait_status($node, 'original', 'waiting', 'Completed'),
	'an event finishes the instance of the original');
is( $node->safe_psql('copy', q{
		SELECT count(*) FILTER (WHERE runtime_status IN ('Pending', 'Running')),
			(SELECT count(*) FROM ledger), (SELECT last_value FROM attempts)
		FROM df_instances}),
	'2|0|1',
	'nothing moves in the copy');
$node->safe_psql('copy', 'SELECT df_adopt_database()');
ok(wait_status($node, 'copy', 'long', 'Completed'),
	'df_adopt_database() sets the copy going');
is($node->safe_psql('copy', 'SELECT instance, step FROM ledger'),
	'long|1', 'its step runs once');
$node->safe_psql('copy', "SELECT df_raise_event('waiting', 'go', '7')");
is( $node->safe_psql('copy', q{
		SELECT output FROM df_wait_for_completion('waiting')}),
	'7',
	'events reach the instances of the copy');
still_works('copy', 'new instances run in the copy');

# A database that is a template is looked through like any other at the start
# of the server, and a new database can be made of it all the same.
create_database($node, 'model');
$node->safe_psql('model', q{
CREATE FUNCTION sleeps(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM df_create_timer('2 s'); RETURN '1'; END $$;
ALTER DATABASE model IS_TEMPLATE true;
SELECT df_start_singleton('sleeps', 'timer')});
$node->poll_query_until('model', q{SELECT waiting_for = 'timer' FROM df_instances WHERE instance_id = 'timer'})
  or die 'it does not wait';
$node->safe_psql('template1', q{
CREATE EXTENSION durable_singleton;
CREATE FUNCTION sleeps(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM df_create_timer('1 s'); RETURN '1'; END $$;
SELECT df_start_singleton('sleeps', 'timer')});
$node->restart;
ok(wait_status($node, 'model', 'timer', 'Completed'), 'a timer in a template falls due after a restart');
ok(wait_status($node, 'template1', 'timer', 'Completed'), 'and in template1');
$node->safe_psql('postgres', "CREATE DATABASE of_template$_") foreach 1 .. 3;
$node->safe_psql('postgres', 'CREATE DATABASE of_model TEMPLATE model');
is($node->safe_psql($_, 'SELECT count(*) FROM df_instances'), 1, "$_ is made while workers are in its template")
  foreach 'of_template3', 'of_model';
$node->safe_psql('template1', 'DROP EXTENSION durable_singleton CASCADE; DROP FUNCTION sleeps');

# A database in another encoding than UTF8
$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'});
$node->safe_psql('latin', q{
CREATE EXTENSION durable_singleton;
CREATE FUNCTION ends(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT df_expose_http('ends'), df_start_singleton('ends', 'x1'), df_start_singleton('ends', 'y1')});
ok(wait_ended($node, 'latin', '%'), 'instances in LATIN1 end');
foreach my $prefix ([ 'NULL', 2 ], [ q{'x'}, 1 ])
{
	is( $node->safe_psql('latin', qq{
			SELECT status, json_array_length(body::json)
			FROM durable_singleton.http_list(NULL, NULL, NULL, $prefix->[0], true, NULL, NULL)}),
		"200|$prefix->[1]", "they are listed over HTTP, prefix $prefix->[0]");
}

finish($node);
done_testing();
