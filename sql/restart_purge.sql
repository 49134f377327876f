-- df_restart runs the same again, under the same or a new id; df_purge and
-- df_purge_by remove ended instances with everything that belongs to them,
-- never an active one; df_rewind, df_suspend and all of these can be rolled
-- back.
\set ECHO none
\i sql/helpers.inc
\i sql/workers_off.inc
\set ECHO all
CREATE FUNCTION gone_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION gone_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no luck'; END $$;
CREATE FUNCTION gone_wait(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"waits"');
	PERFORM df_call_activity('gone_echo', input);
	RETURN df_wait_for_external_event('go', '1 day');
END $$;
CREATE FUNCTION gone_act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN df_call_activity(input #>> '{}', '"in"'); END $$;
CREATE FUNCTION gone_round(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input::int < 3 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int + 1));
	END IF;
	RETURN input;
END $$;
-- where anything of an id or of one of its executions is left, in any table
CREATE TABLE gone_key (key text);
CREATE FUNCTION gone_remember(pattern text) RETURNS bigint LANGUAGE sql AS $$
	TRUNCATE gone_key;
	INSERT INTO gone_key SELECT DISTINCT k FROM (
		SELECT instance_id AS k FROM df_instances WHERE instance_id LIKE pattern
		UNION ALL SELECT execution_id::text FROM df_instances WHERE instance_id LIKE pattern
		UNION ALL SELECT coalesce(run_id, execution_id)::text FROM durable_singleton.instance WHERE instance_id LIKE pattern
		UNION ALL SELECT execution_id::text FROM df_executions WHERE instance_id LIKE pattern) s;
	SELECT count(*) FROM gone_key;
$$;
CREATE FUNCTION gone_traces() RETURNS TABLE (relation name, traces bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR relation IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'durable_singleton'::regnamespace
		AND c.relkind IN ('r', 'p') ORDER BY c.relname COLLATE "C" LOOP
		EXECUTE format('SELECT count(*) FROM durable_singleton.%I r WHERE EXISTS
			(SELECT FROM gone_key WHERE position(key IN r::text) > 0)', relation) INTO traces;
		IF traces > 0 THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;

-- restart with a new id, the default: function and input again, nothing else
SELECT df_start_singleton('gone_wait', 'gone a', '{"order": 1}');
CALL df_run();
SELECT df_raise_event('gone a', 'go', '"first"');
CALL df_run();
SELECT df_restart('gone a') AS new_id \gset
SELECT :'new_id' <> 'gone a' AND :'new_id' = (:'new_id'::uuid)::text AS is_a_uuid;
SELECT name, runtime_status, input, custom_status, output, failure, parent_instance_id, owner = current_user::regrole AS own
FROM df_instances WHERE instance_id = :'new_id';
SELECT runtime_status, output FROM df_get_status('gone a');
SELECT count(*) AS archived FROM df_executions WHERE instance_id IN ('gone a', :'new_id');
CALL df_run();
SELECT df_raise_event(:'new_id', 'go', '"second"');
CALL df_run();
SELECT runtime_status, output FROM df_get_status(:'new_id');
SELECT df_restart('gone a', restart_with_new_instance_id => true) NOT IN ('gone a', :'new_id') AS another_id;
-- of an active one, too
SELECT df_start_singleton('gone_wait', 'gone active', '{"order": 2}', start_at => '2200-01-01');
SELECT df_restart('gone active') AS new_id \gset
SELECT instance_id = 'gone active' AS original, runtime_status, input, next_wake_time = '2200-01-01' AS later FROM df_instances
WHERE instance_id IN ('gone active', :'new_id') ORDER BY 1;
SELECT df_suspend('gone active');
SELECT df_restart('gone active') AS new_id \gset
SELECT runtime_status, input, next_wake_time = '2200-01-01' AS later FROM df_instances WHERE instance_id = :'new_id';
SELECT error_of($$ SELECT df_restart('gone active', false) $$);
SELECT df_terminate(instance_id) FROM df_instances WHERE instance_id IN ('gone active', :'new_id');
CALL df_run();
SELECT count(df_terminate(instance_id)) FROM df_instances WHERE name = 'gone_wait' AND runtime_status = 'Running';

-- restart with the same id: the old execution goes to the archive
SELECT df_start_singleton('gone_wait', 'gone b', '{"order": 3}');
CALL df_run();
SELECT df_raise_event('gone b', 'other', '"left over"');
SELECT df_raise_event('gone b', 'go', '"first"');
CALL df_run();
SELECT execution_id AS old FROM df_get_status('gone b') \gset
SELECT df_restart('gone b', false);
SELECT runtime_status, input, custom_status, output, execution_id = :'old' AS same FROM df_get_status('gone b');
SELECT execution_id = :'old' AS same, runtime_status, input, custom_status, output FROM df_executions WHERE instance_id = 'gone b';
SELECT count(*) AS events FROM durable_singleton.inbox WHERE instance_id = 'gone b';
CALL df_run();
SELECT runtime_status, waiting_for FROM df_instances WHERE instance_id = 'gone b';
SELECT df_raise_event('gone b', 'go', '"second"');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('gone b');
-- of a failed and of a terminated one; what is kept is bounded as always
SELECT df_start_singleton('gone_fail', 'gone failed', '1');
CALL df_run();
SELECT df_restart('gone failed', false);
SELECT runtime_status, failure FROM df_get_status('gone failed');
CALL df_run();
SELECT runtime_status, failure ->> 'message' AS message FROM df_get_status('gone failed');
SET durable_singleton.keep_executions = 1;
DO $$ BEGIN FOR i IN 1 .. 3 LOOP
	PERFORM df_restart('gone failed', false);
	PERFORM df_terminate('gone failed', i::text);
	COMMIT;
END LOOP; END $$;
RESET durable_singleton.keep_executions;
SELECT runtime_status, output FROM df_executions WHERE instance_id = 'gone failed';
SELECT runtime_status, output FROM df_get_status('gone failed');
-- a NULL input stays NULL; the input is that of the present execution
SELECT df_start_singleton('gone_echo', 'gone null');
SELECT df_start_singleton('gone_round', 'gone round', '1');
CALL df_run();
SELECT df_restart(id, false) FROM unnest('{gone null,gone round}'::text[]) id;
SELECT instance_id, input IS NULL AS input_is_null, input FROM df_instances WHERE instance_id IN ('gone null', 'gone round') ORDER BY 1;
CALL df_run();
SELECT instance_id, runtime_status, output FROM df_instances WHERE instance_id IN ('gone null', 'gone round') ORDER BY 1;
-- the function is found where the start found it, whatever the path is now
CREATE SCHEMA gone_schema;
CREATE FUNCTION gone_schema.gone_here(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"in the schema"'::jsonb $$;
SET search_path = gone_schema, public;
SELECT df_start_singleton('gone_here', 'gone schema');
RESET search_path;
CALL df_run();
SELECT df_restart('gone schema', false);
CALL df_run();
SELECT name, runtime_status, output FROM df_get_status('gone schema');
-- one that is there no more, or that the caller may not execute
DROP FUNCTION gone_schema.gone_here;
SELECT error_of($$ SELECT df_restart('gone schema', false) $$);
SELECT error_of($$ SELECT df_restart('gone schema') $$);
SELECT runtime_status, output FROM df_get_status('gone schema');
DROP SCHEMA gone_schema;
CREATE ROLE regress_ds_user LOGIN;
SELECT df_grant_usage('regress_ds_user');
SET ROLE regress_ds_user;
SELECT df_start_singleton('gone_echo', 'gone user', '1');
SELECT df_terminate('gone user');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION gone_echo FROM PUBLIC;
SET ROLE regress_ds_user;
SELECT error_of($$ SELECT df_restart('gone user', false) $$);
SELECT error_of($$ SELECT df_restart('gone user') $$);
RESET ROLE;
GRANT EXECUTE ON FUNCTION gone_echo TO PUBLIC;
-- nonsense
SELECT error_of($$ SELECT df_restart('gone unknown') $$);
SELECT error_of($$ SELECT df_restart('gone b', NULL) $$);

-- purge: the instance, its archive, its history and its messages
SELECT df_start_singleton('gone_wait', 'gone p', to_jsonb(n), on_conflict => 'terminate') FROM generate_series(1, 3) n;
CALL df_run();
SELECT df_start_singleton('gone_wait', 'gone p', '4', on_conflict => 'terminate');
CALL df_run();
SELECT df_raise_event('gone p', 'other', '"never taken"');
SELECT df_suspend('gone p', 'reason');
SELECT df_resume('gone p');
SELECT error_of($$ SELECT df_purge('gone p') $$);
SELECT df_raise_event('gone p', 'go');
CALL df_run();
SELECT gone_remember('gone p') > 3 AS remembered;
SELECT relation FROM gone_traces() WHERE relation IN ('instance', 'history', 'execution');
SELECT df_purge('gone p');
SELECT * FROM gone_traces();
SELECT count(*) FROM df_get_status('gone p');
SELECT count(*) FROM df_history WHERE instance_id = 'gone p';
SELECT df_purge('gone p');
SELECT error_of($$ SELECT df_raise_event('gone p', 'go') $$);
-- a start of the id is a first start
SELECT df_start_singleton('gone_echo', 'gone p', '"anew"', reuse => '{}');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('gone p');
SELECT count(*) FROM df_executions WHERE instance_id = 'gone p';
-- messages of a terminated one
SELECT df_start_singleton('gone_wait', 'gone q');
SELECT df_raise_event('gone q', 'go', to_jsonb(n)) FROM generate_series(1, 3) n;
SELECT df_terminate('gone q');
SELECT gone_remember('gone q') > 1 AS remembered;
SELECT df_purge('gone q');
SELECT * FROM gone_traces();

-- children go with their parents, the children of children, too
CREATE FUNCTION gone_parent(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input ? 'child' THEN
		RETURN df_call_sub_orchestrator('gone_parent', input -> 'child', df_instance_id() || ' child');
	ELSIF input ? 'generated' THEN
		RETURN df_call_sub_orchestrator('gone_echo', input -> 'generated');
	ELSIF input ? 'lost' THEN
		PERFORM df_schedule_sub_orchestrator('gone_wait', NULL, df_instance_id() || ' lost');
		RETURN '"does not wait"';
	ELSIF input ? 'wait' THEN
		RETURN df_wait_for_external_event('go');
	END IF;
	RETURN input;
END $$;
SELECT df_start_singleton('gone_parent', 'gone family', '{"child": {"child": {"generated": "grandchild"}}}');
CALL df_run();
SELECT instance_id = 'gone family' AS parent, runtime_status, output FROM df_instances WHERE instance_id LIKE 'gone family%'
	OR parent_instance_id LIKE 'gone family%' ORDER BY created_time;
SELECT gone_remember('gone family%') > 4 AS remembered;
-- a child alone can go, too
SELECT df_purge('gone family');
SELECT * FROM gone_traces();
SELECT instance_id, parent_instance_id FROM df_instances WHERE instance_id LIKE 'gone family%' OR parent_instance_id LIKE 'gone family%';
-- a parent that waits for its child is live, and so is the child
SELECT df_start_singleton('gone_parent', 'gone family', '{"child": {"wait": true}}');
CALL df_run();
SELECT error_of($$ SELECT df_purge('gone family') $$);
SELECT error_of($$ SELECT df_purge('gone family child') $$);
SELECT df_raise_event('gone family child', 'go', '"went"');
CALL df_run();
SELECT df_purge('gone family');
-- a child that nobody waits for outlives its parent, and its purge
SELECT df_start_singleton('gone_parent', 'gone family', '{"lost": true}');
CALL df_run();
SELECT instance_id, runtime_status FROM df_instances WHERE instance_id LIKE 'gone family%' ORDER BY 1;
SELECT df_purge('gone family');
SELECT instance_id, runtime_status, waiting_for FROM df_instances WHERE instance_id LIKE 'gone family%';
SELECT df_raise_event('gone family lost', 'go', '"went"');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('gone family lost');
SELECT df_purge('gone family lost');
SELECT gone_remember('gone family%') AS remembered;

-- one whose parent still wants its result stays, unless it is named
SELECT df_start_singleton('gone_parent', 'gone family', '{"child": {"wait": true}}');
CALL df_run();
SELECT created_time AS began FROM df_instances WHERE instance_id = 'gone family' \gset
SELECT df_suspend('gone family');
SELECT df_raise_event('gone family child', 'go', '"went"');
CALL df_run();
SELECT instance_id, runtime_status FROM df_instances WHERE instance_id LIKE 'gone family%' ORDER BY 1;
SELECT df_purge_by(:'began');
SELECT df_purge('gone family child');
SELECT df_resume('gone family');
CALL df_run();
SELECT instance_id, runtime_status, output FROM df_instances WHERE instance_id LIKE 'gone family%' ORDER BY 1;
SELECT df_purge('gone family');
-- by its time the parent alone is meant, and yet the child goes along
SELECT df_start_singleton('gone_parent', 'gone family', '{"child": {"child": {"generated": 1}}}');
CALL df_run();
SELECT df_purge_by(created_time, created_time + interval '1 us', '{Completed}') FROM df_instances WHERE instance_id = 'gone family';
SELECT instance_id FROM df_instances WHERE instance_id LIKE 'gone family%' OR parent_instance_id LIKE 'gone family%';

-- purge_by: created in [from, to), in one of the statuses
CREATE TABLE gone_time (n int, t timestamptz);
CREATE FUNCTION gone_start(n int, what text) RETURNS boolean LANGUAGE sql AS $$
	SELECT df_start_singleton(what, 'gone by ' || n, to_jsonb(n)) $$;
DO $$
BEGIN
	FOR n IN 1 .. 9 LOOP
		PERFORM gone_start(n, CASE n % 3 WHEN 1 THEN 'gone_echo' WHEN 2 THEN 'gone_fail' ELSE 'gone_wait' END);
		COMMIT;
	END LOOP;
END $$;
CALL df_run();
SELECT df_terminate('gone by 6');
SELECT df_suspend('gone by 9');
INSERT INTO gone_time SELECT replace(instance_id, 'gone by ', '')::int, created_time FROM df_instances WHERE instance_id LIKE 'gone by %';
SELECT n, i.runtime_status FROM gone_time JOIN df_instances i ON instance_id = 'gone by ' || n ORDER BY n;
CREATE FUNCTION gone_left() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(replace(instance_id, 'gone by ', ''), ' ' ORDER BY instance_id) FROM df_instances WHERE instance_id LIKE 'gone by %' $$;
CREATE FUNCTION gone_t(n int) RETURNS timestamptz LANGUAGE sql AS $$ SELECT t FROM gone_time WHERE gone_time.n = gone_t.n $$;
-- from is included, to is not
BEGIN;
SELECT df_purge_by(gone_t(2), gone_t(5)), gone_left();
ROLLBACK;
BEGIN;
SELECT df_purge_by(gone_t(2), gone_t(5) + interval '1 us'), gone_left();
ROLLBACK;
BEGIN;
SELECT df_purge_by(gone_t(4) + interval '1 us', gone_t(5)), gone_left();
ROLLBACK;
SELECT df_purge_by(gone_t(4), gone_t(4)), gone_left();
SELECT df_purge_by(gone_t(4), gone_t(2)), gone_left();
-- no upper bound; never a live one
BEGIN;
SELECT df_purge_by(gone_t(5)), gone_left();
ROLLBACK;
BEGIN;
SELECT df_purge_by(gone_t(5), 'infinity') = df_purge_by(gone_t(5)) + 4, gone_left();
ROLLBACK;
BEGIN;
SELECT df_purge_by('-infinity', gone_t(9) + interval '1 s') >= 7, gone_left();
ROLLBACK;
-- the first moment of the calendar that PostgreSQL counts from is a bound as any other
BEGIN;
SELECT df_purge_by('2000-01-01 00:00:00+00') > 0 AS purged, gone_left();
ROLLBACK;
SELECT df_purge_by('1990-01-01', '2000-01-01 00:00:00+00'), gone_left();
-- statuses
BEGIN;
SELECT df_purge_by(gone_t(1), statuses => '{Failed}'), gone_left();
ROLLBACK;
BEGIN;
SELECT df_purge_by(gone_t(1), gone_t(9), '{Completed,Terminated}'), gone_left();
ROLLBACK;
BEGIN;
SELECT df_purge_by(gone_t(1), statuses => '{Completed,Failed,Terminated,Failed}'), gone_left();
ROLLBACK;
SELECT df_purge_by(gone_t(1), statuses => '{}'), gone_left();
SELECT s, error_of(format('SELECT df_purge_by(gone_t(1), statuses => ''{Completed,%s}'')', s))
FROM unnest('{Pending,Running,Suspended,"NULL"}'::text[]) s;
SELECT s, error_of(format('SELECT df_purge_by(gone_t(1), statuses => ''{%s}'')', s)) FROM unnest('{ContinuedAsNew,Canceled}'::text[]) s;
SELECT error_of('SELECT df_purge_by(NULL)');
SELECT error_of('SELECT df_purge_by(NULL, gone_t(3))');
SELECT gone_left();
-- the time is that of the present execution
SELECT df_restart('gone by 1', false);
CALL df_run();
BEGIN;
SELECT df_purge_by(gone_t(1), gone_t(2)), gone_left();
ROLLBACK;
-- all that was theirs goes
SELECT gone_remember(i) IS NOT NULL AS remembered FROM unnest('{gone by _}'::text[]) i;
DELETE FROM gone_key WHERE key IN (SELECT unnest(ARRAY[instance_id, execution_id::text]) FROM df_instances
	WHERE instance_id IN ('gone by 3', 'gone by 9'));
DELETE FROM gone_key WHERE key IN (SELECT coalesce(run_id, execution_id)::text FROM durable_singleton.instance WHERE instance_id IN ('gone by 3', 'gone by 9'));
SELECT df_purge_by(gone_t(1)), gone_left();
SELECT * FROM gone_traces();
SELECT instance_id, runtime_status FROM df_instances WHERE instance_id LIKE 'gone by %' ORDER BY 1;
-- what it left alone lives on
SELECT df_resume('gone by 9');
SELECT df_raise_event('gone by ' || n, 'go', to_jsonb(n)) FROM unnest('{3,9}'::int[]) n;
CALL df_run();
SELECT df_purge_by(gone_t(1), statuses => '{Completed}'), gone_left();

-- only one's own: another role's instances stay, and do not count
SET ROLE regress_ds_user;
SELECT df_start_singleton('gone_echo', 'gone role ' || n, '1') FROM generate_series(1, 2) n;
SELECT count(df_terminate('gone role ' || n)) FROM generate_series(1, 2) n;
RESET ROLE;
CREATE ROLE regress_ds_stranger LOGIN;
CREATE ROLE regress_ds_member LOGIN IN ROLE regress_ds_user;
CREATE ROLE regress_ds_reader LOGIN IN ROLE pg_read_all_data;
SELECT df_grant_usage(r) FROM unnest('{regress_ds_stranger,regress_ds_member,regress_ds_reader}'::name[]) r;
SELECT df_start_singleton('gone_echo', 'gone role 3', '1');
CALL df_run();
SET ROLE regress_ds_stranger;
SELECT df_purge_by('-infinity');
SELECT error_of($$ SELECT df_purge('gone role 1') $$);
SELECT df_purge('gone role 4');
-- to see them is not to own them
SET ROLE regress_ds_reader;
SELECT df_purge_by('-infinity');
SELECT error_of($$ SELECT df_purge('gone role 1') $$);
SET ROLE regress_ds_user;
SELECT df_purge_by('-infinity', gone_left::timestamptz) FROM (SELECT created_time AS gone_left FROM df_instances WHERE instance_id = 'gone role 1') s;
SET ROLE regress_ds_member;
SELECT df_purge('gone role 1');
SELECT df_purge_by('-infinity');
RESET ROLE;
SELECT instance_id FROM df_instances WHERE instance_id LIKE 'gone role %';
SELECT df_purge('gone role 3');

-- many
SELECT clock_timestamp() AS began \gset
SELECT count(*) FROM generate_series(1, 3000) n WHERE df_start_singleton('gone_wait', 'gone many ' || n);
SELECT count(df_raise_event('gone many ' || n, 'go')) FROM generate_series(1, 3000) n;
SELECT count(df_terminate('gone many ' || n)) FROM generate_series(2, 3000) n;
SELECT df_purge_by(:'began');
SELECT (SELECT count(*) FROM durable_singleton.instance WHERE instance_id LIKE 'gone many %') AS instances,
	(SELECT count(*) FROM durable_singleton.inbox WHERE instance_id LIKE 'gone many %') AS messages;
SELECT instance_id, runtime_status FROM df_instances WHERE instance_id LIKE 'gone many %';
SELECT df_terminate('gone many 1');
SELECT df_purge('gone many 1');

-- undone: by ROLLBACK, to a savepoint, by an exception block
CREATE TABLE gone_mended (mended boolean);
INSERT INTO gone_mended VALUES (false);
CREATE FUNCTION gone_mended(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	ASSERT (SELECT mended FROM gone_mended), 'not mended';
	RETURN '"mended"';
END $$;
SELECT df_start_singleton('gone_wait', 'undo ' || n, to_jsonb(n)) FROM unnest('{suspend,resume}'::text[]) n;
SELECT df_start_singleton('gone_act', 'undo rewind', '"gone_mended"');
SELECT df_start_singleton('gone_echo', 'undo ' || n, to_jsonb(n)) FROM unnest('{restart,purge}'::text[]) n;
CALL df_run();
SELECT df_suspend('undo resume', 'once');
CREATE TABLE undo_call (what text, statement text);
INSERT INTO undo_call VALUES ('suspend', $$ df_suspend('undo suspend', 'undone') $$), ('resume', $$ df_resume('undo resume', 'undone') $$),
	('rewind', $$ df_rewind('undo rewind', 'undone') $$), ('restart', $$ df_restart('undo restart', false) $$),
	('restart', $$ df_restart('undo restart') $$), ('purge', $$ df_purge('undo purge') $$),
	('purge_by', $$ df_purge_by('-infinity') $$);
CREATE FUNCTION undo_facts() RETURNS text LANGUAGE sql AS $$
	SELECT concat((SELECT count(*) FROM df_instances), (SELECT count(*) FROM df_executions), (SELECT count(*) FROM durable_singleton.inbox),
		(SELECT string_agg(i::text, E'\n' ORDER BY instance_id) FROM df_instances i WHERE instance_id LIKE 'undo %'),
		(SELECT string_agg(h::text, E'\n' ORDER BY instance_id, execution_id, seq) FROM df_history h WHERE instance_id LIKE 'undo %')) $$;
CREATE TABLE undo_before AS SELECT undo_facts() AS facts;
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM undo_call LOOP
		BEGIN
			EXECUTE 'SELECT ' || c.statement;
			ASSERT undo_facts() <> (SELECT facts FROM undo_before), c.statement || ' does nothing';
			RAISE EXCEPTION 'never mind';
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
		ASSERT undo_facts() = (SELECT facts FROM undo_before), c.statement || ' is not undone by an exception block';
		COMMIT;
		EXECUTE 'SELECT ' || c.statement;
		ROLLBACK;
		ASSERT undo_facts() = (SELECT facts FROM undo_before), c.statement || ' is not undone by a rollback';
	END LOOP;
END $$;
CALL df_run();
SELECT undo_facts() = facts AS undone FROM undo_before;
BEGIN;
SAVEPOINT s;
SELECT df_suspend('undo suspend', 'undone');
SELECT df_resume('undo resume', 'undone');
SELECT df_rewind('undo rewind', 'undone');
SELECT df_restart('undo restart', false);
SELECT df_restart('undo restart') IS NOT NULL AS restarted;
SELECT df_purge('undo purge');
SELECT df_purge_by('-infinity') > 0 AS purged;
SELECT instance_id, runtime_status FROM df_instances WHERE instance_id LIKE 'undo %' ORDER BY 1;
ROLLBACK TO SAVEPOINT s;
COMMIT;
CALL df_run();
SELECT undo_facts() = facts AS undone FROM undo_before;
-- prepared
BEGIN;
SELECT df_suspend('undo suspend', 'undone');
SELECT df_purge('undo purge');
PREPARE TRANSACTION 'undo';
ROLLBACK PREPARED 'undo';
CALL df_run();
SELECT undo_facts() = facts AS undone FROM undo_before;
-- and not undone
UPDATE gone_mended SET mended = true;
BEGIN;
SELECT df_suspend('undo suspend', 'done');
SAVEPOINT s;
SELECT df_resume('undo resume', 'done');
RELEASE SAVEPOINT s;
SELECT df_rewind('undo rewind', 'done');
SELECT df_restart('undo restart', false);
SELECT df_purge('undo purge');
PREPARE TRANSACTION 'undo';
COMMIT PREPARED 'undo';
CALL df_run();
SELECT instance_id, runtime_status, output FROM df_instances WHERE instance_id LIKE 'undo %' ORDER BY 1;
-- purged and started anew in one transaction
BEGIN;
SELECT df_purge('undo rewind');
SELECT df_start_singleton('gone_echo', 'undo rewind', '"new"', reuse => '{}');
SELECT count(*) FROM df_executions WHERE instance_id = 'undo rewind';
COMMIT;
CALL df_run();
SELECT runtime_status, output FROM df_get_status('undo rewind');

SELECT count(df_terminate(instance_id)) FROM df_instances WHERE instance_id LIKE 'undo %' AND runtime_status IN ('Running', 'Suspended');
\set ECHO none
\i sql/workers_on.inc
\set ECHO all
SELECT df_revoke_usage(r) FROM unnest('{regress_ds_user,regress_ds_stranger,regress_ds_member,regress_ds_reader}'::name[]) r;
DROP OWNED BY regress_ds_user, regress_ds_stranger, regress_ds_member, regress_ds_reader;
DROP ROLE regress_ds_user, regress_ds_stranger, regress_ds_member, regress_ds_reader;
DROP TABLE gone_key, gone_time, gone_mended, undo_call, undo_before;
DROP FUNCTION gone_echo, gone_fail, gone_wait, gone_act, gone_round, gone_remember, gone_traces, gone_parent, gone_start, gone_left, gone_t, gone_mended, undo_facts;
