-- A start returns true when it started the instance and false when an active
-- one holds the id; on_conflict, reuse and start_at have their effects.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE FUNCTION start_echo(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN jsonb_build_object('echo', input);
END $$;
CREATE FUNCTION start_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no luck';
END $$;
CREATE FUNCTION start_hold(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION start_nothing(input jsonb) RETURNS void LANGUAGE sql AS '';
-- start_ended(id, status): brings an id into an ended status
CREATE PROCEDURE start_ended(id text, status df_runtime_status) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_start_singleton(CASE status WHEN 'Completed' THEN 'start_echo'
		WHEN 'Failed' THEN 'start_fail' ELSE 'start_hold' END, id);
	COMMIT;
	IF status = 'Terminated' THEN
		PERFORM df_terminate(id);
		COMMIT;
	END IF;
	IF (SELECT runtime_status FROM df_wait_for_completion(id)) <> status THEN
		RAISE EXCEPTION 'instance % did not become %', id, status;
	END IF;
END $$;

-- the first one starts, the next ones do not, and change nothing
SELECT df_start_singleton('start_hold', 'start a', '{"n": 1}');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'start a') $$);
SELECT df_start_singleton('start_echo', 'start a', '{"n": 2}');
SELECT df_start_singleton('start_echo', 'start a', '{"n": 3}', on_conflict => 'skip');
SELECT error_of($$ SELECT df_start_singleton('start_echo', 'start a', '{"n": 4}', on_conflict => 'error') $$);
SELECT error_of($$ SELECT df_start_new('start_echo', 'start a', '{"n": 5}') $$);
SELECT name, runtime_status, input, output FROM df_get_status('start a');
SELECT df_raise_event('start a', 'go', '"done"');
SELECT name, runtime_status, input, output, failure FROM df_wait_for_completion('start a');
-- once it has ended, a start works again
SELECT df_start_singleton('start_echo', 'start a', '{"n": 6}', on_conflict => 'error');
SELECT name, runtime_status, input, output, failure FROM df_wait_for_completion('start a');
SELECT df_start_new('start_echo', 'start a', '{"n": 7}');
SELECT name, runtime_status, input, output, failure FROM df_wait_for_completion('start a');

-- no input, no result
SELECT df_start_singleton('start_echo', 'start b');
SELECT runtime_status, input, output FROM df_wait_for_completion('start b');
SELECT df_start_singleton('start_nothing', 'start c', '1');
SELECT runtime_status, input, output FROM df_wait_for_completion('start c');
-- a JSON null is an input
SELECT df_start_singleton('start_echo', 'start c', 'null');
SELECT runtime_status, input, output FROM df_wait_for_completion('start c');

-- on_conflict => 'terminate' ends the active execution and starts a new one
SELECT df_start_singleton('start_hold', 'start d', '"old"');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'start d') $$);
SELECT execution_id AS old FROM df_instances WHERE instance_id = 'start d' \gset
SELECT df_start_singleton('start_hold', 'start d', '"new"', on_conflict => 'terminate');
SELECT runtime_status IN ('Pending', 'Running') AS active, input, execution_id <> :'old' AS fresh
FROM df_get_status('start d');
SELECT runtime_status, input, execution_id = :'old' AS old FROM df_executions
WHERE instance_id = 'start d';
SELECT df_raise_event('start d', 'go');
SELECT runtime_status, input, output FROM df_wait_for_completion('start d');
-- and starts where there is nothing to end
SELECT df_start_singleton('start_echo', 'start d', '"newer"', on_conflict => 'terminate');
SELECT runtime_status, input FROM df_wait_for_completion('start d');
SELECT df_start_singleton('start_echo', 'start e', '"first"', on_conflict => 'terminate');
SELECT runtime_status, input FROM df_wait_for_completion('start e');

-- reuse names the ended statuses over which a start is allowed: rows are the
-- statuses, columns what reuse holds
CREATE TABLE start_table (status df_runtime_status, reuse text, answer text);
DO $$
DECLARE
	s df_runtime_status;
	r text;
BEGIN
	FOREACH s IN ARRAY '{Completed,Failed,Terminated}'::df_runtime_status[] LOOP
		FOREACH r IN ARRAY '{"{Completed}","{Failed}","{Terminated}","{Failed,Terminated}","{}"}'::text[] LOOP
			CALL start_ended('start reuse', s);
			INSERT INTO start_table VALUES (s, r,
				df_start_singleton('start_echo', 'start reuse', '"reused"', reuse => r::df_runtime_status[]));
			COMMIT;
			PERFORM df_wait_for_completion('start reuse');
			COMMIT;
			-- an answer of false leaves the ended one as it was
			UPDATE start_table SET answer = answer || CASE
				WHEN (SELECT runtime_status FROM df_get_status('start reuse')) = s
					AND (SELECT input IS NULL FROM df_get_status('start reuse'))
				THEN ', old one kept' ELSE ', new one ran' END
			WHERE status = s AND reuse = r;
			COMMIT;
		END LOOP;
	END LOOP;
END $$;
SELECT * FROM start_table ORDER BY status, length(reuse), reuse COLLATE "C";
CALL start_ended('start reuse', 'Failed');
SELECT error_of($$ SELECT df_start_singleton('start_echo', 'start reuse', reuse => '{Completed}', on_conflict => 'error') $$);
-- terminate has nothing to end there, and reuse forbids to start over it
SELECT error_of($$ SELECT df_start_singleton('start_echo', 'start reuse', reuse => '{Completed}', on_conflict => 'terminate') $$);
SELECT runtime_status FROM df_get_status('start reuse');
-- an id nobody has needs nothing to reuse
SELECT df_start_singleton('start_echo', 'start f', reuse => '{}');
SELECT runtime_status FROM df_wait_for_completion('start f');

-- start_at: not before then
SELECT df_start_singleton('start_echo', 'start later', start_at => '2200-01-01 00:00:00+00');
SELECT df_start_singleton('start_echo', 'start later');
SELECT runtime_status, waiting_for, next_wake_time = '2200-01-01 00:00:00+00' AS then
FROM df_instances WHERE instance_id = 'start later';
SELECT df_start_new('start_echo', 'start much later', start_at => '2200-01-01 00:00:00+00');
SELECT runtime_status, next_wake_time = '2200-01-01 00:00:00+00' AS then
FROM df_instances WHERE instance_id = 'start much later';
SELECT df_terminate('start later'), df_terminate('start much later');
CREATE FUNCTION start_clock(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN to_jsonb(clock_timestamp() >= (input #>> '{}')::timestamptz);
END $$;
SELECT clock_timestamp() + interval '300 ms' AS soon \gset
SELECT df_start_singleton('start_clock', 'start soon', to_jsonb(:'soon'::text), start_at => :'soon');
SELECT runtime_status, output AS not_before FROM df_wait_for_completion('start soon');
SELECT df_start_singleton('start_echo', 'start past', '1', start_at => '2001-01-01');
SELECT runtime_status, output FROM df_wait_for_completion('start past');

SELECT df_start_singleton('start_echo', 'start ever', '1', start_at => '-infinity'),
	df_start_singleton('start_echo', 'start never', '1', start_at => 'infinity');
SELECT runtime_status, output FROM df_wait_for_completion('start ever');
SELECT runtime_status, next_wake_time FROM df_instances WHERE instance_id = 'start never';
SELECT df_terminate('start never');

-- df_start_new makes an id when none is given, a new one each time
SELECT df_start_new('start_echo', NULL, '1') AS id1 \gset
SELECT df_start_new('start_echo', input => '2') AS id2 \gset
SELECT :'id1' <> :'id2' AS distinct, :'id1'::uuid IS NOT NULL AS uuid,
	:'id1' = :'id1'::uuid::text AS canonical;
SELECT runtime_status, output FROM df_wait_for_completion(:'id1');
SELECT runtime_status, output FROM df_wait_for_completion(:'id2');

-- ids are compared byte by byte; the longest has 256 bytes
SELECT df_start_singleton('start_echo', 'start case'), df_start_singleton('start_echo', 'START CASE'),
	df_start_singleton('start_echo', ' start case');
SELECT df_start_singleton('start_echo', 'start long ' || repeat('x', 245));
SELECT runtime_status FROM df_wait_for_completion('start long ' || repeat('x', 245));
SELECT df_start_singleton('start_echo', 'start %_\"''; /{}');
SELECT runtime_status FROM df_wait_for_completion('start %_\"''; /{}');

-- in one statement, each id once
SELECT n, df_start_singleton('start_echo', 'start twice ' || n % 3) AS started
FROM generate_series(1, 6) n ORDER BY n;
SELECT n, (df_wait_for_completion('start twice ' || n)).runtime_status FROM generate_series(0, 2) n;
SELECT count(*) FILTER (WHERE started) FROM (
	SELECT df_start_singleton('start_echo', 'start many ' || n % 500) AS started
	FROM generate_series(1, 1000) n) s;
CALL until($$ (SELECT count(*) = 500 FROM df_instances
	WHERE instance_id LIKE 'start many %' AND runtime_status = 'Completed') $$);

-- the function is found by the path of the caller, and is that one for ever
CREATE SCHEMA "start Schema";
CREATE FUNCTION "start Schema"."start Echo"(input jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT '"from the schema"'::jsonb $$;
CREATE FUNCTION "start Schema".start_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS
	$$ SELECT '"hides the other"'::jsonb $$;
SELECT df_start_singleton('"start Schema"."start Echo"', 'start qualified');
SELECT name, runtime_status, output FROM df_wait_for_completion('start qualified');
SELECT error_of($$ SELECT df_start_singleton('"start Echo"', 'start unqualified') $$);
SET search_path = "start Schema", public;
SELECT df_start_singleton('"start Echo"', 'start by path');
SELECT df_start_singleton('start_echo', 'start hidden');
RESET search_path;
SELECT name, runtime_status, output FROM df_wait_for_completion('start by path');
SELECT name, runtime_status, output FROM df_wait_for_completion('start hidden');
-- among functions of one name, that of the right signature
CREATE FUNCTION start_many(input text) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"text"'::jsonb $$;
CREATE FUNCTION start_many(input json) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"json"'::jsonb $$;
CREATE FUNCTION start_many(input jsonb, n int) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"two"'::jsonb $$;
CREATE FUNCTION start_many(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '"jsonb"'::jsonb $$;
SELECT df_start_singleton('start_many', 'start overloaded');
SELECT runtime_status, output FROM df_wait_for_completion('start overloaded');
-- a strict function that has its input
CREATE FUNCTION start_strict(input jsonb) RETURNS jsonb LANGUAGE sql STRICT AS $$ SELECT input $$;
SELECT df_start_singleton('start_strict', 'start strict', '"given"');
SELECT runtime_status, output FROM df_wait_for_completion('start strict');
-- a function that is gone when it should run
CREATE FUNCTION start_gone(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
BEGIN;
SELECT df_start_singleton('start_gone', 'start gone');
DROP FUNCTION start_gone;
COMMIT;
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('start gone');

DROP TABLE start_table;
DROP SCHEMA "start Schema" CASCADE;
DROP FUNCTION start_many(text), start_many(json), start_many(jsonb, int), start_many(jsonb);
DROP FUNCTION start_echo, start_fail, start_hold, start_nothing, start_clock, start_strict;
DROP PROCEDURE start_ended;
