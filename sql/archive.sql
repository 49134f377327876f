-- A new execution archives the old one: df_executions and df_history keep the
-- last ones of each id.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE FUNCTION past_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION past_story(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status(jsonb_build_object('status of', input));
	IF input = '"fails"' THEN
		PERFORM df_call_activity('past_nowhere');
	ELSIF input = '"waits"' THEN
		PERFORM df_wait_for_external_event('go');
	END IF;
	RETURN df_call_activity('past_echo', input);
END $$;

-- nothing past yet
SELECT df_start_singleton('past_story', 'past a', '"completes"');
SELECT runtime_status FROM df_wait_for_completion('past a');
SELECT count(*) FROM df_executions WHERE instance_id = 'past a';
SELECT execution_id AS first FROM df_instances WHERE instance_id = 'past a' \gset
-- one of each kind
SELECT df_start_singleton('past_story', 'past a', '"fails"');
SELECT runtime_status FROM df_wait_for_completion('past a');
SELECT df_start_singleton('past_story', 'past a', '"waits"');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'past a') $$);
SELECT df_terminate('past a', 'the reason');
SELECT df_start_singleton('past_story', 'past a', '"waits"');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'past a') $$);
SELECT df_start_singleton('past_echo', 'past a', '"last"', on_conflict => 'terminate');
SELECT runtime_status, output FROM df_wait_for_completion('past a');
SELECT name, runtime_status, input, custom_status, output, failure ->> 'sqlstate' AS sqlstate,
	created_time <= last_updated_time AS times, owner = current_user::regrole AS own, parent_instance_id
FROM df_executions WHERE instance_id = 'past a' ORDER BY created_time;
SELECT execution_id = :'first' AS first FROM df_executions WHERE instance_id = 'past a' ORDER BY created_time LIMIT 1;
-- all executions have ids of their own, and their history
SELECT count(*), count(DISTINCT execution_id) FROM (SELECT execution_id FROM df_executions WHERE instance_id = 'past a'
	UNION ALL SELECT execution_id FROM df_instances WHERE instance_id = 'past a') s;
SELECT x.input, string_agg(h.event_type, ' ' ORDER BY h.seq) FROM df_executions x JOIN df_history h USING (instance_id, execution_id)
WHERE instance_id = 'past a' GROUP BY x.input, x.created_time ORDER BY x.created_time;
-- the status is that of the present one only
SELECT input FROM df_get_status('past a');

-- keep_executions: so many are kept, with their history
SET durable_singleton.keep_executions = 2;
DO $$
BEGIN
	FOR i IN 1 .. 5 LOOP
		PERFORM df_start_singleton('past_story', 'past b', to_jsonb(i));
		COMMIT;
		PERFORM df_wait_for_completion('past b');
		COMMIT;
	END LOOP;
END $$;
SELECT input FROM df_executions WHERE instance_id = 'past b' ORDER BY created_time;
SELECT count(DISTINCT execution_id) FROM df_history WHERE instance_id = 'past b';
SET durable_singleton.keep_executions = 0;
SELECT df_start_singleton('past_story', 'past b', '6');
SELECT runtime_status FROM df_wait_for_completion('past b');
SELECT count(*) FROM df_executions WHERE instance_id = 'past b';
SELECT count(DISTINCT execution_id) FROM df_history WHERE instance_id = 'past b';
-- nor does anything else of them lie about
SELECT count(*) FROM durable_singleton.history h WHERE NOT EXISTS (SELECT FROM df_instances i WHERE i.execution_id = h.execution_id)
	AND NOT EXISTS (SELECT FROM df_executions x WHERE x.execution_id = h.execution_id);
RESET durable_singleton.keep_executions;
-- ten unless told otherwise
SHOW durable_singleton.keep_executions;
DO $$
BEGIN
	FOR i IN 1 .. 13 LOOP
		PERFORM df_start_singleton('past_echo', 'past c', to_jsonb(i));
		COMMIT;
		PERFORM df_wait_for_completion('past c');
		COMMIT;
	END LOOP;
END $$;
SELECT string_agg(input::text, ' ' ORDER BY created_time) FROM df_executions WHERE instance_id = 'past c';
-- an archive of one id is none of another's
SELECT count(*) FROM df_executions WHERE instance_id = 'past a';

-- a start that is refused, or rolled back, archives nothing
BEGIN;
SELECT df_start_singleton('past_echo', 'past b', '7');
ROLLBACK;
SELECT df_start_singleton('past_echo', 'past b', '8', reuse => '{Failed}');
SELECT count(*) FROM df_executions WHERE instance_id = 'past b';
SELECT input FROM df_get_status('past b');

-- messages that nobody took go with the execution they were for
SELECT df_start_singleton('past_story', 'past d', '"waits"');
SELECT df_raise_event('past d', 'never taken');
SELECT df_raise_event('past d', 'go');
SELECT runtime_status FROM df_wait_for_completion('past d');
SELECT df_start_singleton('past_echo', 'past d');
SELECT runtime_status FROM df_wait_for_completion('past d');
SELECT count(*) FROM durable_singleton.inbox WHERE instance_id = 'past d';

DROP FUNCTION past_echo, past_story;
