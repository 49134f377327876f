-- An event that is sent after the deadline of a wait has missed it, no matter
-- how late the deadline is noticed; one that was sent in time has not.  All
-- ways of waiting give the same answer.
\set ECHO none
\i sql/helpers.inc
\i sql/workers_off.inc
\set ECHO all
CREATE FUNCTION dead_call(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT df_wait_for_external_event('Go', '300 ms', '"timed out"') $$;
CREATE FUNCTION dead_task(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT df_await(df_schedule_event('Go', '300 ms', '"timed out"')) $$;
CREATE FUNCTION dead_all(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT df_wait_all(ARRAY[df_schedule_event('Go', '300 ms', '"timed out"')]) -> 0 $$;
CREATE FUNCTION dead_any(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT df_await(df_wait_any(ARRAY[df_schedule_event('Go', '300 ms', '"timed out"')])) $$;
CREATE FUNCTION dead_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[] := ARRAY[df_schedule_event('Go'), df_schedule_timer('300 ms')];
BEGIN
	RETURN coalesce(df_await(df_wait_any(tasks)), '"timed out"');
END $$;
-- what was too late is there for the next wait
CREATE FUNCTION dead_next(input jsonb) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT jsonb_build_array(df_wait_for_external_event('Go', '300 ms', '"timed out"'), df_wait_for_external_event('go')) $$;
CREATE TABLE dead_way (way text);
INSERT INTO dead_way VALUES ('call'), ('task'), ('all'), ('any'), ('timer'), ('next');
CREATE VIEW dead_result AS
	SELECT instance_id, runtime_status, output FROM df_instances WHERE instance_id LIKE 'dead %' ORDER BY instance_id COLLATE "C";

-- no worker runs while the deadline passes
SELECT count(df_start_new('dead_' || way, 'dead late ' || way)) FROM dead_way;
SELECT count(df_start_new('dead_' || way, 'dead in time ' || way)) FROM dead_way;
-- suspended
SELECT count(df_start_new('dead_' || way, 'dead suspended ' || way)) FROM dead_way;
CALL df_run();
SELECT count(df_suspend('dead suspended ' || way)) FROM dead_way;
SELECT count(df_raise_event('dead in time ' || way, 'go', '"came"')) FROM dead_way;
CALL until($$ (SELECT count(*) = 0 FROM df_instances WHERE instance_id LIKE 'dead late %' AND next_wake_time >= clock_timestamp()) $$);
SELECT count(df_raise_event('dead late ' || way, 'go', '"came"')) FROM dead_way;
SELECT count(df_raise_event('dead suspended ' || way, 'go', '"came"')) FROM dead_way;
SELECT count(df_resume('dead suspended ' || way)) FROM dead_way;
SELECT df_raise_event('dead in time next', 'go', '"the second"');
CALL df_run();
SELECT * FROM dead_result;
-- an event that has lost the race is left; of two in time the first one counts
SELECT df_start_new('dead_call', 'dead two');
CALL df_run();
SELECT df_raise_event('dead two', 'go', '"first"');
SELECT df_raise_event('dead two', 'go', '"second"');
CALL df_run();
SELECT output FROM df_get_status('dead two');

DROP VIEW dead_result;
DROP TABLE dead_way;
DROP FUNCTION dead_call, dead_task, dead_all, dead_any, dead_timer, dead_next;
\i sql/workers_on.inc
