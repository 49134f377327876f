-- df_stat counts committed work, shows what waits, and reveals no secrets.
-- Runs in a separate database, in which no other session counts.
\set ECHO none
\set QUIET on
SELECT current_database() AS regress_database \gset
CREATE DATABASE regress_ds_stat;
\c regress_ds_stat
\i sql/helpers.inc
\i sql/workers_off.inc
\set ECHO all
CREATE FUNCTION stat_plain(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION stat_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no luck';
END $$;
CREATE FUNCTION stat_serial(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('stat_plain', '1');
	PERFORM df_call_activity('stat_plain', '2');
	BEGIN
		PERFORM df_call_activity('stat_fails', retry => df_retry_policy(3, '0'));
	EXCEPTION WHEN raise_exception THEN
		NULL;
	END;
	RETURN NULL;
END $$;
CREATE FUNCTION stat_tasks(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_all(ARRAY[df_schedule_activity('stat_plain', '1'),
		df_schedule_activity('stat_plain', '2'),
		df_schedule_sub_orchestrator('stat_plain', '3', 'stat child')]);
END $$;
CREATE FUNCTION stat_turns(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input::int > 1 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int - 1));
	END IF;
	RETURN NULL;
END $$;
CREATE FUNCTION stat_waits(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION stat_calls_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('stat_fails');
END $$;

-- what has been counted since the last look
CREATE TEMP TABLE stat_seen AS SELECT to_jsonb(s) AS row FROM df_stat s;
CREATE FUNCTION stat_news() RETURNS TABLE (counter text, more bigint) LANGUAGE plpgsql AS $$
DECLARE
	present jsonb := (SELECT to_jsonb(s) FROM df_stat s);
BEGIN
	RETURN QUERY
		SELECT e.key, e.value::bigint - (seen.row ->> e.key)::bigint
		FROM jsonb_each_text(present) WITH ORDINALITY e, stat_seen seen
		WHERE (e.key LIKE 'instances\_%' OR e.key LIKE 'activities\_%' OR e.key = 'passes')
			AND e.value <> seen.row ->> e.key
		ORDER BY e.key COLLATE "C";
	UPDATE stat_seen SET row = present;
END $$;

-- the columns
SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute a WHERE a.attrelid = 'df_stat'::regclass AND a.attnum > 0 ORDER BY a.attnum;
SELECT count(*) AS rows, bool_and(database = current_database()) AS present,
	bool_and(stats_reset BETWEEN pg_postmaster_start_time() - interval '1 s' AND now()) AS since_start
FROM df_stat;

-- starts, ends, passes and activities
SELECT df_start_singleton('stat_plain', 'stat a', '1');
SELECT * FROM stat_news();
SELECT df_start_singleton('stat_plain', 'stat a', '1') AS refused;
SELECT * FROM stat_news();
CALL df_run();
SELECT * FROM stat_news();
SELECT df_start_singleton('stat_plain', 'stat a', '2') AS over;
SELECT df_terminate('stat a');
SELECT * FROM stat_news();
SELECT df_start_singleton('stat_serial', 'stat b');
CALL df_run();
SELECT * FROM stat_news();
SELECT df_start_singleton('stat_tasks', 'stat c');
CALL df_run();
-- how often its end was looked for depends on the order of the tasks
SELECT * FROM stat_news() WHERE counter <> 'passes';
SELECT df_start_singleton('stat_turns', 'stat d', '5');
CALL df_run();
SELECT * FROM stat_news();
-- a failure that is rewound: started + rewound = ended + active
SELECT df_start_singleton('stat_calls_fails', 'stat e');
CALL df_run();
SELECT * FROM stat_news();
SELECT df_rewind('stat e');
SELECT * FROM stat_news();
CREATE OR REPLACE FUNCTION stat_fails(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"mended"'::jsonb $$;
CALL df_run();
SELECT * FROM stat_news();
-- one that is replaced while it is active was terminated
SELECT df_start_singleton('stat_waits', 'stat f');
SELECT df_start_singleton('stat_waits', 'stat f', on_conflict => 'terminate');
SELECT * FROM stat_news();

-- transactions: nothing before the COMMIT, nothing after a ROLLBACK
BEGIN;
SELECT df_start_singleton('stat_waits', 'stat rolled back');
SELECT df_terminate('stat f');
SELECT * FROM stat_news();
ROLLBACK;
SELECT * FROM stat_news();
BEGIN;
SELECT df_start_singleton('stat_waits', 'stat s1');
SAVEPOINT one;
SELECT df_start_singleton('stat_waits', 'stat s2');
SAVEPOINT two;
SELECT df_start_singleton('stat_waits', 'stat s3');
RELEASE two;
SELECT df_terminate('stat s1');
ROLLBACK TO one;
SELECT df_start_singleton('stat_waits', 'stat s4');
SAVEPOINT three;
SELECT df_start_singleton('stat_waits', 'stat s5');
SAVEPOINT four;
SELECT df_start_singleton('stat_waits', 'stat s6');
RELEASE three;
DO $$
BEGIN
	PERFORM df_start_singleton('stat_waits', 'stat s7');
	BEGIN
		PERFORM df_start_singleton('stat_waits', 'stat s8');
		RAISE EXCEPTION 'undone';
	EXCEPTION WHEN raise_exception THEN
		PERFORM df_start_singleton('stat_waits', 'stat s9');
	END;
END $$;
COMMIT;
SELECT count(*) FROM df_instances WHERE instance_id LIKE 'stat s_';
SELECT * FROM stat_news();
-- many in one statement, most of which are no hints
SELECT count(*) FROM generate_series(1, 500) n WHERE df_start_singleton('stat_waits', 'stat many ' || n);
SELECT * FROM stat_news();
SELECT count(df_terminate(instance_id)) FROM df_instances WHERE instance_id LIKE 'stat many %';
SELECT * FROM stat_news();
SELECT count(df_terminate(instance_id)) FROM df_instances WHERE instance_id ~ '^stat (f|s.)$';
SELECT * FROM stat_news();

-- the histograms: as many counts as bounds, cumulative up to the last one
SELECT histogram_bounds FROM df_stat;
SELECT cardinality(latency_histogram) = cardinality(histogram_bounds) AS latency,
	cardinality(activity_histogram) = cardinality(histogram_bounds) AS activity,
	(SELECT array_agg(x ORDER BY x) = latency_histogram FROM unnest(latency_histogram) x) AS latency_grows,
	(SELECT array_agg(x ORDER BY x) = activity_histogram FROM unnest(activity_histogram) x) AS activity_grows,
	activity_histogram[cardinality(activity_histogram)] =
		activities_completed + activities_failed + activities_retried AS all_attempts,
	activity_sum > 0 AS sum
FROM df_stat;

-- everybody who may use the extension sees it; whose work it was, nobody
CREATE ROLE regress_ds_stat LOGIN;
SET SESSION AUTHORIZATION regress_ds_stat;
SELECT error_of('SELECT * FROM df_stat');
RESET SESSION AUTHORIZATION;
SELECT df_grant_usage('regress_ds_stat');
SET SESSION AUTHORIZATION regress_ds_stat;
SELECT instances_started >= 500 AS started FROM df_stat;
RESET SESSION AUTHORIZATION;
SELECT df_revoke_usage('regress_ds_stat');
DROP ROLE regress_ds_stat;

\i sql/workers_on.inc
-- the workers: one that is in an activity, and a session that waits
CREATE FUNCTION stat_held(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT pg_advisory_xact_lock(6029); SELECT $1 $$;
SELECT pg_advisory_lock(6029);
SELECT df_start_singleton('stat_held', 'stat h', '1');
CALL until($$ (SELECT workers >= 1 AND workers_busy = 1 FROM df_stat) AND EXISTS (SELECT FROM pg_locks
	WHERE locktype = 'advisory' AND objid = 6029 AND NOT granted) $$);
SELECT pg_advisory_unlock(6029);
SELECT runtime_status FROM df_wait_for_completion('stat h');
-- a hint was taken
CALL until($$ (SELECT latency_histogram[cardinality(latency_histogram)] > 0 AND latency_sum > 0 AND queue_depth = 0
	AND queue_oldest IS NULL AND NOT search_pending AND workers_busy = 0 FROM df_stat) $$);

\c :regress_database
DROP DATABASE regress_ds_stat;
