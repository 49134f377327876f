# Clients and workers come and go at random between instances with tasks and
# children: none of them hangs, nothing is done twice, nothing is left over.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# %e is the SQLSTATE: XX000 is what no server should ever say.
my $node = new_server('main', conf => "log_line_prefix = '%m [%p] %e %q%a '\n");

$node->safe_psql('postgres', q{
CREATE TABLE ledger (execution uuid, task int);
CREATE FUNCTION write(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ledger VALUES ((input ->> 'execution')::uuid, (input ->> 'task')::int);
	PERFORM pg_sleep(random() * 0.004);
	IF random() < 0.1 THEN
		RAISE EXCEPTION 'no luck';
	END IF;
	RETURN input -> 'task';
END $$;
CREATE FUNCTION child(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb := jsonb_build_object('execution', df_execution_id());
	retry jsonb := df_retry_policy(20, '1 ms');
	first jsonb := df_call_activity('write', x || '{"task": 1}', retry);
BEGIN
	PERFORM df_await(df_schedule_timer('3 ms'));
	RETURN jsonb_build_array(first, df_call_activity('write', x || '{"task": 2}', retry));
END $$;
-- four turns of four tasks and a child each; every other child has the same id
CREATE FUNCTION parent(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	x jsonb := jsonb_build_object('execution', df_execution_id());
	turn int := coalesce(input::int, 1);
	t int[];
	c int;
BEGIN
	FOR i IN 1 .. 4 LOOP
		t[i] := df_schedule_activity('write', x || jsonb_build_object('task', i),
			df_retry_policy(20, '1 ms'));
	END LOOP;
	c := df_schedule_sub_orchestrator('child', NULL,
		CASE turn % 2 WHEN 0 THEN df_instance_id() || '/child' END);
	PERFORM df_wait_any(t || df_schedule_timer('2 ms'));
	BEGIN
		PERFORM df_wait_all(t || c);
	EXCEPTION WHEN SQLSTATE 'SD409' OR SQLSTATE 'SD410' THEN
		PERFORM df_set_custom_status('"lost a child"');
	END;
	IF turn < 4 THEN
		PERFORM df_continue_as_new(to_jsonb(turn + 1));
	END IF;
	RETURN df_wait_all(t);
END $$;
CREATE PROCEDURE call_at_random() LANGUAGE plpgsql AS $$
DECLARE
	id text := 'parent ' || 1 + floor(random() * 12);
	dice float := random();
BEGIN
	CASE
		WHEN dice < 0.35 THEN PERFORM df_start_singleton('parent', id);
		WHEN dice < 0.40 THEN PERFORM df_start_singleton('parent', id, on_conflict => 'terminate');
		WHEN dice < 0.48 THEN PERFORM df_terminate(id);
		WHEN dice < 0.60 THEN PERFORM df_suspend(id);
		WHEN dice < 0.84 THEN PERFORM df_resume(id);
		WHEN dice < 0.87 THEN PERFORM df_terminate(id || '/child');
		WHEN dice < 0.90 THEN PERFORM df_suspend(id || '/child');
		WHEN dice < 0.95 THEN PERFORM df_resume(id || '/child');
		WHEN dice < 0.99 THEN PERFORM df_purge(id);
		ELSE PERFORM pg_terminate_backend(pid) FROM df_stat_workers ORDER BY random() LIMIT 1;
	END CASE;
EXCEPTION WHEN SQLSTATE 'SD404' OR SQLSTATE 'SD409' OR SQLSTATE 'SD410' THEN
	NULL;
END $$;
CREATE PROCEDURE resume_all() LANGUAGE plpgsql AS $$
DECLARE
	id text;
BEGIN
	FOR id IN SELECT instance_id FROM df_instances WHERE runtime_status = 'Suspended' LOOP
		BEGIN
			PERFORM df_resume(id);
		EXCEPTION WHEN SQLSTATE 'SD410' THEN
			-- it went with its parent
			NULL;
		END;
		COMMIT;
	END LOOP;
END $$;
});
rescan_off($node);

sub query
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

foreach my $round (1 .. 5)
{
	$node->pgbench(
		'-n -c 5 -j 2 -t 400',
		0,
		[qr/processed: 2000\/2000/],
		[qr/^(?!.*(?:ERROR|aborted))/s],
		"round $round: five sessions call at random",
		{
			"storm$round" => q{
CALL call_at_random();
\set pause random(0, 6)
\sleep :pause ms
}
		});

	# A parent may begin a child after all suspended ones were resumed, but not
	# a suspended one.
	query('CALL resume_all()');
	ok(wait_ended($node, 'postgres', '%'), "round $round: all instances end");
	note query(q{
		SELECT string_agg(format('%s %s %s', n, name, runtime_status), ', ' ORDER BY name, runtime_status)
		FROM (SELECT count(*) n, name, runtime_status FROM df_instances GROUP BY 2, 3) s});
	is(query('SELECT count(*) FROM durable_singleton.task'),
		0, "round $round: no task is open");
	is( query(q{
			SELECT count(*) FROM df_instances WHERE runtime_status = 'Failed'}),
		0,
		"round $round: none has failed: neither a terminate nor a worker's end is an error of the code");
	is( query(q{
			SELECT count(*) FROM df_instances WHERE runtime_status = 'Completed'
				AND output <> CASE name WHEN 'parent' THEN '[1, 2, 3, 4]'::jsonb ELSE '[1, 2]' END}),
		0,
		"round $round: who has completed has all results");
	is( query(q{
			SELECT count(*) FROM (SELECT FROM ledger
				GROUP BY execution, task HAVING count(*) > 1) s}),
		0,
		"round $round: nothing was done twice");
	is( query(q{
			SELECT count(*) FROM (SELECT execution, count(*) n FROM ledger GROUP BY 1) l
				FULL JOIN (SELECT execution_id, count(*) n FROM df_history
					WHERE event_type = 'TaskCompleted' GROUP BY 1) h ON execution = execution_id
			WHERE l.n IS DISTINCT FROM h.n AND coalesce(execution, execution_id) IN (
				SELECT execution_id FROM df_instances
				UNION SELECT execution_id FROM df_executions)}),
		0,
		"round $round: the ledger has what history has");
	is( query(q{
			SELECT count(*) FROM durable_singleton.history
			WHERE execution_id NOT IN (SELECT execution_id FROM df_instances)
				AND execution_id NOT IN (SELECT execution_id FROM df_executions)}),
		0,
		"round $round: there is no history without its execution");
}
unlike(slurp_file($node->logfile), qr/ XX\d\w\w (?:WARNING|ERROR|FATAL)/,
	'no worker has come upon what cannot be');

finish($node);
done_testing();
