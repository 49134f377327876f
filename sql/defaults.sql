-- Omitted arguments: their DEFAULT is evaluated once for an execution, and
-- once for an activity, no matter how often they are replayed or retried.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE dfl_loaded (step text, batch uuid);
CREATE FUNCTION dfl_load(step text, batch uuid) RETURNS void LANGUAGE sql
AS $$ INSERT INTO dfl_loaded VALUES (step, batch) $$;

-- of an orchestrator
CREATE FUNCTION dfl_nightly(batch uuid DEFAULT gen_random_uuid(), day date DEFAULT current_date, note text DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('dfl_load', jsonb_build_object('step', 'stage', 'batch', batch));
	PERFORM df_create_timer('1 ms');
	PERFORM df_await(df_schedule_activity('dfl_load', jsonb_build_object('step', 'merge', 'batch', batch)));
	RETURN jsonb_build_object('batch', batch, 'day', day = current_date, 'note', note);
END $$;
SELECT df_start_singleton('dfl_nightly', 'dfl nightly');
SELECT runtime_status, input, output - 'batch' AS output FROM df_wait_for_completion('dfl nightly');
SELECT count(DISTINCT batch), count(*) FROM (
	SELECT batch FROM dfl_loaded UNION ALL SELECT (output ->> 'batch')::uuid FROM df_get_status('dfl nightly')) s;
-- no event tells of it
SELECT event_type, name FROM df_history WHERE instance_id = 'dfl nightly' ORDER BY seq;

-- also if nothing but a timer has come between, other workers run it, and notes
-- of clients stand beside it
CREATE SEQUENCE dfl_number;
CREATE FUNCTION dfl_waits(n bigint DEFAULT nextval('dfl_number')) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_wait_for_external_event('go');
	PERFORM df_wait_for_external_event('on');
	RETURN n;
END $$;
SELECT df_start_singleton('dfl_waits', 'dfl waits');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'dfl waits') $$);
SELECT df_suspend('dfl waits', 'lunch');
SELECT df_resume('dfl waits', 'lunch is over');
CALL workers_leave();
SELECT df_raise_event('dfl waits', 'go');
CALL until($$ (SELECT waiting_for = 'event on' FROM df_instances WHERE instance_id = 'dfl waits') $$);
CALL workers_leave();
SELECT df_raise_event('dfl waits', 'on');
SELECT runtime_status, output, nextval('dfl_number') FROM df_wait_for_completion('dfl waits');
SELECT event_type, input FROM df_history WHERE instance_id = 'dfl waits' AND event_type ~ 'Susp|Resum' ORDER BY seq;

-- another execution is another call: after a restart, and as a new one
SELECT df_restart('dfl waits', false);
SELECT df_raise_event('dfl waits', 'go'), df_raise_event('dfl waits', 'on');
SELECT output FROM df_wait_for_completion('dfl waits');
CREATE FUNCTION dfl_rounds(round int, n bigint DEFAULT nextval('dfl_number')) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	IF round < 3 THEN
		PERFORM df_continue_as_new(jsonb_build_object('round', round + 1));
	END IF;
	RETURN n;
END $$;
SELECT df_start_singleton('dfl_rounds', 'dfl rounds', '{"round": 1}');
SELECT output FROM df_wait_for_completion('dfl rounds');
-- a child's
CREATE FUNCTION dfl_parent() RETURNS jsonb LANGUAGE sql AS $$
	SELECT df_call_sub_orchestrator('dfl_rounds', '{"round": 3}') $$;
SELECT df_start_singleton('dfl_parent', 'dfl parent');
SELECT output FROM df_wait_for_completion('dfl parent');
-- of an instance that ends at once, and of one that is rewound
SELECT df_start_singleton('dfl_rounds', 'dfl rewound', '{"round": 3}');
SELECT output FROM df_wait_for_completion('dfl rewound');
CREATE FUNCTION dfl_fails(n bigint DEFAULT nextval('dfl_number')) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	PERFORM 1 / (n - n);
END $$;
SELECT df_start_singleton('dfl_fails', 'dfl rewound');
SELECT runtime_status FROM df_wait_for_completion('dfl rewound');
-- the mended function has another default more
DROP FUNCTION dfl_fails;
CREATE FUNCTION dfl_fails(n bigint DEFAULT nextval('dfl_number'), m bigint DEFAULT nextval('dfl_number')) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	PERFORM df_wait_for_external_event('go');
	RETURN jsonb_build_array(n, m);
END $$;
SELECT df_rewind('dfl rewound');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'dfl rewound') $$);
CALL workers_leave();
SELECT df_raise_event('dfl rewound', 'go');
SELECT runtime_status, output, nextval('dfl_number') FROM df_wait_for_completion('dfl rewound');

-- of any type, whatever the settings of the role; those that are given count
CREATE TYPE dfl_pair AS (a int, b text);
CREATE DOMAIN dfl_short AS text CHECK (length(value) < 10);
CREATE FUNCTION dfl_types(
	a timestamptz DEFAULT '2024-02-29 12:34:56.789012+03', b interval DEFAULT '-1 mons +2 days -03:04:05.006', c float8 DEFAULT 0.1::float8 + 0.2,
	d numeric DEFAULT 'NaN', e bytea DEFAULT '\x00ff', f dfl_pair DEFAULT (1, 'x, "y"'), g text[] DEFAULT '[0:1]={a,NULL}', h jsonb DEFAULT 'null',
	i dfl_short DEFAULT 'short', j regclass DEFAULT 'pg_class', k xid8 DEFAULT '7', l int4range DEFAULT '[1,5)', m text DEFAULT '', n bool DEFAULT NULL,
	o date DEFAULT 'infinity', p text DEFAULT 'p', q name DEFAULT 'Quoted "name"') RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	RETURN to_jsonb(ARRAY[a::text, b::text, c::text, d::text, e::text, f::text, g::text, h::text, i::text, j::text, k::text, l::text, m, n::text, o::text, p, q]);
END $$;
DO $$ BEGIN
	EXECUTE format('ALTER DATABASE %I SET datestyle = %L', current_database(), 'SQL, DMY');
	EXECUTE format('ALTER DATABASE %I SET intervalstyle = %L', current_database(), 'sql_standard');
END $$;
CALL workers_leave();
SELECT df_start_singleton('dfl_types', 'dfl types', '{"p": "given"}');
SELECT runtime_status, failure FROM df_wait_for_completion('dfl types');
SELECT jsonb_array_elements(output) FROM df_get_status('dfl types');
DO $$ BEGIN
	EXECUTE format('ALTER DATABASE %I RESET datestyle', current_database());
	EXECUTE format('ALTER DATABASE %I RESET intervalstyle', current_database());
END $$;
CALL workers_leave();

-- of an activity: each of its attempts is the same call
CREATE TABLE dfl_paid (key uuid, n bigint);
CREATE SEQUENCE dfl_attempt;
CREATE SEQUENCE dfl_key;
-- what it tells the outside world
CREATE FUNCTION dfl_pay(what text, key bigint DEFAULT nextval('dfl_key')) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('dfl_attempt') % 3 <> 0 THEN
		RAISE EXCEPTION 'no answer for key %', key USING ERRCODE = CASE what WHEN 'conflict' THEN '40001' ELSE 'ZZ001' END;
	END IF;
	RETURN key;
END $$;
CREATE FUNCTION dfl_order(what text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	retry jsonb := CASE WHEN what <> 'conflict' THEN df_retry_policy(5, '1 ms') END;
	input jsonb := jsonb_build_object('what', what);
BEGIN
	IF what = 'task' THEN
		RETURN df_await(df_schedule_activity('dfl_pay', input, retry));
	END IF;
	RETURN df_call_activity('dfl_pay', input, retry);
END $$;
SELECT df_start_singleton('dfl_order', 'dfl call', '{"what": "call"}');
SELECT runtime_status, output FROM df_wait_for_completion('dfl call');
SELECT event_type, input, result, failure ->> 'message' AS failure FROM df_history WHERE instance_id = 'dfl call' AND name = 'dfl_pay' ORDER BY seq;
SELECT df_start_singleton('dfl_order', 'dfl task', '{"what": "task"}');
SELECT runtime_status, output FROM df_wait_for_completion('dfl task');
SELECT df_start_singleton('dfl_order', 'dfl conflict', '{"what": "conflict"}');
SELECT runtime_status, output FROM df_wait_for_completion('dfl conflict');
-- another activity is another call
SELECT df_start_singleton('dfl_order', 'dfl call', '{"what": "call"}');
SELECT runtime_status, output FROM df_wait_for_completion('dfl call');
-- with an executor that reads it anew between the attempts
CREATE FUNCTION dfl_slowly(what text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	retry jsonb := df_retry_policy(5, '1 hour');
BEGIN
	IF what = 'task' THEN
		RETURN df_await(df_schedule_activity('dfl_pay', '{"what": "slow"}', retry));
	END IF;
	RETURN df_call_activity('dfl_pay', '{"what": "slow"}', retry);
END $$;
SELECT setval('dfl_attempt', 1);
SELECT df_start_singleton('dfl_slowly', 'dfl slow ' || what, jsonb_build_object('what', what)) FROM unnest('{call}'::text[]) what;
CALL until($$ (SELECT next_wake_time > now() FROM df_instances WHERE instance_id = 'dfl slow call') $$);
CALL workers_leave();
UPDATE durable_singleton.instance SET wait_fire_at = now(), ready_time = now() WHERE instance_id = 'dfl slow call';
-- whoever changes our tables by hand has to tell the workers
SELECT df_suspend('dfl slow call');
SELECT df_resume('dfl slow call');
SELECT runtime_status, output FROM df_wait_for_completion('dfl slow call');
SELECT setval('dfl_attempt', 1);
SELECT df_start_singleton('dfl_slowly', 'dfl slow task', '{"what": "task"}');
CALL until($$ (SELECT count(*) = 1 FROM durable_singleton.task WHERE instance_id = 'dfl slow task' AND attempt = 2) $$);
CALL workers_leave();
UPDATE durable_singleton.task SET ready_time = now() WHERE instance_id = 'dfl slow task';
SELECT df_suspend('dfl slow task');
SELECT df_resume('dfl slow task');
SELECT runtime_status, output FROM df_wait_for_completion('dfl slow task');

SELECT df_purge(instance_id) > 0 AS purged FROM df_instances WHERE instance_id LIKE 'dfl %' AND parent_instance_id IS NULL GROUP BY 1;
DROP FUNCTION dfl_load, dfl_nightly, dfl_waits, dfl_rounds, dfl_parent, dfl_fails, dfl_types, dfl_pay, dfl_order, dfl_slowly;
DROP TABLE dfl_loaded, dfl_paid;
DROP SEQUENCE dfl_number, dfl_attempt, dfl_key;
DROP TYPE dfl_pair;
DROP DOMAIN dfl_short;
