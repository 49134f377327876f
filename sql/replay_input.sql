-- A replay that passes a call other arguments than its history has fails the
-- instance, because it would take the result of one call for that of another.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE rin_item (id int PRIMARY KEY, processed boolean DEFAULT false);
INSERT INTO rin_item SELECT n FROM generate_series(1, 10) n;
CREATE FUNCTION rin_process(id int) RETURNS int LANGUAGE sql
AS $$ UPDATE rin_item SET processed = true WHERE rin_item.id = rin_process.id; SELECT id $$;
CREATE FUNCTION rin_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION rin_child(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE VIEW rin_result AS
	SELECT instance_id, runtime_status, output, failure ->> 'sqlstate' AS sqlstate, failure ->> 'detail' AS detail
	FROM df_instances WHERE instance_id LIKE 'rin %' ORDER BY instance_id COLLATE "C";

-- a loop over what is still to do, each row by an activity: the second replay
-- would take the result of the first row for the second one
CREATE FUNCTION rin_drain() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	r record;
	n int := 0;
BEGIN
	FOR r IN SELECT id FROM rin_item WHERE NOT processed ORDER BY id LOOP
		PERFORM df_call_activity('rin_process', jsonb_build_object('id', r.id));
		n := n + 1;
	END LOOP;
	RETURN to_jsonb(n);
END $$;
SELECT df_start_singleton('rin_drain', 'rin drain');
SELECT runtime_status, output FROM df_wait_for_completion('rin drain');
\x
SELECT failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message, failure ->> 'detail' AS detail,
	failure ->> 'hint' AS hint FROM df_get_status('rin drain');
\x
-- with the rows recorded it reaches them all
CREATE OR REPLACE FUNCTION rin_drain() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	ids jsonb := df_record((SELECT jsonb_agg(id ORDER BY id) FROM rin_item WHERE NOT processed));
	id jsonb;
BEGIN
	FOR id IN SELECT * FROM jsonb_array_elements(ids) LOOP
		PERFORM df_call_activity('rin_process', jsonb_build_object('id', id));
	END LOOP;
	RETURN jsonb_array_length(ids);
END $$;
SELECT df_start_singleton('rin_drain', 'rin drain');
SELECT runtime_status FROM df_wait_for_completion('rin drain');
SELECT count(*) FILTER (WHERE processed) AS processed, count(*) FROM rin_item;

-- each kind of call; what they give changes from one pass to the next
CREATE FUNCTION rin_ask(kind text, given jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CASE kind
		WHEN 'activity' THEN
			PERFORM df_call_activity('rin_echo', given);
		WHEN 'task' THEN
			PERFORM df_await(df_schedule_activity('rin_echo', given));
		WHEN 'child' THEN
			PERFORM df_call_sub_orchestrator('rin_child', given);
		WHEN 'child''s id' THEN
			PERFORM df_await(df_schedule_sub_orchestrator('rin_child', NULL, df_instance_id() || '''s kid ' || given::text));
		WHEN 'child without id' THEN
			PERFORM df_call_sub_orchestrator('rin_child', NULL, CASE WHEN given = '1' THEN df_instance_id() || '''s kid' END);
		WHEN 'timer' THEN
			PERFORM df_create_timer(fire_at => '2001-01-01'::timestamptz + make_interval(secs => given::numeric::int));
		WHEN 'scheduled timer' THEN
			PERFORM df_schedule_timer(fire_at => '2001-01-01'::timestamptz + make_interval(secs => given::numeric::int));
		WHEN 'retry' THEN
			PERFORM df_call_activity('rin_echo', '"same"', df_retry_policy(given::numeric::int));
		WHEN 'retry of a task' THEN
			PERFORM df_await(df_schedule_activity('rin_echo', '"same"', df_retry_policy(given::numeric::int)));
	END CASE;
	PERFORM df_call_activity('rin_echo', '"next"');
	PERFORM df_create_timer('1 ms');
END $$;
CREATE FUNCTION rin_changes(kind text, first jsonb, later jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM rin_ask(kind, CASE WHEN df_is_replaying() THEN later ELSE first END);
	RETURN '"not noticed"';
END $$;
-- the same in SQL
CREATE FUNCTION rin_changes_sql(kind text, first jsonb, later jsonb) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT rin_ask(kind, CASE WHEN df_is_replaying() THEN later ELSE first END);
	SELECT '"not noticed"'::jsonb $$;
CREATE TABLE rin_kind (kind text);
INSERT INTO rin_kind VALUES ('activity'), ('task'), ('child'), ('child''s id'), ('child without id'), ('timer'), ('scheduled timer'),
	('retry'), ('retry of a task');
SELECT count(df_start_singleton('rin_changes', 'rin ' || kind, jsonb_build_object('kind', kind, 'first', 1, 'later', 2))) FROM rin_kind;
SELECT count(df_start_singleton('rin_changes_sql', 'rin sql ' || kind, jsonb_build_object('kind', kind, 'first', 1, 'later', 2))) FROM rin_kind;
-- to null and back
SELECT df_start_singleton('rin_changes', 'rin to null', '{"kind": "activity", "first": 1, "later": null}'),
	df_start_singleton('rin_changes', 'rin from null', '{"kind": "task", "first": null, "later": 1}');
-- no difference is one of the writing only, or there is none
SELECT count(df_start_singleton('rin_changes', 'rin equal ' || kind, jsonb_build_object('kind', kind, 'first', 1, 'later', 1.00)))
FROM rin_kind WHERE kind NOT LIKE '%id%';
SELECT df_start_singleton('rin_changes', 'rin equal in depth', '{"kind": "task", "first": {"a": [1, {"b": 2.50}]}, "later": {"a": [1.0, {"b": 2.5}]}}');
-- large ones, which are stored elsewhere, are cut in the message
SELECT df_start_singleton('rin_changes', 'rin large', jsonb_build_object('kind', 'activity',
	'first', (SELECT jsonb_agg(n::text) FROM generate_series(1, 9999) n), 'later', (SELECT jsonb_agg(n::text || 'x') FROM generate_series(1, 9999) n)));
CALL until($$ (SELECT bool_and(runtime_status IN ('Completed', 'Failed')) FROM rin_result) $$);
SELECT instance_id, runtime_status, output, sqlstate, regexp_replace(detail, '[0-9a-f-]{36}:', '<id>:') AS detail
FROM rin_result WHERE instance_id NOT LIKE 'rin drain%' AND instance_id NOT LIKE 'rin large%' AND instance_id NOT LIKE '%kid%';
SELECT runtime_status, sqlstate, length(detail) < 700 AS short FROM rin_result WHERE instance_id = 'rin large';

-- it can be switched off for a function
ALTER FUNCTION rin_changes SET durable_singleton.check_replay_input = off;
SELECT count(df_start_singleton('rin_changes', 'rin ' || kind, jsonb_build_object('kind', kind, 'first', 1, 'later', 2))) FROM rin_kind;
SELECT runtime_status, output, count(*) FROM rin_kind, df_wait_for_completion('rin ' || kind) GROUP BY 1, 2;
ALTER FUNCTION rin_changes RESET ALL;

-- between the attempts of an activity that fails, too
CREATE FUNCTION rin_fails(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'failed';
END $$;
CREATE FUNCTION rin_retries(what text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	n int := CASE WHEN df_is_replaying() THEN 5 ELSE 4 END;
BEGIN
	RETURN df_call_activity('rin_fails', CASE what WHEN 'input' THEN to_jsonb(n) END,
		df_retry_policy(CASE what WHEN 'retry' THEN n ELSE 4 END, '1 ms'));
END $$;
SELECT df_start_singleton('rin_retries', 'rin retries ' || w, jsonb_build_object('what', w)) FROM unnest('{input,retry,nothing}'::text[]) w;
SELECT w, runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message, failure ->> 'detail' AS detail
FROM unnest('{input,retry,nothing}'::text[]) w, df_wait_for_completion('rin retries ' || w);

-- when the history is read from the table, too
CREATE FUNCTION rin_reads(given int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('rin_echo', '1', df_retry_policy(2, backoff_coefficient => 1.5));
	PERFORM df_await(df_schedule_activity('rin_echo', '2', df_retry_policy(CASE WHEN df_is_replaying() THEN given ELSE 2 END)));
	PERFORM df_wait_for_external_event('go');
	PERFORM df_wait_for_external_event('on');
	RETURN given;
END $$;
ALTER FUNCTION rin_reads SET durable_singleton.check_replay_input = off;
SELECT df_start_singleton('rin_reads', 'rin reads ' || n, jsonb_build_object('given', n)) FROM generate_series(2, 3) n;
CALL until($$ (SELECT count(*) = 2 FROM df_instances WHERE instance_id LIKE 'rin reads%' AND waiting_for = 'event go') $$);
ALTER FUNCTION rin_reads RESET ALL;
CALL workers_leave();
SELECT df_raise_event(instance_id, 'go'), df_raise_event(instance_id, 'on') FROM df_instances WHERE instance_id LIKE 'rin reads%';
SELECT n, runtime_status, output, failure ->> 'detail' AS detail FROM generate_series(2, 3) n, df_wait_for_completion('rin reads ' || n);

-- a history that does not have the retry policy, as version 1.0 wrote it
CREATE FUNCTION rin_old() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('rin_echo', '1', df_retry_policy(2));
	PERFORM df_await(df_schedule_activity('rin_echo', '2', df_retry_policy(2)));
	PERFORM df_wait_for_external_event('go');
	RETURN df_call_activity('rin_echo', '3');
END $$;
SELECT df_start_singleton('rin_old', 'rin old');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'rin old') $$);
SELECT seq, attempt, child_id FROM durable_singleton.history JOIN df_instances i USING (execution_id)
WHERE i.instance_id = 'rin old' AND seq IN (1, 2) ORDER BY seq, attempt;
UPDATE durable_singleton.history h SET child_id = NULL FROM df_instances i
WHERE i.instance_id = 'rin old' AND h.execution_id = i.execution_id AND h.kind = 'a';
-- the worker reads it anew
CALL workers_leave();
SELECT df_raise_event('rin old', 'go');
SELECT runtime_status, output FROM df_wait_for_completion('rin old');

-- A rewind runs what failed with what the mended code gives, and the replays
-- after it know of that.
CREATE FUNCTION rin_divide(by int) RETURNS int LANGUAGE sql AS $$ SELECT 10 / by $$;
CREATE FUNCTION rin_mended() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	task int := df_schedule_activity('rin_divide', '{"by": 0}', df_retry_policy(1));
BEGIN
	RETURN df_await(task);
END $$;
CREATE FUNCTION rin_mended_call() RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('rin_echo', '"before"');
	RETURN df_call_activity('rin_divide', '{"by": 0}', df_retry_policy(1));
END $$;
SELECT df_start_singleton('rin_mended', 'rin mended'), df_start_singleton('rin_mended_call', 'rin mended call');
SELECT runtime_status FROM unnest('{rin mended,rin mended call}'::text[]) id, df_wait_for_completion(id);
CREATE OR REPLACE FUNCTION rin_mended() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	task int := df_schedule_activity('rin_divide', '{"by": 2}', df_retry_policy(2));
BEGIN
	PERFORM df_await(task);
	PERFORM df_wait_for_external_event('go');
	RETURN df_await(task);
END $$;
CREATE OR REPLACE FUNCTION rin_mended_call() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	result jsonb;
BEGIN
	PERFORM df_call_activity('rin_echo', '"before"');
	result := df_call_activity('rin_divide', '{"by": 2}', df_retry_policy(2));
	PERFORM df_wait_for_external_event('go');
	RETURN result;
END $$;
SELECT df_rewind('rin mended'), df_rewind('rin mended call');
CALL until($$ (SELECT bool_and(waiting_for = 'event go') FROM df_instances WHERE instance_id LIKE 'rin mended%') $$);
CALL workers_leave();
SELECT df_raise_event('rin mended', 'go'), df_raise_event('rin mended call', 'go');
SELECT runtime_status, output, failure FROM unnest('{rin mended,rin mended call}'::text[]) id, df_wait_for_completion(id);

-- what is kept for the comparison is in no view
SELECT count(*) FROM df_get_status('rin equal retry', true, true, true) s, jsonb_array_elements(s.history) e WHERE e ? 'InstanceId' OR e::text LIKE '%max_attempts%';
SELECT event_type, name, input, result FROM df_history WHERE instance_id = 'rin old' AND name = 'rin_echo' ORDER BY seq;
SELECT df_purge(instance_id) > 0 AS purged FROM df_instances WHERE instance_id IN ('rin old', 'rin mended') ORDER BY instance_id;

DROP VIEW rin_result;
DROP TABLE rin_item, rin_kind;
DROP FUNCTION rin_process, rin_echo, rin_child, rin_drain, rin_ask, rin_changes, rin_changes_sql, rin_fails, rin_retries, rin_reads, rin_old,
	rin_divide, rin_mended, rin_mended_call;
