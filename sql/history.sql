-- df_history and df_get_status show what an execution did, in the terms of
-- Durable Functions.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE SEQUENCE story_calls;
CREATE FUNCTION story_add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql AS $$ SELECT a + b $$;
CREATE FUNCTION story_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no luck' USING ERRCODE = 'ZZ001';
END $$;
CREATE FUNCTION story_second_time(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('story_calls') % 2 = 1 THEN
		RAISE EXCEPTION 'not yet' USING ERRCODE = 'ZZ002';
	END IF;
	RETURN input;
END $$;
CREATE FUNCTION story_child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input = '"fails"' THEN
		RETURN df_call_activity('story_fail');
	END IF;
	RETURN df_call_activity('story_add', '{"a": 40, "b": 2}');
END $$;
CREATE FUNCTION story_of_all(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[];
	timer int;
	x jsonb;
BEGIN
	-- one after the other
	x := df_call_activity('story_add', '{"a": 1}');
	x := df_call_activity('story_second_time', '"retried"', df_retry_policy(2, '1 ms'));
	BEGIN
		x := df_call_activity('story_fail', '"caught"');
	EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
		NULL;
	END;
	PERFORM df_record('"recorded"');
	PERFORM df_patched('patched');
	PERFORM df_create_timer('1 ms');
	x := df_wait_for_external_event('never', '1 ms', '"default"');
	-- side by side
	tasks := ARRAY[df_schedule_activity('story_add', '{"a": 2, "b": 3}'),
		df_schedule_timer('2 ms'), df_schedule_event('Scheduled')];
	timer := df_schedule_timer('1 hour');
	x := df_wait_all(tasks);
	-- children
	x := df_call_sub_orchestrator('story_child', '"succeeds"', 'story child 1');
	BEGIN
		x := df_call_sub_orchestrator('story_child', '"fails"', 'story child 2');
	EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
		NULL;
	END;
	-- suspended and resumed here
	x := df_wait_for_external_event('go');
	-- fails, and is rewound
	x := df_call_activity('story_second_time', '"rewound"');
	RETURN '"all told"';
END $$;

-- in this session, so that one thing happens after the other
\set ECHO none
\i sql/workers_off.inc
\set ECHO all
CREATE VIEW story_due AS SELECT coalesce(min(next_wake_time) < clock_timestamp(), true) AS due
	FROM df_instances WHERE instance_id LIKE 'story%' AND next_wake_time < clock_timestamp() + interval '1 min';
SELECT df_start_singleton('story_of_all', 'story', '"once upon a time"');
CALL df_run();
CALL until('(SELECT due FROM story_due)');
CALL df_run();
CALL until('(SELECT due FROM story_due)');
CALL df_run();
CALL until('(SELECT due FROM story_due)');
CALL df_run();
CALL until('(SELECT due FROM story_due)');
CALL df_run();
SELECT df_raise_event('story', 'SCHEDULED', '"by an event"');
CALL df_run();
CALL until('(SELECT due FROM story_due)');
CALL df_run();
SELECT waiting_for FROM df_instances WHERE instance_id = 'story';
SELECT df_suspend('story', 'for the night');
CALL df_run();
SELECT df_raise_event('story', 'go', '{"to": "the end"}');
CALL df_run();
SELECT df_resume('story', 'good morning');
CALL df_run();
SELECT runtime_status FROM df_get_status('story');
SELECT df_rewind('story', 'another try');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('story');

SELECT seq, event_type, name, input, result, failure - '{context,instance_id}'::text[] AS failure
FROM df_history WHERE instance_id = 'story' ORDER BY seq;
-- numbered without a gap, in the order of time
SELECT array_agg(seq::int ORDER BY seq) = array_agg(n::int ORDER BY n) AS numbered,
	array_agg(seq ORDER BY event_time, seq) = array_agg(seq ORDER BY seq) AS in_order,
	count(DISTINCT execution_id) AS executions
FROM (SELECT *, row_number() OVER (ORDER BY seq) AS n FROM df_history WHERE instance_id = 'story') h;
-- the children have stories of their own
SELECT instance_id, seq, event_type, name, input, result, failure ->> 'message' AS message
FROM df_history WHERE instance_id LIKE 'story child %' ORDER BY 1, 2;
-- df_get_status tells the same, as jsonb; the end of a task has in itself when
-- it was scheduled
SELECT array_agg(e ->> 'EventType' ORDER BY n) = (SELECT array_agg(event_type ORDER BY seq) FROM df_history
		WHERE instance_id = 'story' AND event_type NOT IN ('TaskScheduled', 'SubOrchestrationInstanceCreated')) AS same_events,
	array_agg((e ->> 'Timestamp')::timestamptz ORDER BY n) = (SELECT array_agg(event_time ORDER BY seq) FROM df_history
		WHERE instance_id = 'story' AND event_type NOT IN ('TaskScheduled', 'SubOrchestrationInstanceCreated')) AS same_times,
	array_agg((e ->> 'ScheduledTime')::timestamptz ORDER BY e ->> 'ScheduledTime') FILTER (WHERE e ? 'ScheduledTime') = (SELECT array_agg(event_time ORDER BY event_time)
		FROM df_history WHERE instance_id = 'story' AND event_type IN ('TaskScheduled', 'SubOrchestrationInstanceCreated')) AS same_begins
FROM df_get_status('story', show_history => true) s, jsonb_array_elements(s.history) WITH ORDINALITY h (e, n);
SELECT e - '{Timestamp,ScheduledTime,FireAt}'::text[] AS event
FROM df_get_status('story', show_history => true, show_history_output => true) s, jsonb_array_elements(s.history) WITH ORDINALITY h (e, n) ORDER BY n;
SELECT count(*) FILTER (WHERE e ? 'Result') AS results, count(*) FILTER (WHERE e ? 'Input') AS inputs
FROM df_get_status('story', show_history => true, show_input => false) s, jsonb_array_elements(s.history) h (e);

-- one that was terminated, one that failed, one that has yet to begin, one
-- that waits; past executions keep their own
CREATE FUNCTION story_short(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('story_add', '{"a": 0}');
	PERFORM df_create_timer('1 hour');
	RETURN NULL;
END $$;
SELECT df_start_singleton('story_short', 'story short', '1');
CALL df_run();
SELECT seq, event_type, name FROM df_history WHERE instance_id = 'story short' ORDER BY seq;
SELECT df_terminate('story short', 'that will do');
SELECT df_start_singleton('story_fail', 'story short', '2');
CALL df_run();
SELECT df_start_singleton('story_short', 'story short', '3', start_at => '2200-01-01');
CALL df_run();
SELECT dense_rank() OVER (ORDER BY execution_id) AS execution, seq, event_type, name, input, result, failure ->> 'message' AS message
FROM df_history WHERE instance_id = 'story short' ORDER BY execution_id, seq;
SELECT df_terminate('story short');

-- turns of continue-as-new: the present one is told
CREATE FUNCTION story_turns(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('story_add', jsonb_build_object('a', input));
	IF input::int < 3 THEN
		PERFORM df_continue_as_new(to_jsonb(input::int + 1));
	END IF;
	RETURN input;
END $$;
SELECT df_start_singleton('story_turns', 'story turns', '1');
CALL df_run();
SELECT seq, event_type, name, input, result FROM df_history WHERE instance_id = 'story turns' ORDER BY seq;

-- who may see it: members of the owner; pg_read_all_data everything; pg_monitor
-- the events without what was passed, and no reasons
CREATE ROLE regress_ds_monitor LOGIN IN ROLE pg_monitor;
CREATE ROLE regress_ds_reader LOGIN IN ROLE pg_read_all_data;
CREATE ROLE regress_ds_user LOGIN;
SELECT df_grant_usage(r) FROM unnest('{regress_ds_monitor,regress_ds_reader,regress_ds_user}'::name[]) r;
SET SESSION AUTHORIZATION regress_ds_monitor;
SELECT count(*) AS events, count(input) AS inputs, count(result) AS results, count(failure) AS failures
FROM df_history WHERE instance_id LIKE 'story%';
SELECT seq, event_type, name FROM df_history WHERE instance_id = 'story' AND event_type LIKE 'Execution%' ORDER BY seq;
SELECT jsonb_array_length(history) AS events, history::text ~ 'caught|no luck|not yet|night|morning|try|event' AS told
FROM df_get_status('story', true, true);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_ds_reader;
SELECT count(*) AS events, count(input) > 0 AS inputs, count(result) > 0 AS results, count(failure) > 0 AS failures
FROM df_history WHERE instance_id LIKE 'story%';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_ds_user;
SELECT count(*) FROM df_history WHERE instance_id LIKE 'story%';
RESET SESSION AUTHORIZATION;

\set ECHO none
\i sql/workers_on.inc
\set ECHO all
SELECT df_revoke_usage(r) FROM unnest('{regress_ds_monitor,regress_ds_reader,regress_ds_user}'::name[]) r;
DROP ROLE regress_ds_monitor, regress_ds_reader, regress_ds_user;
DROP VIEW story_due;
DROP SEQUENCE story_calls;
DROP FUNCTION story_add, story_fail, story_second_time, story_child, story_of_all, story_short, story_turns;
