# What a superuser adds to the extension's tables, or does to them, is obeyed
# or refused; nothing is lost by it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('added', conf => q{
wal_level = logical
max_replication_slots = 4
max_wal_senders = 4
durable_singleton.rescan_interval = '1s'
});

$node->safe_psql('postgres', q{
CREATE ROLE app LOGIN;
SELECT df_grant_usage('app');
CREATE TABLE ledger (instance text, step int);
GRANT ALL ON ledger TO app;
CREATE FUNCTION act(id text, n int) RETURNS int LANGUAGE sql AS
	$$ INSERT INTO public.ledger VALUES (id, n) RETURNING step $$;
CREATE FUNCTION input(n int) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT jsonb_build_object('id', df_instance_id(), 'n', n) $$;
CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE FUNCTION leaf() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity('public.act', public.input(1)) $$;
-- writes all tables in all ways
CREATE FUNCTION all_ways(again boolean = true) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('public.act', public.input(1));
	PERFORM df_wait_all(ARRAY[
		df_schedule_activity('public.act', public.input(2)),
		df_schedule_sub_orchestrator('public.leaf', NULL, 'child of ' || df_instance_id() || again),
		df_schedule_timer('1 ms')]);
	BEGIN
		PERFORM df_await(df_schedule_activity('public.fails', retry => df_retry_policy(2, '1 ms')));
	EXCEPTION WHEN OTHERS THEN
		NULL;
	END;
	PERFORM df_wait_for_external_event('go');
	IF again THEN
		PERFORM df_continue_as_new('{"again": false}');
		RETURN NULL;
	END IF;
	RETURN df_call_activity('public.act', public.input(3));
END $$;
CREATE FUNCTION waits() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_wait_for_external_event('go') $$;
});

my $round = 0;

# Instances of an ordinary role do what there is, and each effect is there once.
sub works
{
	my ($what, $during) = @_;
	my $r = ++$round;
	my @app = (extra_params => [ '-U', 'app' ]);

	$node->safe_psql('postgres', qq{
		SELECT df_start_singleton('public.all_ways', 'all $r ' || n) FROM generate_series(1, 5) n;
		SELECT df_start_singleton('public.waits', 'ended $r')}, @app);
	$during->() if $during;
	foreach my $turn (1, 2)
	{
		$node->poll_query_until('postgres', qq{
			SELECT count(*) = 5 FROM df_instances i WHERE instance_id LIKE 'all $r %' AND waiting_for = 'event go'
				AND (SELECT count(*) FROM ledger WHERE instance = i.instance_id) = 2 * $turn}) or die "$what: no wait";
		$node->safe_psql('postgres', qq{
			SELECT df_raise_event('all $r ' || n, 'go') FROM generate_series(1, 5) n}, @app);
	}
	ok(wait_ended($node, 'postgres', "all $r %"), "$what: all instances end");
	is( $node->safe_psql('postgres', qq{
			SELECT string_agg(DISTINCT steps, ', ') FROM (SELECT string_agg(step::text, ' ' ORDER BY step) AS steps
				FROM ledger WHERE instance LIKE 'all $r %' GROUP BY instance) l}),
		'1 1 2 2 3', "$what: each effect once");
	is( $node->safe_psql('postgres', qq{
			SELECT df_terminate('ended $r');
			SELECT df_start_singleton('public.waits', 'ended $r', on_conflict => 'terminate');
			SELECT df_start_singleton('public.waits', 'ended $r');
			SELECT df_suspend('ended $r');
			SELECT df_resume('ended $r');
			SELECT df_terminate('ended $r');
			SELECT df_purge('all $r 1')}, @app) =~ s/^\n//mgr,
		"t\nf\n3", "$what: clients steer them");
	return;
}

# Statements on our tables that a session's start, and its steps, come to.
sub statements
{
	my ($id) = @_;
	my ($ret, $stdout, $stderr) = $node->psql('postgres', qq{
		LOAD 'auto_explain';
		SET auto_explain.log_min_duration = 0;
		SET auto_explain.log_nested_statements = on;
		SET client_min_messages = log;
		SELECT df_start_singleton('public.leaf', '$id');
		CALL df_run()});

	return join ' ', sort { $a cmp $b }
	  keys %{ { map { $_ => 1 } $stderr =~ /Query Text: ((?:INSERT INTO|UPDATE) durable_singleton\.\w+)/g } };
}

# --- nothing added ---

$node->append_conf('postgresql.conf', 'durable_singleton.enabled = off');
$node->reload;
# contrib may be missing where the server was built from source
my $can_explain = $node->psql('postgres', q{LOAD 'auto_explain'}) == 0;
SKIP:
{
	skip 'no auto_explain', 1 unless $can_explain;
	is(statements('plain'), '', 'rows are written without statements');
}

# --- a copy that follows by triggers, as pg_repack makes it ---

$node->safe_psql('postgres', q{
CREATE SCHEMA copy;
CREATE FUNCTION copy.follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		EXECUTE format('DELETE FROM copy.%I c WHERE c::text = $1::text', TG_TABLE_NAME) USING OLD;
	END IF;
	IF TG_OP <> 'DELETE' THEN
		EXECUTE format('INSERT INTO copy.%I SELECT ($1).*', TG_TABLE_NAME) USING NEW;
	END IF;
	RETURN NULL;
END $$;
CREATE PROCEDURE copy.begin() LANGUAGE plpgsql AS $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY '{instance, history, task, inbox, execution}'::text[] LOOP
		EXECUTE format('LOCK TABLE durable_singleton.%I IN ACCESS EXCLUSIVE MODE', t);
		EXECUTE format('CREATE TABLE copy.%I AS TABLE durable_singleton.%I', t, t);
		EXECUTE format('CREATE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON durable_singleton.%I'
			' FOR EACH ROW EXECUTE FUNCTION copy.follow()', t);
		EXECUTE format('ALTER TABLE durable_singleton.%I ENABLE ALWAYS TRIGGER follow', t);
	END LOOP;
END $$;
-- rows that differ
CREATE FUNCTION copy.differences() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t text;
	n int;
	all_of_them text := '';
BEGIN
	FOREACH t IN ARRAY '{instance, history, task, inbox, execution}'::text[] LOOP
		EXECUTE format('SELECT count(*) FROM ((TABLE copy.%1$I EXCEPT TABLE durable_singleton.%1$I) UNION ALL'
			' (TABLE durable_singleton.%1$I EXCEPT TABLE copy.%1$I)) d', t) INTO n;
		all_of_them := all_of_them || CASE WHEN n > 0 THEN t || ' ' || n || ' ' ELSE '' END;
	END LOOP;
	RETURN all_of_them;
END $$;
});
$node->append_conf('postgresql.conf', 'durable_singleton.enabled = on');
$node->reload;
works('a copy by triggers', sub { $node->safe_psql('postgres', 'CALL copy.begin()') });
is($node->safe_psql('postgres', 'SELECT copy.differences()'), '', 'the copy has all that was written');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM copy.history}), '>', 10, 'and that is something');
$node->safe_psql('postgres', q{SET session_replication_role = replica; SELECT df_start_singleton('leaf', 'replica')});
ok(wait_status($node, 'postgres', 'replica', 'Completed'), 'a start under session_replication_role = replica runs');
is($node->safe_psql('postgres', 'SELECT copy.differences()'), '', 'and is copied');
SKIP:
{
	skip 'no auto_explain', 1 unless $can_explain;
	like(statements('followed'), qr/INSERT INTO durable_singleton.instance/, 'by statements, that is');
}
$node->safe_psql('postgres', 'DROP SCHEMA copy CASCADE');

# --- pg_repack itself, where there is one ---

SKIP:
{
	skip 'no pg_repack', 4
	  unless $node->psql('postgres', 'CREATE EXTENSION pg_repack') == 0
	  && -x $node->config_data('--bindir') . '/pg_repack';
	my @repack = ($node->config_data('--bindir') . '/pg_repack', '-h', $node->host, '-p', $node->port, '-d', 'postgres');
	my $errors = '';

	works('pg_repack', sub {
		IPC::Run::run(\@repack, '>', '/dev/null', '2>', \$errors) or die $errors;
	});
	unlike($errors, qr/ERROR|WARNING/, 'pg_repack has nothing to complain about');
	$node->safe_psql('postgres', 'DROP EXTENSION pg_repack');
}

# --- rules, constraints, triggers that keep a row away ---

$node->safe_psql('postgres', q{
CREATE TABLE noted (id text);
GRANT ALL ON noted TO app;
CREATE RULE note AS ON UPDATE TO durable_singleton.instance DO ALSO INSERT INTO noted VALUES (NEW.instance_id)});
$node->safe_psql('postgres', "SELECT df_start_singleton('public.waits', 'ruled')", extra_params => [ '-U', 'app' ]);
$node->safe_psql('postgres', "SELECT df_raise_event('ruled', 'go', '1')", extra_params => [ '-U', 'app' ]);
ok(wait_status($node, 'postgres', 'ruled', 'Completed'), 'a rule for updates: an instance ends');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM noted'), '>', 1, 'the rule has seen its steps');
$node->safe_psql('postgres', q{DROP RULE note ON durable_singleton.instance});

sub refuses
{
	my ($what, $add, $sqlstate, $drop, $start) = @_;
	my $id = 'refused ' . ++$round;

	$node->safe_psql('postgres', $add);
	my ($state, $message, $hint) = error_of($node, 'postgres',
		$start // "SELECT df_start_singleton('public.leaf', '$id')", extra_params => [ '-U', 'app' ], timeout => 60);
	is($state, $sqlstate, "$what: the start is refused") or diag "$message $hint";
	$node->safe_psql('postgres', $drop);
	$node->safe_psql('postgres', "SELECT df_start_singleton('public.leaf', '$id')", extra_params => [ '-U', 'app' ]);
	ok(wait_status($node, 'postgres', $id, 'Completed'), "$what: without it the instance runs");
	return;
}

my $instance = 'durable_singleton.instance';
refuses('a rule for inserts', "CREATE RULE note AS ON INSERT TO $instance DO ALSO INSERT INTO noted VALUES (NEW.instance_id)",
	'0A000', "DROP RULE note ON $instance");
refuses('a trigger that keeps rows away', qq{
	CREATE FUNCTION keep_away() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER keep_away BEFORE INSERT ON $instance FOR EACH ROW EXECUTE FUNCTION keep_away()},
	'27000', 'DROP FUNCTION keep_away CASCADE');
refuses('a CHECK constraint', "ALTER TABLE $instance ADD CONSTRAINT none CHECK (name NOT LIKE '%leaf') NOT VALID",
	'23514', "ALTER TABLE $instance DROP CONSTRAINT none");
refuses('a foreign key', qq{CREATE TABLE names (name text PRIMARY KEY);
	ALTER TABLE $instance ADD CONSTRAINT named FOREIGN KEY (name) REFERENCES names NOT VALID},
	'23503', "ALTER TABLE $instance DROP CONSTRAINT named");
$node->safe_psql('postgres', q{SELECT df_terminate(instance_id) FROM df_instances WHERE runtime_status IN ('Running', 'Pending')});
$node->safe_psql('postgres', q{SELECT df_purge_by('-infinity')});
refuses('a NOT NULL', "ALTER TABLE $instance ALTER input SET NOT NULL",
	'23502', "ALTER TABLE $instance ALTER input DROP NOT NULL");
$node->safe_psql('postgres', q{SELECT df_start_singleton('public.waits', 'unique')});
refuses('a unique index', "CREATE UNIQUE INDEX one_of_a_name ON $instance (name) WHERE status IN ('Pending', 'Running')",
	'27000', 'DROP INDEX durable_singleton.one_of_a_name', q{SELECT df_start_singleton('public.waits', 'other')});
refuses('a column more', "ALTER TABLE $instance ADD COLUMN more int DEFAULT 1", '55000', "ALTER TABLE $instance DROP COLUMN more");
# An instance that has begun waits until the table is as it was.
$node->safe_psql('postgres', q{SELECT df_start_singleton('public.all_ways', 'altered')}, extra_params => [ '-U', 'app' ]);
$node->poll_query_until('postgres', q{SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'altered'})
  or die 'no wait';
$node->safe_psql('postgres', 'ALTER TABLE durable_singleton.task ALTER counted TYPE bigint');
ok($node->wait_for_log(qr/orchestrations in database "postgres" wait: the tables of extension "durable_singleton" have been altered/),
	'a type changed: the log tells of it');
$node->safe_psql('postgres', q{SELECT df_raise_event('altered', 'go')});
$node->safe_psql('postgres', 'ALTER TABLE durable_singleton.task ALTER counted TYPE int');
ok($node->poll_query_until('postgres', q{
		SELECT count(*) = 4 FROM ledger, df_instances WHERE instance = 'altered' AND instance_id = 'altered'
			AND waiting_for = 'event go'}), 'a type changed back: the instance goes on');
$node->safe_psql('postgres', q{SELECT df_terminate('altered')});

# --- indexes of any kind ---

$node->safe_psql('postgres', qq{
CREATE INDEX by_expression ON $instance ((lower(instance_id)), turn) INCLUDE (status) WHERE status = 'Completed';
CREATE UNIQUE INDEX once_more ON durable_singleton.history (execution_id, seq, attempt, kind);
CREATE INDEX hashed ON durable_singleton.task USING hash (instance_id)});
works('indexes');
is( $node->safe_psql('postgres', qq{
		SET enable_seqscan = off;
		SELECT count(*) FROM $instance WHERE lower(instance_id) LIKE 'all $round %' AND status = 'Completed'}),
	4, 'an added index has the rows');
SKIP:
{
	skip 'no amcheck', 1 if $node->psql('postgres', 'CREATE EXTENSION amcheck') != 0;
	is( $node->safe_psql('postgres', q{
			SELECT count(bt_index_check(c.oid, true)) > 8 FROM pg_class c JOIN pg_am a ON a.oid = c.relam
			WHERE relnamespace = 'durable_singleton'::regnamespace AND relkind = 'i' AND amname = 'btree'}),
		't', 'all indexes are sound');
}

# --- a table that refers to instances keeps the fast way ---

$node->safe_psql('postgres', qq{
CREATE TABLE orders (id text REFERENCES $instance ON DELETE CASCADE)});
$node->append_conf('postgresql.conf', 'durable_singleton.enabled = off');
$node->reload;
SKIP:
{
	skip 'no auto_explain', 1 unless $can_explain;
	is(statements('referred'), '', 'a foreign key to instances does not slow them down');
}
$node->safe_psql('postgres', q{SELECT df_start_singleton('public.leaf', 'referred'); CALL df_run()});
$node->append_conf('postgresql.conf', 'durable_singleton.enabled = on');
$node->reload;
is( $node->safe_psql('postgres', q{
		INSERT INTO orders VALUES ('referred');
		SELECT df_purge('referred');
		SELECT count(*) FROM orders}), "1\n0", 'an order goes with its instance');
$node->safe_psql('postgres', 'DROP TABLE orders');

# --- logical decoding and publications ---

SKIP:
{
	skip 'no test_decoding', 8
	  if $node->psql('postgres', q{SELECT pg_create_logical_replication_slot('decoded', 'test_decoding')}) != 0;
	my $before = $node->safe_psql('postgres', q{
		SELECT (SELECT count(*) FROM durable_singleton.instance), (SELECT count(*) FROM durable_singleton.history),
			(SELECT count(*) FROM durable_singleton.task), (SELECT count(*) FROM durable_singleton.inbox)});
	works('logical decoding');
	$node->safe_psql('postgres', q{CREATE TABLE changes AS SELECT data FROM pg_logical_slot_get_changes('decoded', NULL, NULL)
		WHERE data LIKE 'table durable_singleton.%'});
	my $after = $node->safe_psql('postgres', q{
		SELECT (SELECT count(*) FROM durable_singleton.instance), (SELECT count(*) FROM durable_singleton.history),
			(SELECT count(*) FROM durable_singleton.task), (SELECT count(*) FROM durable_singleton.inbox)});
	my @before = split /\|/, $before;
	my @after  = split /\|/, $after;
	foreach my $table (qw(instance history task inbox))
	{
		is( $node->safe_psql('postgres', qq{
				SELECT count(*) FILTER (WHERE data ~ ': INSERT:') - count(*) FILTER (WHERE data ~ ': DELETE:')
				FROM changes WHERE data LIKE 'table durable_singleton.$table:%'}),
			shift(@after) - shift(@before), "the changes of $table are all decoded");
	}
	is($node->safe_psql('postgres', q{SELECT count(*) FROM changes WHERE data ~ ': DELETE: \(no-tuple-data\)'}),
		0, 'each with the key of its row');
	$node->safe_psql('postgres', q{SELECT pg_drop_replication_slot('decoded')});
}

# What PostgreSQL refuses of a publication is refused, and waits for its end.
$node->safe_psql('postgres', qq{
CREATE PUBLICATION filtered FOR TABLE $instance WHERE (turn > 100);
SELECT df_start_singleton('leaf', 'published')});
ok($node->wait_for_log(qr/instance "published".*cannot update table "instance"/), 'a step that must not be published is undone');
$node->safe_psql('postgres', 'DROP PUBLICATION filtered');
ok(wait_status($node, 'postgres', 'published', 'Completed'), 'and made again');
is($node->safe_psql('postgres', q{SELECT count(*) FROM ledger WHERE instance = 'published'}), 1, 'once');
$node->safe_psql('postgres', q{CREATE PUBLICATION whole FOR ALL TABLES});
works('a publication of all tables');
$node->safe_psql('postgres', q{DROP PUBLICATION whole});

# --- statistics, tables rewritten ---

$node->safe_psql('postgres', q{SELECT pg_stat_reset_single_table_counters('durable_singleton.instance'::regclass)});
works('VACUUM FULL, CLUSTER, UNLOGGED', sub {
	$node->safe_psql('postgres', $_) foreach 'VACUUM FULL durable_singleton.instance',
	  'CLUSTER durable_singleton.history USING history_pkey', 'REINDEX TABLE CONCURRENTLY durable_singleton.instance',
	  'ALTER TABLE durable_singleton.inbox SET UNLOGGED', 'ALTER TABLE durable_singleton.inbox SET LOGGED';
});
ok($node->poll_query_until('postgres', q{
		SELECT n_tup_ins >= 12 AND n_tup_upd > 12 AND n_tup_del > 0
		FROM pg_stat_user_tables WHERE schemaname = 'durable_singleton' AND relname = 'instance'}),
	'rows that are written without a statement are counted')
  or diag $node->safe_psql('postgres', q{SELECT * FROM pg_stat_user_tables WHERE relname = 'instance'});

finish($node);
done_testing();
