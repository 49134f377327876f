-- Edge cases of the orchestration model: code that changes between failure and
-- rewind, ids shared by roles and generations, ends near continue-as-new, many
-- events near timers that are always due.
\set ECHO none
\i sql/helpers.inc
\set ECHO all

-- mended code that waits before it comes to the task that failed
CREATE FUNCTION edge_bad(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'edge'; END $$;
CREATE FUNCTION edge_early(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	s int := df_schedule_event('go');
	a int := df_schedule_activity('edge_bad', '"input"');
BEGIN
	RETURN df_await(a);
END $$;
SELECT df_start_singleton('edge_early', 'edge early');
SELECT runtime_status, failure ->> 'message' AS message FROM df_wait_for_completion('edge early');
CREATE OR REPLACE FUNCTION edge_early(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	s int := df_schedule_event('go');
	a int;
BEGIN
	PERFORM df_await(s);
	a := df_schedule_activity('edge_bad', '"input"');
	RETURN df_await(a);
END $$;
CREATE OR REPLACE FUNCTION edge_bad(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
SELECT df_rewind('edge early');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'edge early') $$);
SELECT df_raise_event('edge early', 'go');
SELECT runtime_status, output FROM df_wait_for_completion('edge early');

-- a restart runs as the role that the instance belongs to, whoever calls
CREATE ROLE regress_ds_edge LOGIN;
SELECT df_grant_usage('regress_ds_edge');
CREATE FUNCTION edge_who(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(current_user) $$;
SET SESSION AUTHORIZATION regress_ds_edge;
SELECT df_start_singleton('edge_who', 'edge who');
SELECT output FROM df_wait_for_completion('edge who');
RESET SESSION AUTHORIZATION;
SELECT df_restart('edge who', false);
SELECT output FROM df_wait_for_completion('edge who');
SELECT owner FROM df_instances WHERE instance_id = 'edge who';

-- whoever takes over the id of a purged parent cannot purge its children
CREATE FUNCTION edge_kid(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN df_wait_for_external_event('go'); END $$;
CREATE FUNCTION edge_parent(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN to_jsonb(df_schedule_sub_orchestrator('edge_kid', NULL, 'edge precious'));
END $$;
SELECT df_start_singleton('edge_parent', 'edge parent');
SELECT runtime_status FROM df_wait_for_completion('edge parent');
SELECT df_purge('edge parent');
SELECT df_raise_event('edge precious', 'go', '"kept"');
SELECT output FROM df_wait_for_completion('edge precious');
SET SESSION AUTHORIZATION regress_ds_edge;
SELECT df_start_singleton('edge_who', 'edge parent');
SELECT runtime_status FROM df_wait_for_completion('edge parent');
SELECT df_purge('edge parent');
RESET SESSION AUTHORIZATION;
SELECT output FROM df_get_status('edge precious');

-- children that are scheduled just before continue-as-new begin
CREATE FUNCTION edge_one(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '1'::jsonb $$;
CREATE FUNCTION edge_turns(n int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF n > 0 THEN
		PERFORM df_schedule_sub_orchestrator('edge_one', NULL, 'edge turn ' || n);
		PERFORM df_continue_as_new(jsonb_build_object('n', n - 1));
	END IF;
	RETURN '"done"';
END $$;
SELECT df_start_singleton('edge_turns', 'edge turns', '{"n": 3}');
SELECT output FROM df_wait_for_completion('edge turns');
SELECT i, runtime_status FROM generate_series(1, 3) i, LATERAL df_wait_for_completion('edge turn ' || i);

-- an orchestrator cannot suspend itself, its activity can
CREATE FUNCTION edge_suspends(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM df_suspend(df_instance_id()); RETURN '1'; END $$;
SELECT df_start_singleton('edge_suspends', 'edge suspends');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('edge suspends');
CREATE FUNCTION edge_suspend(id text) RETURNS void LANGUAGE sql AS $$ SELECT df_suspend(id) $$;
CREATE FUNCTION edge_is_suspended(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('edge_suspend', jsonb_build_object('id', df_instance_id()));
	RETURN '"resumed"';
END $$;
SELECT df_start_singleton('edge_is_suspended', 'edge is suspended');
CALL until($$ (SELECT runtime_status = 'Suspended' FROM df_instances WHERE instance_id = 'edge is suspended') $$);
SELECT df_resume('edge is suspended');
SELECT output FROM df_wait_for_completion('edge is suspended');

-- children that continue as new without their events end with their parent
CREATE FUNCTION edge_eternal(n int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('edge_one');
	PERFORM df_continue_as_new(jsonb_build_object('n', n + 1), false);
	RETURN NULL;
END $$;
CREATE FUNCTION edge_parents(id text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_schedule_sub_orchestrator('edge_eternal', '{"n": 0}', id || ' kid');
	RETURN df_wait_for_external_event('never');
END $$;
SELECT count(df_start_singleton('edge_parents', 'edge family ' || i, jsonb_build_object('id', 'edge family ' || i))) FROM generate_series(1, 40) i;
CALL until($$ (SELECT count(*) = 80 FROM df_instances WHERE instance_id LIKE 'edge family %' AND runtime_status = 'Running') $$);
SELECT count(*) FROM (SELECT df_terminate('edge family ' || i) FROM generate_series(1, 40) i) t;
CALL until($$ (SELECT count(*) = 80 FROM df_instances WHERE instance_id LIKE 'edge family %' AND runtime_status = 'Terminated') $$);

-- a thousand events of one transaction arrive, though timers are due all the time
CREATE FUNCTION edge_listens(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN df_wait_for_external_event('go'); END $$;
CREATE FUNCTION edge_ticks(n int) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('2 ms');
	PERFORM df_continue_as_new(jsonb_build_object('n', n + 1));
	RETURN NULL;
END $$;
SELECT count(df_start_singleton('edge_listens', 'edge listens ' || i)) FROM generate_series(1, 1000) i;
CALL until($$ (SELECT count(*) = 1000 FROM df_instances WHERE instance_id LIKE 'edge listens %' AND waiting_for = 'event go') $$);
SELECT count(df_start_singleton('edge_ticks', 'edge ticks ' || i, '{"n": 0}')) FROM generate_series(1, 3) i;
BEGIN;
SELECT count(df_start_singleton('edge_one', 'edge one ' || i)) FROM generate_series(1, 1000) i;
SELECT count(*) FROM (SELECT df_raise_event('edge listens ' || i, 'go', '1') FROM generate_series(1, 1000) i) t;
COMMIT;
CALL until($$ (SELECT count(*) = 2000 FROM df_instances WHERE runtime_status = 'Completed' AND (instance_id LIKE 'edge listens %' OR instance_id LIKE 'edge one %')) $$);
SELECT count(*) FROM (SELECT df_terminate('edge ticks ' || i) FROM generate_series(1, 3) i) t;

-- nothing of all this is left open
CALL until($$ NOT EXISTS (SELECT FROM durable_singleton.task t JOIN durable_singleton.instance i USING (instance_id) WHERE instance_id LIKE 'edge%') $$);
SET client_min_messages = warning;
SELECT df_purge_by('-infinity') > 0 AS purged;
SELECT df_revoke_usage('regress_ds_edge');
DROP ROLE regress_ds_edge;
