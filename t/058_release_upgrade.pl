# From 1.0 to the version that is tested, with instances of every kind and
# status under way: new files, a restart, ALTER EXTENSION UPDATE.  All go on at
# each stage, with every step once; what does not fit together says so; and
# nothing tells the result from a fresh installation.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use ReleasedVersion;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $missing = why_no_release('1.0');
plan skip_all => $missing if $missing;

my $version = tested_version();
my $node = released_server('main', '1.0',
	conf => "durable_singleton.rescan_interval = '1s'\nmax_prepared_transactions = 10\n");
my $extversion = q{SELECT extversion FROM pg_extension WHERE extname = 'durable_singleton'};

$node->safe_psql('postgres', q{
CREATE EXTENSION durable_singleton;
CREATE ROLE app LOGIN;
SELECT df_grant_usage('app');
CREATE ROLE watcher;
GRANT SELECT ON df_instances TO watcher;
CREATE TABLE ledger (instance text, step int);
CREATE TABLE broken (instance text PRIMARY KEY);
GRANT ALL ON ledger, broken TO app;
CREATE FUNCTION step(id text, n int) RETURNS int LANGUAGE sql AS $$
	SELECT pg_advisory_xact_lock_shared(n);
	INSERT INTO ledger VALUES (id, n) RETURNING n $$;
CREATE FUNCTION do_step(n int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'n', n)) $$;
CREATE FUNCTION fragile(id text, n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM broken WHERE instance = id) THEN
		RAISE 'broken';
	END IF;
	RETURN step(id, n);
END $$;
-- steps 1 and 2 around each kind of wait
CREATE FUNCTION plain(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	RETURN do_step(2);
END $$;
CREATE FUNCTION held(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(10);
	RETURN do_step(2);
END $$;
CREATE FUNCTION event(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	RETURN jsonb_build_array(df_wait_for_external_event('go'), do_step(2));
END $$;
CREATE FUNCTION timed_event(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	RETURN jsonb_build_array(df_wait_for_external_event('never', ($1 #>> '{}')::interval, '"late"'), do_step(2));
END $$;
CREATE FUNCTION timer(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	PERFORM df_create_timer(($1 #>> '{}')::interval);
	RETURN do_step(2);
END $$;
CREATE FUNCTION retried(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	RETURN df_call_activity('fragile', jsonb_build_object('id', df_instance_id(), 'n', 2),
		df_retry_policy(10000, '100 ms'));
END $$;
CREATE FUNCTION failing(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	RETURN df_call_activity('fragile', jsonb_build_object('id', df_instance_id(), 'n', 2));
END $$;
CREATE FUNCTION parent(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	RETURN jsonb_build_array(
		df_call_sub_orchestrator('event', NULL, 'child of ' || df_instance_id()), do_step(2));
END $$;
CREATE FUNCTION tasks(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	id text := df_instance_id();
	t int[] := ARRAY[df_schedule_activity('step', jsonb_build_object('id', id, 'n', 1)),
		df_schedule_activity('fragile', jsonb_build_object('id', id, 'n', 2), df_retry_policy(10000, '100 ms')),
		df_schedule_event('go'),
		df_schedule_timer('1 second'),
		df_schedule_sub_orchestrator('event', NULL, 'task of ' || id)];
	first int := df_wait_any(ARRAY[t[3], df_schedule_timer('1 day')]);
BEGIN
	RETURN jsonb_build_array(first = t[3], df_wait_all(t));
END $$;
CREATE FUNCTION recorded(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	r jsonb := jsonb_build_array(df_record(to_jsonb(random())), df_new_guid(), df_current_utc_datetime(),
		df_patched('first'));
BEGIN
	PERFORM do_step(1);
	PERFORM df_set_custom_status(r);
	PERFORM df_wait_for_external_event('go');
	PERFORM do_step(2);
	RETURN r;
END $$;
-- past executions, and the present one waits
CREATE FUNCTION rounds(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step((input #>> '{}')::int);
	IF input < '3' THEN
		PERFORM df_continue_as_new(to_jsonb((input #>> '{}')::int + 1));
	END IF;
	RETURN df_wait_for_external_event('go');
END $$;
-- never waits
CREATE FUNCTION spinning(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step((input #>> '{}')::int);
	IF EXISTS (SELECT FROM broken WHERE instance = df_instance_id()) THEN
		RETURN input;
	END IF;
	PERFORM df_continue_as_new(to_jsonb((input #>> '{}')::int + 1));
	RETURN NULL;
END $$;
SELECT df_expose_http('plain');
});
create_database($node, 'second');

# Two of each: one is to end before ALTER EXTENSION UPDATE, the other one after it
my @when = ('before', 'after');
my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(10)');
foreach my $when (@when)
{
	$node->safe_psql('postgres', qq{
INSERT INTO broken VALUES ('retried $when'), ('failing $when'), ('tasks $when');
SELECT df_start_singleton('plain', 'completed $when'),
	df_start_singleton('plain', 'start time $when', NULL, start_at => now() + '1 day'),
	df_start_singleton('event', 'event $when'),
	df_start_singleton('event', 'suspended $when'),
	df_start_singleton('event', 'terminated $when'),
	df_start_singleton('event', 'purged $when'),
	df_start_singleton('timed_event', 'timed event $when', '"1 second"'),
	df_start_singleton('timed_event', 'long timed event $when', '"1 day"'),
	df_start_singleton('timer', 'timer $when', '"1 second"'),
	df_start_singleton('timer', 'long timer $when', '"1 day"'),
	df_start_singleton('retried', 'retried $when'),
	df_start_singleton('failing', 'failing $when'),
	df_start_singleton('parent', 'parent $when'),
	df_start_singleton('tasks', 'tasks $when'),
	df_start_singleton('recorded', 'recorded $when'),
	df_start_singleton('rounds', 'rounds $when', '1'),
	df_start_singleton('spinning', 'spinning $when', '1');
SET ROLE app;
SELECT df_start_singleton('event', 'of app $when');
RESET ROLE});
	# its row is locked from the prepared transaction on
	ok($node->poll_query_until('postgres', qq{
			SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'terminated $when'}),
		"terminated $when: it waits first");
	$node->safe_psql('postgres', qq{
BEGIN;
SELECT df_start_singleton('plain', 'prepared $when');
SELECT df_terminate('terminated $when', 'in a prepared transaction');
PREPARE TRANSACTION '$when'});
}
ok($node->poll_query_until('postgres', q{
		SELECT count(*) FILTER (WHERE waiting_for = 'event go') = 18
			AND count(*) FILTER (WHERE waiting_for = 'event never') >= 2
			AND count(*) FILTER (WHERE waiting_for = 'any of 2 tasks') = 2
			AND count(*) FILTER (WHERE waiting_for = 'retry of fragile') > 0
			AND count(*) FILTER (WHERE runtime_status = 'Failed') = 2
			AND count(*) FILTER (WHERE instance_id LIKE 'completed %' AND runtime_status = 'Completed') = 2
			AND count(*) FILTER (WHERE instance_id LIKE '%timer %' AND runtime_status <> 'Pending') = 4
		FROM df_instances}), 'instances of every kind wait')
  or diag($node->safe_psql('postgres', q{SELECT string_agg(concat_ws(' ', instance_id, '-', runtime_status, waiting_for), '; ' ORDER BY instance_id) FROM df_instances}));
foreach my $when (@when)
{
	$node->safe_psql('postgres', qq{
		SELECT df_suspend('suspended $when');
		SELECT df_raise_event('suspended $when', 'go', '"kept"')});
}
# Another input at each replay, which 1.0 did not compare with the history
$node->safe_psql('postgres', q{
CREATE FUNCTION same(value text) RETURNS text LANGUAGE sql AS $$ SELECT value $$;
CREATE FUNCTION changing(value text DEFAULT gen_random_uuid()) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('same', jsonb_build_object('value', value));
	RETURN df_wait_for_external_event('proceed');
END $$;
SELECT df_start_singleton('changing', 'changing')});
ok($node->poll_query_until('postgres', q{
		SELECT waiting_for = 'event proceed' FROM df_instances WHERE instance_id = 'changing'}), 'one that changes waits, too');

# one of them stays in its step when the server goes down
$node->safe_psql('postgres', q{SELECT df_start_singleton('held', 'held before')});
ok(wait_in_activity($node, 'postgres', 'held before'), 'a step is under way');

#
# The files of the new version, and the library of 1.0, which the server has loaded
#
install_tested_version($node);
foreach my $database ('postgres', 'template1')
{
	my $command = $database eq 'postgres' ? 'ALTER EXTENSION durable_singleton UPDATE' : 'CREATE EXTENSION durable_singleton';
	my ($sqlstate, $message, $hint) = error_of($node, $database, $command);

	is("$sqlstate $message; $hint",
		qq{55000 version $version of extension "durable_singleton" needs the library of version $version; }
		  . "Install the library of version $version and restart the server.",
		"the library of 1.0 is told by $command");
}
is($node->safe_psql('postgres', $extversion), '1.0', 'the tables are left as they were');
is($node->safe_psql('postgres', q{
		SELECT df_start_singleton('plain', 'old library');
		SELECT runtime_status, output FROM df_wait_for_completion('old library')}),
	"t\nCompleted|2", 'orchestrations run');
my $rounds = q{SELECT input FROM df_instances WHERE instance_id = 'spinning before'};
my $before = $node->safe_psql('postgres', $rounds);

#
# The new library, and the tables of 1.0
#
my $mark = -s $node->logfile;
$node->restart;
foreach my $database ('postgres', 'second')
{
	ok($node->wait_for_log(qr/WARNING: .*version of extension "durable_singleton" in database "$database" does not match its library\n.*DETAIL: .*The extension has version 1\.0 there, the library has version \Q$version\E\.\n.*HINT: .*Run ALTER EXTENSION durable_singleton UPDATE/, $mark),
		"the log says that $database needs ALTER EXTENSION UPDATE");
}
ok($node->poll_query_until('postgres', "SELECT ($rounds) > '$before'"), 'what never waits goes on');
$node->safe_psql('postgres', q{SELECT df_start_singleton('held', 'held after')});
# the gate went with the server: the step that was interrupted runs again
$node->safe_psql('postgres', q{COMMIT PREPARED 'before'});
go_on('before');
is($node->safe_psql('postgres', $extversion), '1.0', 'all that with the tables of 1.0');

#
# ALTER EXTENSION UPDATE, with sessions that have used the extension, and a
# step under way
#
my $session = $node->background_psql('postgres');
$session->query_safe(q{SELECT df_start_singleton('plain', 'of the session')});
$gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(10)');
$node->safe_psql('postgres', q{SELECT df_start_singleton('held', 'held in update')});
ok(wait_in_activity($node, 'postgres', 'held in update'), 'a step is under way');
# A transaction that holds on to the tables is not waited for without end.
my ($sqlstate) = error_of($node, 'postgres', 'ALTER EXTENSION durable_singleton UPDATE');
is($sqlstate, '55P03', 'with a prepared transaction, ALTER EXTENSION UPDATE gives up');
is($node->safe_psql('postgres', "COMMIT PREPARED 'after'; $extversion"), '1.0', 'and changes nothing');
my (undef, $milliseconds) = timed($node, 'postgres', 'ALTER EXTENSION durable_singleton UPDATE');
cmp_ok($milliseconds, '<', 5000, 'ALTER EXTENSION UPDATE does not wait for a step');
is($node->safe_psql('postgres', $extversion), $version, 'the new version is there');
$gate->query_safe('SELECT pg_advisory_unlock(10)');
is($session->query_safe(q{
		SELECT output FROM df_wait_for_completion('held in update');
		SELECT df_start_singleton('plain', 'new version');
		SELECT runtime_status, output FROM df_wait_for_completion('new version')}),
	"2\nt\nCompleted|2", 'a session from before sees the step end, and starts');
go_on('after');
is($node->safe_psql('postgres', q{SELECT durable_singleton.library_version()}), $version, 'the version can be asked for');
is($node->safe_psql('second', $extversion), '1.0', 'another database stays as it is');
is($node->safe_psql('second', q{
		CREATE FUNCTION ready(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
		SELECT df_start_singleton('ready', 'ready', '1');
		SELECT output FROM df_wait_for_completion('ready')}), "t\n1", 'and runs');

# What 1.0 did not compare fails under the new version, until its author allows it.
is($node->safe_psql('postgres', q{
		SELECT df_raise_event('changing', 'proceed', '"went on"');
		SELECT runtime_status, failure ->> 'sqlstate' FROM df_wait_for_completion('changing')}),
	"\nFailed|SD422", 'an input that changes fails its instance');
is($node->safe_psql('postgres', q{
		ALTER FUNCTION changing SET durable_singleton.check_replay_input = off;
		SELECT df_rewind('changing');
		SELECT runtime_status, output FROM df_wait_for_completion('changing')}),
	"\nCompleted|\"went on\"", 'and it continues after ALTER FUNCTION and a rewind');

# Nothing lost, nothing doubled, nothing left
is($node->safe_psql('postgres', q{
		SELECT instance, step, count(*) FROM ledger GROUP BY 1, 2 HAVING count(*) <> 1}), '', 'no step twice');
is($node->safe_psql('postgres', q{
		SELECT instance_id FROM df_instances
		WHERE runtime_status IN ('Pending', 'Running', 'Suspended')
			AND instance_id NOT LIKE 'long %' AND instance_id NOT LIKE 'start time %' ORDER BY 1}),
	'', 'everything has ended that was to');
is($node->safe_psql('postgres', q{
		SELECT i.instance_id, i.next_wake_time > now() + '23 hours' FROM df_instances i
		WHERE runtime_status IN ('Pending', 'Running') ORDER BY 1}),
	join("\n", map { my $kind = $_; map { "$kind $_|t" } 'after', 'before' } 'long timed event', 'long timer', 'start time'),
	'what is to wait for a day still does');
foreach my $spinning ('spinning before', 'spinning after')
{
	is($node->safe_psql('postgres', qq{
			SELECT count(*) = max(step) AND min(step) = 1
				AND max(step) = (SELECT output::int FROM df_get_status('$spinning'))
			FROM ledger WHERE instance = '$spinning'}), 't', "$spinning: no round is missing");
}

#
# The same as a fresh installation
#
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION durable_singleton');
$node->safe_psql('postgres', 'CREATE DATABASE updated');
$node->safe_psql('updated', q{CREATE EXTENSION durable_singleton VERSION '1.0'});
$node->safe_psql('updated', 'ALTER EXTENSION durable_singleton UPDATE');
my $fresh = objects_of($node, 'fresh');
cmp_ok(scalar(split /\n/, $fresh), '>', 500, 'the comparison sees the objects');
is(difference(objects_of($node, 'updated'), $fresh), '', 'an update leaves the objects of a fresh installation');
is(difference(dump_of($node, 'updated'), dump_of($node, 'fresh')), '', 'and their dump');
# What was granted stays, and is all that differs where instances have run.
is(join("\n", grep { /^\+/ && !/: privileges: .*\b(app|watcher)=/ }
		split /\n/, difference(objects_of($node, 'postgres'), $fresh)), '', 'so does one with instances');
is($node->safe_psql('postgres', q{
		SET ROLE app; SELECT df_start_singleton('plain', 'of app');
		SELECT output FROM df_wait_for_completion('of app');
		RESET ROLE; SET ROLE watcher; SELECT count(*) FROM df_instances}),
	"t\n2\n0", 'roles keep what was granted to them');

# Each difference is seen.
foreach my $plant (
	q{ALTER TABLE durable_singleton.home ALTER database_oid SET DEFAULT 7},
	q{ALTER TABLE durable_singleton.home ALTER database_oid DROP NOT NULL},
	q{ALTER TABLE durable_singleton.home ADD COLUMN note text},
	q{ALTER TABLE durable_singleton.instance RESET (fillfactor)},
	q{ALTER TABLE durable_singleton.instance ALTER input SET STORAGE EXTERNAL},
	q{ALTER TABLE durable_singleton.instance DISABLE TRIGGER refuse_strangers},
	q{ALTER TABLE durable_singleton.history DROP CONSTRAINT history_kind_check},
	q{DROP INDEX durable_singleton.instance_parent},
	q{CREATE INDEX ON durable_singleton.task (owner)},
	q{ALTER SEQUENCE durable_singleton.inbox_id_seq INCREMENT 2},
	q{ALTER VIEW df_instances RESET (security_barrier)},
	q{CREATE OR REPLACE VIEW df_stat_workers AS SELECT w.pid, d.datname AS database,
		current_user AS role, w.instance_id, w.function_name, w.step_start
		FROM durable_singleton.workers() w LEFT JOIN pg_database d ON d.oid = w.database_oid},
	q{ALTER FUNCTION df_wait_for_any(text[], interval) ROWS 7},
	q{ALTER FUNCTION df_grant_usage(name) RESET search_path},
	q{GRANT EXECUTE ON FUNCTION durable_singleton.library_version() TO PUBLIC},
	q{REVOKE USAGE ON TYPE df_status FROM PUBLIC},
	q{GRANT SELECT (name) ON df_instances TO watcher},
	q{GRANT USAGE ON SCHEMA durable_singleton TO watcher},
	q{COMMENT ON FUNCTION df_rewind IS 'something else'},
	q{COMMENT ON COLUMN durable_singleton.home.database_oid IS 'a comment'},
	q{ALTER TYPE df_runtime_status ADD VALUE 'Lost'},
	q{ALTER TABLE durable_singleton.crash OWNER TO watcher},
	q{ALTER EXTENSION durable_singleton DROP FUNCTION df_rewind(text, text)},
	q{CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER EXTENSION durable_singleton ADD FUNCTION more()},
	q{UPDATE pg_extension SET extcondition[2] = '' WHERE extname = 'durable_singleton'},
	q{UPDATE pg_init_privs SET initprivs = initprivs[:0] WHERE objoid = 'df_rewind'::regproc})
{
	isnt(objects_of($node, 'updated', $plant), $fresh, "seen: $plant");
}

#
# Whatever default privileges there are, new objects go to nobody
#
$node->safe_psql('postgres', 'CREATE DATABASE generous');
$node->safe_psql('generous', q{
	CREATE EXTENSION durable_singleton VERSION '1.0';
	ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO watcher;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO watcher;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO watcher;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO watcher;
	ALTER EXTENSION durable_singleton UPDATE;
	ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM watcher;
	ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM watcher;
	ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM watcher;
	ALTER DEFAULT PRIVILEGES REVOKE ALL ON SEQUENCES FROM watcher});
is(scalar(grep { /watcher=/ } split /\n/, objects_of($node, 'generous')), 0,
	'default privileges give nothing away');

$session->quit;
$gate->quit;
finish($node);
done_testing();

# The lines that one text has more often than the other: none is a dump or a
# list of another order.
sub difference
{
	my ($got, $expected) = @_;
	my %count;

	$count{$_}++ foreach split /\n/, $got;
	$count{$_}-- foreach split /\n/, $expected;
	return join "\n", map { ($count{$_} > 0 ? '+' : '-') . $_ } grep { $count{$_} != 0 } sort keys %count;
}

# Lets those that are to end now end, by every way to steer them, and looks at
# what has come of them.
sub go_on
{
	my ($when) = @_;

	$node->safe_psql('postgres', qq{
DELETE FROM broken WHERE instance LIKE '% $when';
INSERT INTO broken VALUES ('spinning $when');
SELECT df_raise_event(instance_id, 'go', '"gone"') FROM df_instances
	WHERE instance_id ~ '(event|parent|tasks|recorded|rounds|app) $when' AND runtime_status IN ('Pending', 'Running')
		AND instance_id !~ 'timed';
SELECT df_resume('suspended $when');
SELECT df_rewind('failing $when');
SELECT df_terminate('purged $when');
SELECT df_wait_for_completion('purged $when', '3 min');
SELECT df_purge('purged $when');
SELECT df_restart('completed $when')});
	ok($node->poll_query_until('postgres', qq{
			SELECT count(*) = 18 AND bool_and(runtime_status IN ('Completed', 'Terminated'))
			FROM df_instances WHERE instance_id LIKE '% $when'
				AND instance_id NOT LIKE 'long %' AND instance_id NOT LIKE 'start time %'}),
		"all $when the update end")
	  or diag($node->safe_psql('postgres', qq{SELECT instance_id, runtime_status, waiting_for, failure
			FROM df_instances WHERE instance_id LIKE '% $when' ORDER BY 1}));
	is($node->safe_psql('postgres', qq{
			SELECT instance_id, runtime_status, CASE name WHEN 'recorded' THEN output = custom_status
				WHEN 'spinning' THEN output >= '1' END, CASE WHEN name NOT IN ('recorded', 'spinning') THEN output END
			FROM df_instances WHERE instance_id LIKE '% $when'
				AND instance_id NOT LIKE 'long %' AND instance_id NOT LIKE 'start time %' ORDER BY 1}),
		join("\n",
			"child of parent $when|Completed||[\"gone\", 2]",
			"completed $when|Completed||2",
			"event $when|Completed||[\"gone\", 2]",
			"failing $when|Completed||2",
			"held $when|Completed||2",
			"of app $when|Completed||[\"gone\", 2]",
			"parent $when|Completed||[[\"gone\", 2], 2]",
			"prepared $when|Completed||2",
			"recorded $when|Completed|t|",
			"retried $when|Completed||2",
			"rounds $when|Completed||\"gone\"",
			"spinning $when|Completed|t|",
			"suspended $when|Completed||[\"kept\", 2]",
			"task of tasks $when|Completed||[\"gone\", 2]",
			"tasks $when|Completed||[true, [1, 2, \"gone\", null, [\"gone\", 2]]]",
			"terminated $when|Terminated||\"in a prepared transaction\"",
			"timed event $when|Completed||[\"late\", 2]",
			"timer $when|Completed||2"),
		"with their results");
	is($node->safe_psql('postgres', qq{
			SELECT instance, step FROM ledger WHERE instance = 'held $when' ORDER BY 2}),
		"held $when|2\nheld $when|10", 'the step that was interrupted has run once');
	return;
}
