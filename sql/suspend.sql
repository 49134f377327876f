-- df_suspend stops an instance before its next step, whatever it waits for,
-- and loses nothing; df_resume continues it as if it had not been suspended.
\set ECHO none
\i sql/helpers.inc
\i sql/workers_off.inc
\set ECHO all
CREATE TABLE susp_log (n int GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION susp_log(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO susp_log (what) VALUES (input #>> '{}');
	RETURN input;
END $$;
CREATE FUNCTION susp_three(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		PERFORM df_call_activity('susp_log', to_jsonb(df_instance_id() || ' ' || i));
	END LOOP;
	RETURN '"done"';
END $$;
CREATE FUNCTION susp_wait(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_set_custom_status('"waits"');
	PERFORM df_call_activity('susp_log', to_jsonb(df_instance_id() || ' before'));
	RETURN df_wait_for_external_event('go', (input #>> '{}')::interval, '"timed out"');
END $$;
CREATE FUNCTION susp_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer((input #>> '{}')::interval);
	RETURN '"fired"';
END $$;
-- what is seen of an instance
CREATE FUNCTION susp_show(which text, OUT status df_runtime_status, OUT output jsonb, OUT waiting_for text,
	OUT wakes boolean, OUT events bigint)
LANGUAGE sql AS $$
	SELECT runtime_status, i.output, i.waiting_for, next_wake_time IS NOT NULL,
		(SELECT count(*) FROM durable_singleton.inbox b WHERE b.instance_id = which AND i.runtime_status IN ('Pending', 'Running', 'Suspended'))
	FROM df_instances i WHERE instance_id = which $$;
CREATE FUNCTION susp_story(which text) RETURNS TABLE (event_type text, name text, input jsonb, result jsonb) LANGUAGE sql AS $$
	SELECT h.event_type, h.name, h.input, h.result FROM df_history h JOIN df_instances USING (instance_id, execution_id)
	WHERE instance_id = which ORDER BY seq $$;

-- before the first step: nothing begins, and it is Pending again
SELECT df_start_singleton('susp_three', 'susp first');
SELECT df_suspend('susp first', 'not yet');
CALL df_run();
SELECT * FROM susp_show('susp first');
SELECT what FROM susp_log;
SELECT df_resume('susp first', 'now');
SELECT * FROM susp_show('susp first');
CALL df_run();
SELECT * FROM susp_show('susp first');
SELECT * FROM susp_story('susp first');
TRUNCATE susp_log;

-- between two steps: the third activity waits, the first two are not repeated
SELECT df_start_singleton('susp_three', 'susp middle');
CALL df_run(2);
SELECT df_suspend('susp middle');
SELECT count(*) AS before FROM susp_log \gset
CALL df_run();
SELECT count(*) = :before AND count(*) BETWEEN 1 AND 2 AS nothing_more FROM susp_log;
SELECT df_resume('susp middle');
SELECT * FROM susp_show('susp middle');
CALL df_run();
SELECT * FROM susp_show('susp middle');
SELECT what, count(*) FROM susp_log GROUP BY 1 ORDER BY 1;
TRUNCATE susp_log;

-- with start_at: resumed before it, it still waits for it
SELECT df_start_singleton('susp_three', 'susp later', start_at => '2200-01-01');
SELECT df_suspend('susp later');
SELECT * FROM susp_show('susp later');
SELECT df_resume('susp later');
SELECT * FROM susp_show('susp later');
CALL df_run();
SELECT * FROM susp_show('susp later');
SELECT next_wake_time = '2200-01-01' AS start_at_kept FROM df_instances WHERE instance_id = 'susp later';
SELECT df_terminate('susp later');
-- start_at passes in between
SELECT df_start_singleton('susp_three', 'susp passed', start_at => clock_timestamp() + interval '20 ms');
SELECT df_suspend('susp passed');
CALL until($$ clock_timestamp() > (SELECT created_time + interval '30 ms' FROM df_instances WHERE instance_id = 'susp passed') $$);
CALL df_run();
SELECT status, output FROM susp_show('susp passed');
SELECT df_resume('susp passed');
SELECT status, output FROM susp_show('susp passed');
CALL df_run();
SELECT status, output FROM susp_show('susp passed');
TRUNCATE susp_log;

-- while it waits for an event: it is kept, in order, and taken after the resume
SELECT df_start_singleton('susp_wait', 'susp event');
CALL df_run();
SELECT * FROM susp_show('susp event');
SELECT df_suspend('susp event', 'have a break');
SELECT * FROM susp_show('susp event');
SELECT df_raise_event('susp event', 'other', '"other"');
SELECT df_raise_event('susp event', 'go', '"first"');
SELECT df_raise_event('susp event', 'go', '"second"');
CALL df_run();
SELECT * FROM susp_show('susp event');
SELECT custom_status FROM df_get_status('susp event');
SELECT df_resume('susp event', 'go on');
SELECT * FROM susp_show('susp event');
CALL df_run();
SELECT * FROM susp_show('susp event');
SELECT * FROM susp_story('susp event');
SELECT what, count(*) FROM susp_log GROUP BY 1;
TRUNCATE susp_log;
-- an event from before the suspend
SELECT df_start_singleton('susp_wait', 'susp early');
CALL df_run();
SELECT df_raise_event('susp early', 'go', '"before"');
SELECT df_suspend('susp early');
CALL df_run();
SELECT * FROM susp_show('susp early');
SELECT df_resume('susp early');
CALL df_run();
SELECT * FROM susp_show('susp early');
-- nothing has come: it waits on
SELECT df_start_singleton('susp_wait', 'susp on');
CALL df_run();
SELECT df_suspend('susp on');
CALL df_run();
SELECT df_resume('susp on');
CALL df_run();
SELECT * FROM susp_show('susp on');
SELECT df_raise_event('susp on', 'go', '"after"');
CALL df_run();
SELECT * FROM susp_show('susp on');

-- a timer goes on counting, and so does the time-out of an event: one that
-- falls due meanwhile fires at the resume, neither earlier nor again; an event
-- that is there at the resume wins
SELECT df_start_singleton('susp_timer', 'susp due timer', '"1 s"');
SELECT df_start_singleton('susp_wait', 'susp due ' || n, '"1 s"') FROM unnest('{lost,won}'::text[]) n;
CALL df_run();
SELECT df_suspend('susp due ' || n) FROM unnest('{timer,lost,won}'::text[]) n;
SELECT n, s.* FROM unnest('{timer,lost,won}'::text[]) n, susp_show('susp due ' || n) s;
SELECT df_raise_event('susp due won', 'go', '"in time"');
CALL until($$ (SELECT bool_and(clock_timestamp() > last_updated_time + interval '1 s') FROM df_instances WHERE instance_id LIKE 'susp due %') $$);
CALL df_run();
SELECT n, s.status, s.output FROM unnest('{timer,lost,won}'::text[]) n, susp_show('susp due ' || n) s;
SELECT df_resume('susp due ' || n) FROM unnest('{timer,lost,won}'::text[]) n;
CALL df_run();
SELECT n, s.status, s.output FROM unnest('{timer,lost,won}'::text[]) n, susp_show('susp due ' || n) s;
SELECT n, s.event_type FROM unnest('{timer,lost,won}'::text[]) WITH ORDINALITY u(n, i), susp_story('susp due ' || n) WITH ORDINALITY s(event_type, name, input, result, j)
ORDER BY i, j;
-- one that is not due is neither longer nor shorter than it was
SELECT df_start_singleton('susp_timer', 'susp far', '"1000 days"');
CALL df_run();
SELECT next_wake_time AS fires FROM df_instances WHERE instance_id = 'susp far' \gset
SELECT df_suspend('susp far');
SELECT df_resume('susp far');
CALL df_run();
SELECT status, waiting_for FROM susp_show('susp far');
SELECT next_wake_time = :'fires' AS unchanged FROM df_instances WHERE instance_id = 'susp far';
SELECT df_terminate('susp far');
TRUNCATE susp_log;

-- again and again: each with its reason in the history
SELECT df_start_singleton('susp_wait', 'susp again');
SELECT df_suspend('susp again', 'it''s "one"');
SELECT df_resume('susp again');
SELECT df_suspend('susp again', '');
SELECT df_resume('susp again', 'four');
CALL df_run();
SELECT df_suspend('susp again', 'five');
SELECT df_resume('susp again', 'six');
SELECT df_raise_event('susp again', 'go', '"went"');
CALL df_run();
SELECT * FROM susp_story('susp again');
SELECT bool_and(earlier <= event_time) AS in_order_of_time, count(DISTINCT seq) = count(*) AND min(seq) = 1 AND max(seq) = count(*) AS numbered
FROM (SELECT event_time, seq, lag(event_time, 1, event_time) OVER (ORDER BY seq) AS earlier FROM df_history WHERE instance_id = 'susp again') h;
-- status 409 tells one from the other, and leaves nothing behind
SELECT df_start_singleton('susp_wait', 'susp twice');
SELECT error_of($$ SELECT df_resume('susp twice') $$);
SELECT df_suspend('susp twice');
SELECT error_of($$ SELECT df_suspend('susp twice') $$);
SELECT * FROM susp_story('susp twice');
-- a long reason is kept
SELECT df_resume('susp twice', repeat('x', 10000));
SELECT length(input #>> '{}') FROM df_history WHERE instance_id = 'susp twice' AND event_type = 'ExecutionResumed';
SELECT df_suspend('susp twice');

-- terminated while suspended
SELECT df_raise_event('susp twice', 'go');
SELECT df_terminate('susp twice', 'enough');
SELECT * FROM susp_show('susp twice');
SELECT error_of($$ SELECT df_resume('susp twice') $$);
CALL df_run();
SELECT status, output FROM susp_show('susp twice');
SELECT event_type FROM susp_story('susp twice');
-- started over: in vain, unless the start terminates
SELECT df_start_singleton('susp_wait', 'susp over', '"1 hour"');
CALL df_run();
SELECT df_suspend('susp over');
SELECT df_start_singleton('susp_three', 'susp over');
SELECT error_of($$ SELECT df_start_singleton('susp_three', 'susp over', on_conflict => 'error') $$);
SELECT error_of($$ SELECT df_start_new('susp_three', 'susp over') $$);
SELECT error_of($$ SELECT df_start_singleton('susp_three', 'susp over', reuse => '{Suspended}') $$);
SELECT * FROM susp_show('susp over');
SELECT df_start_singleton('susp_three', 'susp over', on_conflict => 'terminate');
SELECT * FROM susp_show('susp over');
SELECT runtime_status, input, custom_status FROM df_executions WHERE instance_id = 'susp over';
CALL df_run();
SELECT * FROM susp_show('susp over');
TRUNCATE susp_log;

-- the new execution of continue-as-new is as suspendable, and events go along
CREATE FUNCTION susp_round(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	input := input || df_wait_for_external_event('item');
	IF jsonb_array_length(input) < 3 THEN
		PERFORM df_continue_as_new(input);
		RETURN NULL;
	END IF;
	RETURN input;
END $$;
SELECT df_start_singleton('susp_round', 'susp round', '[]');
CALL df_run();
SELECT df_raise_event('susp round', 'item', '1');
CALL df_run();
SELECT df_suspend('susp round', 'in the second turn');
SELECT df_raise_event('susp round', 'item', '2');
SELECT df_raise_event('susp round', 'item', '3');
CALL df_run();
SELECT * FROM susp_show('susp round');
SELECT input FROM df_get_status('susp round');
SELECT df_resume('susp round');
SELECT status FROM susp_show('susp round');
CALL df_run();
SELECT * FROM susp_show('susp round');
-- a turn that has not begun yet is Running, for its instance has
CREATE FUNCTION susp_turn(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input = '1' THEN
		PERFORM df_continue_as_new('2');
	END IF;
	RETURN input;
END $$;
SELECT df_start_singleton('susp_turn', 'susp turn', '1');
CALL df_run(1);
SELECT df_suspend('susp turn');
SELECT df_resume('susp turn');
SELECT input, runtime_status FROM df_get_status('susp turn');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('susp turn');

-- all of it in one transaction
BEGIN;
SELECT df_start_singleton('susp_wait', 'susp at once');
SELECT df_suspend('susp at once', 'born suspended');
SELECT df_raise_event('susp at once', 'go', '"early"');
SELECT status FROM susp_show('susp at once');
COMMIT;
CALL df_run();
SELECT * FROM susp_show('susp at once');
SELECT what FROM susp_log;
BEGIN;
SELECT df_resume('susp at once');
SELECT df_suspend('susp at once');
SELECT df_resume('susp at once');
COMMIT;
CALL df_run();
SELECT * FROM susp_show('susp at once');
TRUNCATE susp_log;

-- by itself: the activity that does it ends, and nothing comes after it until
-- the resume
CREATE FUNCTION susp_me(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_suspend(input #>> '{}', 'by itself');
	RETURN NULL;
END $$;
CREATE FUNCTION susp_self(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('susp_me', to_jsonb(df_instance_id()));
	RETURN df_call_activity('susp_log', '"after"');
END $$;
SELECT df_start_singleton('susp_self', 'susp self');
CALL df_run();
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate FROM df_get_status('susp self');
SELECT what FROM susp_log;
SELECT * FROM susp_story('susp self');
SELECT df_resume('susp self');
CALL df_run();
SELECT runtime_status, output FROM df_get_status('susp self');
SELECT what FROM susp_log;
TRUNCATE susp_log;
-- another one, in an activity, does
CREATE FUNCTION susp_another(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_activity('susp_me', input);
END $$;
SELECT df_start_singleton('susp_wait', 'susp victim');
CALL df_run();
SELECT df_start_singleton('susp_another', 'susp by another', '"susp victim"');
CALL df_run();
SELECT status FROM susp_show('susp by another');
SELECT status FROM susp_show('susp victim');
SELECT event_type, input FROM susp_story('susp victim') WHERE event_type LIKE '%Suspended';
SELECT df_terminate('susp victim');

-- a wait for the completion of a suspended one answers with what it is
SELECT df_start_singleton('susp_wait', 'susp awaited');
SELECT df_suspend('susp awaited');
SELECT runtime_status FROM df_wait_for_completion('susp awaited', '10 ms');
SELECT df_terminate('susp awaited');

\set ECHO none
\i sql/workers_on.inc
\set ECHO all
-- with workers: a resume wakes them, a suspended one does not
SELECT df_start_singleton('susp_wait', 'susp workers');
SELECT df_start_singleton('susp_three', 'susp workers 2');
SELECT runtime_status FROM df_wait_for_completion('susp workers 2');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'susp workers') $$);
SELECT df_suspend('susp workers');
SELECT df_raise_event('susp workers', 'go', '"went"');
SELECT df_start_singleton('susp_three', 'susp workers 2');
SELECT runtime_status FROM df_wait_for_completion('susp workers 2');
SELECT * FROM susp_show('susp workers');
SELECT df_resume('susp workers');
SELECT runtime_status, output FROM df_wait_for_completion('susp workers');

DROP TABLE susp_log;
DROP FUNCTION susp_log, susp_three, susp_wait, susp_timer, susp_show, susp_story, susp_round, susp_turn, susp_me, susp_self, susp_another;
