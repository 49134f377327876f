-- A failed activity runs again according to its retry policy: how often, when
-- and after which errors; the delays are durable timers, and the history has
-- every attempt.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
-- an activity counts its calls in a sequence, which no rollback takes back
CREATE FUNCTION retry_calls(id text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	calls bigint;
BEGIN
	EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM %I', 'retry ' || id) INTO calls;
	RETURN calls;
END $$;
CREATE TABLE retry_log (id text, call bigint);
-- fails with the n-th of the SQLSTATEs of its input at its n-th call, and
-- succeeds when there are no more of them
CREATE FUNCTION retry_activity(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	call bigint := nextval(format('%I', 'retry ' || (input ->> 'id')));
	state text := input -> 'errors' ->> (call - 1)::int;
BEGIN
	INSERT INTO retry_log VALUES (input ->> 'id', call);
	IF state IS NOT NULL THEN
		RAISE EXCEPTION 'call % fails', call USING ERRCODE = state;
	END IF;
	RETURN to_jsonb(call);
END $$;
CREATE FUNCTION retry_story(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('retry_activity', input, nullif(input -> 'retry', 'null'));
END $$;
CREATE FUNCTION retry_errors(state text, n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(state) FROM generate_series(1, n) $$;

-- the policy is a value
SELECT jsonb_pretty(df_retry_policy(3));
SELECT jsonb_pretty(df_retry_policy(max_attempts => 5, first_interval => '1.5 s', backoff_coefficient => 2.5,
	max_interval => '1 day 2 hours', retry_timeout => '1 mon', retry_on => '{40001,08}'));

-- what it does: a row a case
CREATE TABLE retry_case (n int GENERATED ALWAYS AS IDENTITY, id text, retry jsonb, errors jsonb);
INSERT INTO retry_case (id, retry, errors) VALUES
	('no policy', NULL, retry_errors('ZZ001', 1)),
	('one attempt', df_retry_policy(1, '1 ms'), retry_errors('ZZ001', 1)),
	('no need', df_retry_policy(3, '1 ms'), '[]'),
	('at the second', df_retry_policy(3, '1 ms'), retry_errors('ZZ001', 1)),
	('at the last', df_retry_policy(3, '1 ms'), retry_errors('ZZ001', 2)),
	('never', df_retry_policy(3, '1 ms'), retry_errors('ZZ001', 3)),
	('without delay', df_retry_policy(4, '0'), retry_errors('ZZ001', 4)),
	('other errors', df_retry_policy(3, '1 ms'), '["ZZ001", "ZZ002", "ZZ003"]'),
	('many', df_retry_policy(30, '1 ms'), retry_errors('ZZ001', 29)),
	-- which errors
	('SQLSTATE', df_retry_policy(3, '1 ms', retry_on => '{ZZ001}'), retry_errors('ZZ001', 2)),
	('another SQLSTATE', df_retry_policy(3, '1 ms', retry_on => '{ZZ002}'), retry_errors('ZZ001', 1)),
	('class', df_retry_policy(3, '1 ms', retry_on => '{ZZ}'), '["ZZ001", "ZZ002"]'),
	('another class', df_retry_policy(3, '1 ms', retry_on => '{ZY}'), retry_errors('ZZ001', 1)),
	('one of several', df_retry_policy(3, '1 ms', retry_on => '{08,22012,ZZ001}'), '["22012", "08006"]'),
	('the second is another', df_retry_policy(3, '1 ms', retry_on => '{22,ZZ001}'), '["ZZ001", "23505"]'),
	('query_canceled', df_retry_policy(2, '1 ms'), retry_errors('57014', 1)),
	('as caught', df_retry_policy(2, '1 ms', retry_on => '{SD408}'), retry_errors('57014', 1)),
	('assertion', df_retry_policy(2, '1 ms'), retry_errors('P0004', 1)),
	-- written by hand
	('by hand', '{"max_attempts": 2, "first_interval": "PT0.001S"}', retry_errors('ZZ001', 1)),
	('by hand, in full', '{"retry_on": ["ZZ"], "retry_timeout": "P1Y2M3DT4H5M6.7S", "max_interval": "PT0.002S",
		"backoff_coefficient": 1.5, "first_interval": "PT0S", "max_attempts": 3.0}', retry_errors('ZZ001', 2)),
	-- serialization failures and deadlocks, up to five of them: by themselves,
	-- and not counted; the sixth is a failure like others
	('40001', NULL, retry_errors('40001', 1)),
	('40P01', NULL, retry_errors('40P01', 2)),
	('40001, five', NULL, retry_errors('40001', 5)),
	('40001, six', NULL, retry_errors('40001', 6)),
	('40001, then another', NULL, '["40001", "40P01", "ZZ001"]'),
	('40001, one attempt', df_retry_policy(1, '1 ms'), '["40001", "40001"]'),
	('40001, not counted', df_retry_policy(2, '1 ms'), '["40001", "ZZ001", "40P01"]'),
	('40001, counted out', df_retry_policy(2, '1 ms'), '["40001", "ZZ001", "40P01", "ZZ001"]'),
	('40001, not asked for', df_retry_policy(2, '1 ms', retry_on => '{ZZ}'), '["40001", "ZZ001"]'),
	('40001, six, policy', df_retry_policy(2, '1 ms'), retry_errors('40001', 6)),
	('40001, seven, policy', df_retry_policy(2, '1 ms'), retry_errors('40001', 7)),
	('25P02 is none of them', NULL, retry_errors('25P02', 1));
DO $$
DECLARE
	id text;
BEGIN
	FOR id IN SELECT c.id FROM retry_case c LOOP
		EXECUTE format('CREATE SEQUENCE %I', 'retry ' || id);
	END LOOP;
END $$;
SELECT count(*) FILTER (WHERE df_start_singleton('retry_story', 'retry ' || id,
	jsonb_build_object('id', id, 'errors', errors, 'retry', retry))) = count(*) AS started FROM retry_case;
CREATE VIEW retry_result AS
	SELECT c.n, c.id, retry_calls(c.id) AS calls, s.runtime_status, s.output,
		s.failure ->> 'sqlstate' AS sqlstate, s.failure ->> 'attempts' AS attempts,
		s.failure ->> 'message' AS message
	FROM retry_case c, df_get_status('retry ' || c.id) s;
CALL until($$ (SELECT bool_and(runtime_status IN ('Completed', 'Failed')) FROM retry_result) $$);
SELECT id, calls, runtime_status AS status, output, sqlstate, attempts, message FROM retry_result ORDER BY n;
-- a failed attempt has left nothing behind
SELECT count(*) FROM retry_result r
WHERE (SELECT array_agg(call) FROM retry_log l WHERE l.id = r.id) IS DISTINCT FROM
	CASE WHEN r.runtime_status = 'Completed' THEN ARRAY[r.calls] END;
-- each has its own events: the attempt, its error, the delay
SELECT id, calls
FROM retry_result r JOIN df_history h ON h.instance_id = 'retry ' || r.id
GROUP BY id, calls
HAVING NOT (count(*) FILTER (WHERE event_type = 'TaskScheduled') = calls
		AND count(*) FILTER (WHERE event_type IN ('TaskFailed', 'TaskCompleted')) = calls
		AND count(*) FILTER (WHERE event_type = 'TimerCreated') = calls - 1
		AND count(*) FILTER (WHERE event_type = 'TimerFired') = calls - 1);
SELECT event_type, name, input ->> 'id' AS input, result, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message,
	failure -> 'attempts' AS attempts
FROM df_history WHERE instance_id = 'retry at the last' ORDER BY seq;
SELECT event_type, name, result, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message, failure -> 'attempts' AS attempts
FROM df_history WHERE instance_id = 'retry 40001, counted out' ORDER BY seq;

-- the delays grow by the coefficient up to the limit
CREATE FUNCTION retry_delays(id text) RETURNS TABLE (delay interval, waited boolean) LANGUAGE sql AS $$
	SELECT fire_at - created, fired >= fire_at
	FROM (
		SELECT n, e ->> 'EventType' AS type,
			(e ->> 'Timestamp')::timestamptz AS created,
			(e ->> 'FireAt')::timestamptz AS fire_at,
			(lead(e) OVER (ORDER BY n) ->> 'Timestamp')::timestamptz AS fired
		FROM df_get_status(id, show_history => true) s,
			jsonb_array_elements(s.history) WITH ORDINALITY x (e, n)) x
	WHERE type = 'TimerCreated' ORDER BY n
$$;
CREATE SEQUENCE "retry grows";
CREATE SEQUENCE "retry limited";
CREATE SEQUENCE "retry shrinks";
SELECT df_start_singleton('retry_story', 'retry ' || id, jsonb_build_object('id', id, 'errors', retry_errors('ZZ001', 5), 'retry', retry))
FROM (VALUES ('grows', df_retry_policy(6, '4 ms', 2)),
	('limited', df_retry_policy(6, '10 ms', 1.5, '20 ms')),
	('shrinks', df_retry_policy(6, '16 ms', 0.5))) x (id, retry);
SELECT id, s.runtime_status, s.output, d.delays, d.waited
FROM unnest('{grows,limited,shrinks}'::text[]) id, df_wait_for_completion('retry ' || id) s,
	LATERAL (SELECT array_agg(delay) AS delays, bool_and(waited) AS waited FROM retry_delays('retry ' || id)) d;

-- no further attempt after the time-out, however many are left
CREATE SEQUENCE "retry timeout";
SELECT df_start_singleton('retry_story', 'retry timeout', jsonb_build_object('id', 'timeout',
	'errors', retry_errors('ZZ001', 1000), 'retry', df_retry_policy(1000, '50 ms', retry_timeout => '500 ms')));
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate,
	(failure -> 'attempts')::int BETWEEN 2 AND 12 AS attempts, (failure -> 'attempts')::int = retry_calls('timeout') AS all_of_them
FROM df_wait_for_completion('retry timeout');
SELECT max(event_time) FILTER (WHERE event_type = 'TaskFailed') - min(event_time) FILTER (WHERE event_type = 'TaskScheduled') >= '500 ms' AS tried_as_long
FROM df_history WHERE instance_id = 'retry timeout';

-- what is checked only at COMMIT is the attempt's failure as well
CREATE TABLE retry_parent (id int PRIMARY KEY);
CREATE TABLE retry_child (id int REFERENCES retry_parent DEFERRABLE INITIALLY DEFERRED);
CREATE SEQUENCE "retry commit";
INSERT INTO retry_parent VALUES (3);
CREATE FUNCTION retry_commit(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	call int := nextval('"retry commit"');
BEGIN
	INSERT INTO retry_child VALUES (call);
	RETURN to_jsonb(call);
END $$;
CREATE FUNCTION retry_commit_story(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('retry_commit', NULL, df_retry_policy(5, '1 ms', retry_on => '{23503}'));
END $$;
SELECT df_start_singleton('retry_commit_story', 'retry commit');
SELECT runtime_status, output, failure FROM df_wait_for_completion('retry commit');
SELECT id FROM retry_child;
SELECT event_type, name, result, failure ->> 'sqlstate' AS sqlstate FROM df_history
WHERE instance_id = 'retry commit' ORDER BY seq;

-- caught by the orchestrator after the last attempt, in a row with others;
-- replays repeat none of it
CREATE SEQUENCE "retry first";
CREATE SEQUENCE "retry second";
CREATE SEQUENCE "retry third";
CREATE FUNCTION retry_several(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	result jsonb := '[]';
BEGIN
	BEGIN
		PERFORM df_call_activity('retry_activity',
			jsonb_build_object('id', 'first', 'errors', retry_errors('22012', 10)), df_retry_policy(3, '1 ms'));
	EXCEPTION WHEN division_by_zero THEN
		result := result || to_jsonb(SQLERRM);
	END;
	result := result || df_call_activity('retry_activity',
		jsonb_build_object('id', 'second', 'errors', retry_errors('22012', 2)), df_retry_policy(3, '1 ms'));
	PERFORM df_create_timer('1 ms');
	result := result || df_call_activity('retry_activity', '{"id": "third", "errors": []}', df_retry_policy(3, '1 ms'));
	RETURN result;
END $$;
SELECT df_start_singleton('retry_several', 'retry several');
SELECT runtime_status, output, failure FROM df_wait_for_completion('retry several');
SELECT retry_calls('first'), retry_calls('second'), retry_calls('third');

-- tasks that are scheduled have policies of their own
CREATE SEQUENCE "retry task a";
CREATE SEQUENCE "retry task b";
CREATE SEQUENCE "retry task c";
CREATE SEQUENCE "retry task d";
CREATE FUNCTION retry_tasks(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[] := ARRAY[
		df_schedule_activity('retry_activity', jsonb_build_object('id', 'task a', 'errors', retry_errors('ZZ001', 2)), df_retry_policy(3, '1 ms')),
		df_schedule_activity('retry_activity', jsonb_build_object('id', 'task b', 'errors', retry_errors('ZZ001', 4)), df_retry_policy(5, '2 ms', 2)),
		df_schedule_activity('retry_activity', jsonb_build_object('id', 'task c', 'errors', retry_errors('40001', 5))),
		df_schedule_activity('retry_activity', jsonb_build_object('id', 'task d', 'errors', retry_errors('ZZ002', 9)), df_retry_policy(2, '1 ms'))];
BEGIN
	RETURN df_wait_all(tasks[1:3]) || df_wait_all(tasks);
END $$;
SELECT df_start_singleton('retry_tasks', 'retry tasks');
SELECT runtime_status, output, failure - 'context' AS failure FROM df_wait_for_completion('retry tasks');
SELECT h.result, h.failure ->> 'sqlstate' AS sqlstate, h.failure -> 'attempts' AS attempts, count(*)
FROM df_history h WHERE instance_id = 'retry tasks' AND event_type IN ('TaskFailed', 'TaskCompleted')
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- policies that are none: an error of the call, which runs nothing
SELECT error_of('SELECT df_retry_policy(' || arguments || ')') FROM unnest(ARRAY[
	'NULL', '0', '-1',
	$$ 3, NULL $$, $$ 3, '-1 s' $$,
	$$ 3, '1 s', NULL $$, $$ 3, '1 s', -1 $$, $$ 3, '1 s', 0 $$, $$ 3, '1 s', 'NaN' $$, $$ 3, '1 s', 'Infinity' $$,
	$$ 3, '1 s', 1, '-1 s' $$,
	$$ 3, '1 s', 1, NULL, '-1 s' $$,
	$$ 3, '1 s', 1, NULL, NULL, '{}' $$, $$ 3, '1 s', 1, NULL, NULL, '{NULL}' $$, $$ 3, '1 s', 1, NULL, NULL, '{400}' $$,
	$$ 3, '1 s', 1, NULL, NULL, '{40001,"4000 "}' $$, $$ 3, '1 s', 1, NULL, NULL, '{unique_violation}' $$]) arguments;
CREATE FUNCTION retry_bad(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	retry jsonb;
	state text; message text; hint text;
	result jsonb := '[]';
BEGIN
	FOR retry IN SELECT jsonb_array_elements(input) LOOP
		BEGIN
			PERFORM df_call_activity('retry_activity', '{"id": "bad", "errors": []}', retry);
			result := result || '["none"]';
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
			result := result || to_jsonb(concat_ws(' ', left(retry::text, 60), state, message));
		END;
	END LOOP;
	RETURN result;
END $$;
CREATE SEQUENCE "retry bad";
SELECT df_start_singleton('retry_bad', 'retry bad', $$ [null, [], "3", 3, true, {}, [{"max_attempts": 3}],
	{"first_interval": "1 s"}, {"max_attempts": null}, {"max_attempts": 0}, {"max_attempts": 1.5}, {"max_attempts": "3"},
	{"max_attempts": 1e10}, {"max_attempts": 3, "first_interval": 5}, {"max_attempts": 3, "first_interval": null},
	{"max_attempts": 3, "first_interval": "1 s"}, {"max_attempts": 3, "first_interval": "soon"},
	{"max_attempts": 3, "first_interval": "PT-1S"}, {"max_attempts": 3, "max_interval": "P-1D"},
	{"max_attempts": 3, "retry_timeout": "P-1M"}, {"max_attempts": 3, "retry_timeout": {}},
	{"max_attempts": 3, "backoff_coefficient": "2"}, {"max_attempts": 3, "backoff_coefficient": -2},
	{"max_attempts": 3, "backoff_coefficient": 1e400},
	{"max_attempts": 3, "retry_on": "40001"}, {"max_attempts": 3, "retry_on": [40001]}, {"max_attempts": 3, "retry_on": ["4000"]},
	{"max_attempts": 3, "retry_on": [null]},
	{"max_attempts": 3, "Max_attempts": 3}, {"max_attempts": 3, "first_interval": "PT1S", "jitter": true}] $$);
SELECT x FROM df_wait_for_completion('retry bad') s, jsonb_array_elements_text(s.output) WITH ORDINALITY o (x, n) ORDER BY n;
SELECT runtime_status FROM df_get_status('retry bad');
SELECT retry_calls('bad');

-- from here on step by step in this session
\set ECHO none
\i sql/workers_off.inc
\set ECHO all

-- while it waits for the next attempt it waits, and nothing else
CREATE SEQUENCE "retry wait";
SELECT clock_timestamp() AS begun \gset
SELECT df_start_singleton('retry_story', 'retry wait', jsonb_build_object('id', 'wait',
	'errors', retry_errors('ZZ001', 9), 'retry', df_retry_policy(3, '1 hour')));
CALL df_run();
SELECT runtime_status, waiting_for, next_wake_time BETWEEN :'begun'::timestamptz + interval '1 hour'
	AND clock_timestamp() + interval '1 hour' AS wakes FROM df_instances WHERE instance_id = 'retry wait';
SELECT event_type, name, failure ->> 'sqlstate' AS sqlstate, failure -> 'attempts' AS attempts FROM df_history WHERE instance_id = 'retry wait' ORDER BY seq;
CALL df_run();
SELECT retry_calls('wait');
-- suspended and resumed it waits for the same time
SELECT next_wake_time AS wake FROM df_instances WHERE instance_id = 'retry wait' \gset
SELECT df_suspend('retry wait', 'later');
CALL df_run();
SELECT runtime_status FROM df_get_status('retry wait');
SELECT df_resume('retry wait');
CALL df_run();
SELECT runtime_status, waiting_for, next_wake_time = :'wake' AS same FROM df_instances WHERE instance_id = 'retry wait';
-- an event is no reason to try sooner
SELECT df_raise_event('retry wait', 'go');
CALL df_run();
SELECT retry_calls('wait');
-- terminated there will be no next attempt
SELECT df_terminate('retry wait', 'enough');
CALL df_run();
SELECT runtime_status, output, failure FROM df_get_status('retry wait');
SELECT waiting_for, next_wake_time FROM df_instances WHERE instance_id = 'retry wait';
SELECT retry_calls('wait');

-- a delay that passes while it is suspended
CREATE SEQUENCE "retry suspended";
SELECT df_start_singleton('retry_story', 'retry suspended', jsonb_build_object('id', 'suspended',
	'errors', retry_errors('ZZ001', 1), 'retry', df_retry_policy(3, '10 ms')));
CALL df_run(1);
SELECT df_suspend('retry suspended');
CALL until($$ (SELECT next_wake_time < clock_timestamp() FROM df_instances WHERE instance_id = 'retry suspended') $$);
CALL df_run();
SELECT runtime_status, retry_calls('suspended') FROM df_get_status('retry suspended');
SELECT df_resume('retry suspended');
CALL df_run();
SELECT runtime_status, output, retry_calls('suspended') FROM df_get_status('retry suspended');

-- another session can go on with it: all that is needed stands in the tables
CREATE SEQUENCE "retry sessions";
SELECT df_start_singleton('retry_story', 'retry sessions', jsonb_build_object('id', 'sessions',
	'errors', retry_errors('ZZ001', 2), 'retry', df_retry_policy(3, '1 ms', retry_on => '{ZZ}')));
CALL df_run(1);
\c
SET client_min_messages = warning;
CALL until($$ (SELECT next_wake_time < clock_timestamp() FROM df_instances WHERE instance_id = 'retry sessions') $$);
CALL df_run(2);
\c
SET client_min_messages = warning;
CALL until($$ (SELECT coalesce(next_wake_time, '-infinity') < clock_timestamp() FROM df_instances WHERE instance_id = 'retry sessions') $$);
CALL df_run();
SELECT runtime_status, output FROM df_get_status('retry sessions');
SELECT event_type, name, result, failure ->> 'message' AS message FROM df_history WHERE instance_id = 'retry sessions' ORDER BY seq;

\set ECHO none
\i sql/workers_on.inc
\set ECHO all

-- serialization failures are tried again after small random delays
CREATE SEQUENCE "retry serialization";
SELECT df_start_singleton('retry_story', 'retry serialization', jsonb_build_object('id', 'serialization', 'errors', retry_errors('40001', 6)));
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('retry serialization');
SELECT count(*), bool_and(delay > '0') AS positive, max(delay) < '5 s' AS small, count(DISTINCT delay) > 1 AS differ
FROM retry_delays('retry serialization');

DO $$
DECLARE
	name text;
BEGIN
	FOR name IN SELECT relname FROM pg_class WHERE relkind = 'S' AND relname LIKE 'retry %' LOOP
		EXECUTE format('DROP SEQUENCE %I', name);
	END LOOP;
END $$;
DROP VIEW retry_result;
DROP TABLE retry_case, retry_log, retry_child, retry_parent;
DROP FUNCTION retry_calls, retry_activity, retry_story, retry_errors, retry_delays, retry_commit, retry_commit_story,
	retry_several, retry_tasks, retry_bad;
