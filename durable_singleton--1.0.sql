-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION durable_singleton" to load this file. \quit

-- Whoever may create objects in the target schema could plant an operator
-- there that fits better than PostgreSQL's own: nothing is looked up in it.
SET LOCAL search_path = pg_catalog, pg_temp;

-- ---------------------------------------------------------------------------
-- Types
-- ---------------------------------------------------------------------------

CREATE TYPE @extschema@.df_runtime_status AS ENUM (
	'Pending', 'Running', 'Suspended',			-- active
	'Completed', 'Failed', 'Terminated',		-- ended
	'ContinuedAsNew',							-- only past executions
	'Canceled');								-- reserved

COMMENT ON TYPE @extschema@.df_runtime_status IS
	'status of an orchestration, in the spelling of Durable Functions';

CREATE TYPE @extschema@.df_status AS (
	name text,
	instance_id text,
	execution_id uuid,
	runtime_status @extschema@.df_runtime_status,
	input jsonb,
	custom_status jsonb,
	output jsonb,
	failure jsonb,
	created_time timestamptz,
	last_updated_time timestamptz,
	history jsonb);

COMMENT ON TYPE @extschema@.df_status IS 'what df_get_status and the waits return';

-- ---------------------------------------------------------------------------
-- Tables: the truth.  Nobody but the extension's owner touches them; every
-- statement on them stands in src/statements.c.
-- ---------------------------------------------------------------------------

CREATE SCHEMA durable_singleton;
COMMENT ON SCHEMA durable_singleton IS 'tables of the extension durable_singleton';

-- The identity of the database whose workers may run what these tables hold.
-- A restored or cloned database finds a row here that is not its own and
-- stays paused until df_adopt_database().
CREATE TABLE durable_singleton.home (
	system_identifier bigint NOT NULL,
	database_oid oid NOT NULL);

-- One row an instance id: its present execution.
CREATE TABLE durable_singleton.instance (
	created_time timestamptz NOT NULL,
	last_updated_time timestamptz NOT NULL,
	-- when a worker should look at the instance; NULL: only when told to
	ready_time timestamptz,
	-- clock of the execution's first turn, recorded with its first step
	start_clock timestamptz,
	-- when the wait ends by itself (timer, time-out of an event)
	wait_fire_at timestamptz,
	wait_since timestamptz,
	owner regrole NOT NULL,
	status @extschema@.df_runtime_status NOT NULL,
	-- number of committed steps of the execution: the fence of the next one
	turn int NOT NULL,
	-- number of rows in history of the execution
	history_length int NOT NULL,
	-- short stamp of the home database, see table home
	home int NOT NULL,
	execution_id uuid NOT NULL,
	-- survives continue-as-new, changes at a new start; the inbox goes by it
	run_id uuid NOT NULL,
	-- kind of the durable wait (see history.kind), NULL while not waiting
	wait_kind "char",
	instance_id text COLLATE "C" NOT NULL,
	-- the orchestrator's name as the start gave it, and the schema it was found in
	name text NOT NULL,
	function_schema text NOT NULL,
	wait_name text,
	wait_default jsonb,
	parent_instance_id text COLLATE "C",
	input jsonb,
	custom_status jsonb,
	output jsonb,
	failure jsonb,
	CONSTRAINT instance_pkey PRIMARY KEY (instance_id)
) WITH (fillfactor = 85);

-- what workers and the janitor find when a hint was lost
CREATE INDEX instance_ready ON durable_singleton.instance
	(owner, ready_time, instance_id) WHERE ready_time IS NOT NULL;

-- One row a finished durable operation of an orchestrator, in program order.
CREATE TABLE durable_singleton.history (
	scheduled_time timestamptz NOT NULL,
	event_time timestamptz NOT NULL,
	fire_at timestamptz,
	execution_id uuid NOT NULL,
	seq int NOT NULL,
	-- a: activity, t: timer, e: external event, r: recorded value
	kind "char" NOT NULL CHECK (kind IN ('a', 't', 'e', 'r')),
	-- c: completed, f: failed, t: timed out
	outcome "char" NOT NULL CHECK (outcome IN ('c', 'f', 't')),
	name text,
	input jsonb,
	result jsonb,
	failure jsonb,
	CONSTRAINT history_pkey PRIMARY KEY (execution_id, seq));

-- What others tell a running instance.  Written by INSERT only, so that no
-- sender ever waits for the instance's row; taken by the instance's own step.
CREATE TABLE durable_singleton.inbox (
	id bigint GENERATED ALWAYS AS IDENTITY,
	sent_time timestamptz NOT NULL,
	run_id uuid NOT NULL,
	-- e: external event
	kind "char" NOT NULL CHECK (kind IN ('e')),
	instance_id text COLLATE "C" NOT NULL,
	name text NOT NULL,
	data jsonb,
	CONSTRAINT inbox_pkey PRIMARY KEY (run_id, id));

-- Past executions of the ids.
CREATE TABLE durable_singleton.execution (
	created_time timestamptz NOT NULL,
	last_updated_time timestamptz NOT NULL,
	owner regrole NOT NULL,
	status @extschema@.df_runtime_status NOT NULL,
	history_length int NOT NULL,
	execution_id uuid NOT NULL,
	instance_id text COLLATE "C" NOT NULL,
	name text NOT NULL,
	parent_instance_id text COLLATE "C",
	input jsonb,
	custom_status jsonb,
	output jsonb,
	failure jsonb,
	CONSTRAINT execution_pkey PRIMARY KEY (instance_id, execution_id));

INSERT INTO durable_singleton.home
	SELECT s.system_identifier, d.oid
	FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d
	WHERE d.datname = pg_catalog.current_database();

SELECT pg_catalog.pg_extension_config_dump('durable_singleton.home', '');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.instance', '');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.history', '');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.inbox', '');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.inbox_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.execution', '');

-- ---------------------------------------------------------------------------
-- Functions for clients
-- ---------------------------------------------------------------------------

CREATE FUNCTION @extschema@.df_start_singleton(function_name text, instance_id text,
	input jsonb DEFAULT NULL, on_conflict text DEFAULT 'skip',
	reuse @extschema@.df_runtime_status[] DEFAULT '{Completed,Failed,Terminated}',
	start_at timestamptz DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'ds_start_singleton'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_start_singleton IS
	'starts the orchestrator under this id unless an active instance holds it; true: this call started it';

CREATE FUNCTION @extschema@.df_start_new(function_name text, instance_id text DEFAULT NULL,
	input jsonb DEFAULT NULL, start_at timestamptz DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'ds_start_new'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_start_new IS
	'starts a new instance and returns its id; error SD409 when the id is active';

CREATE FUNCTION @extschema@.df_get_status(instance_id text,
	show_history boolean DEFAULT false,
	show_history_output boolean DEFAULT false,
	show_input boolean DEFAULT true)
RETURNS SETOF @extschema@.df_status
AS 'MODULE_PATHNAME', 'ds_get_status'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION @extschema@.df_get_status IS
	'present status of an instance; an end is reported only once it is durable';

CREATE FUNCTION @extschema@.df_wait_for_completion(instance_id text,
	timeout interval DEFAULT '30 s')
RETURNS SETOF @extschema@.df_status
AS 'MODULE_PATHNAME', 'ds_wait_for_completion'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION @extschema@.df_wait_for_completion IS
	'waits until the instance ends; the present status on time-out';

CREATE FUNCTION @extschema@.df_wait_for_any(instance_ids text[],
	timeout interval DEFAULT '30 s')
RETURNS SETOF @extschema@.df_status
AS 'MODULE_PATHNAME', 'ds_wait_for_any'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION @extschema@.df_wait_for_any IS
	'waits until one of the instances ends and returns those that have; on time-out the present status of all';

CREATE PROCEDURE @extschema@.df_wait(instance_id text, timeout interval DEFAULT NULL,
	INOUT status jsonb DEFAULT NULL)
AS 'MODULE_PATHNAME', 'ds_wait'
LANGUAGE C;
COMMENT ON PROCEDURE @extschema@.df_wait IS
	'waits until the instance ends without holding a snapshot';

CREATE FUNCTION @extschema@.df_raise_event(instance_id text, event_name text,
	event_data jsonb DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'ds_raise_event'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_raise_event IS
	'sends an event to an active instance, which keeps it until it waits for it';

CREATE FUNCTION @extschema@.df_terminate(instance_id text, reason text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'ds_terminate'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_terminate IS
	'ends an active instance; a step that is executing is interrupted and undone';

CREATE PROCEDURE @extschema@.df_run(max_steps int DEFAULT NULL)
AS 'MODULE_PATHNAME', 'ds_run'
LANGUAGE C;
COMMENT ON PROCEDURE @extschema@.df_run IS
	'runs the caller''s own ready instances in this session';

-- ---------------------------------------------------------------------------
-- Functions for orchestrators
-- ---------------------------------------------------------------------------

CREATE FUNCTION @extschema@.df_call_activity(function_name text, input jsonb DEFAULT NULL,
	retry jsonb DEFAULT NULL)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'ds_call_activity'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_call_activity IS
	'runs an activity in a transaction of its own and returns its result';

CREATE FUNCTION @extschema@.df_create_timer(delay interval DEFAULT NULL,
	fire_at timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'ds_create_timer'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_create_timer IS
	'durable timer: waits for a time span or until a point in time';

CREATE FUNCTION @extschema@.df_wait_for_external_event(event_name text,
	timeout interval DEFAULT NULL, default_value jsonb DEFAULT NULL)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'ds_wait_for_external_event'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_wait_for_external_event IS
	'waits for an event and returns its data; the default value on time-out';

CREATE FUNCTION @extschema@.df_continue_as_new(input jsonb,
	preserve_unprocessed_events boolean DEFAULT true)
RETURNS void
AS 'MODULE_PATHNAME', 'ds_continue_as_new'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_continue_as_new IS
	'ends this execution and begins the next one of the same instance with a new input';

CREATE FUNCTION @extschema@.df_record(value jsonb)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'ds_record'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_record IS
	'records a value on the first pass and returns the recorded one at replays';

CREATE FUNCTION @extschema@.df_set_custom_status(custom_status jsonb)
RETURNS void
AS 'MODULE_PATHNAME', 'ds_set_custom_status'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_set_custom_status IS
	'sets the custom status that df_get_status shows';

CREATE FUNCTION @extschema@.df_current_utc_datetime()
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'ds_current_utc_datetime'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_current_utc_datetime IS
	'the clock of the orchestration: the same at each replay, never going back';

CREATE FUNCTION @extschema@.df_new_guid()
RETURNS uuid
AS 'MODULE_PATHNAME', 'ds_new_guid'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_new_guid IS 'a new uuid, the same at each replay';

CREATE FUNCTION @extschema@.df_is_replaying()
RETURNS boolean
AS 'MODULE_PATHNAME', 'ds_is_replaying'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_is_replaying IS
	'true while the orchestrator passes through steps that are already in its history';

CREATE FUNCTION @extschema@.df_instance_id()
RETURNS text
AS 'MODULE_PATHNAME', 'ds_instance_id'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_instance_id IS 'id of the instance that calls it';

CREATE FUNCTION @extschema@.df_execution_id()
RETURNS uuid
AS 'MODULE_PATHNAME', 'ds_execution_id'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_execution_id IS 'id of the execution that calls it';

-- ---------------------------------------------------------------------------
-- What the views are made of
-- ---------------------------------------------------------------------------

CREATE FUNCTION durable_singleton.access_level(owner regrole)
RETURNS int
AS 'MODULE_PATHNAME', 'ds_access_level'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1;
COMMENT ON FUNCTION durable_singleton.access_level IS
	'what the current user may see of this owner''s instances: 0 nothing, 1 all but payloads, 2 all';

CREATE FUNCTION durable_singleton.is_executing(execution_id uuid)
RETURNS boolean
AS 'MODULE_PATHNAME', 'ds_is_executing_execution'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED COST 1;
COMMENT ON FUNCTION durable_singleton.is_executing IS
	'true while a worker executes a step of this execution';

CREATE FUNCTION durable_singleton.workers(OUT pid int, OUT database_oid oid,
	OUT role_oid oid, OUT instance_id text, OUT function_name text,
	OUT step_start timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ds_workers'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE FUNCTION durable_singleton.request_visit()
RETURNS void
AS 'MODULE_PATHNAME', 'ds_request_visit'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION durable_singleton.request_visit IS
	'asks the launcher to look into this database once the transaction has committed';
REVOKE ALL ON FUNCTION durable_singleton.request_visit() FROM PUBLIC;

-- Present and past executions under one roof.
CREATE VIEW durable_singleton.any_execution AS
	SELECT instance_id, execution_id, owner, name, status, created_time,
		last_updated_time, history_length, input, output, failure,
		wait_kind, wait_name, wait_since, wait_fire_at
	FROM durable_singleton.instance
	UNION ALL
	SELECT instance_id, execution_id, owner, name, status, created_time,
		last_updated_time, history_length, input, output, failure,
		NULL, NULL, NULL, NULL
	FROM durable_singleton.execution;

-- An execution told as a story.  A stored operation n makes up to two events,
-- 2n - 1 (scheduled) and 2n (ended); the first and the last event are derived
-- from the execution itself.
CREATE VIEW durable_singleton.event AS
	SELECT e.instance_id, e.execution_id, e.owner, 0 AS seq,
		'ExecutionStarted' AS event_type, e.created_time AS event_time,
		e.name, e.input, NULL::jsonb AS result, NULL::jsonb AS failure,
		NULL::timestamptz AS scheduled_time, NULL::timestamptz AS fire_at,
		e.status
	FROM durable_singleton.any_execution e
	UNION ALL
	SELECT e.instance_id, e.execution_id, e.owner, 2 * h.seq - 1,
		CASE h.kind WHEN 'a' THEN 'TaskScheduled' ELSE 'TimerCreated' END,
		h.scheduled_time, h.name, h.input, NULL, NULL, NULL, h.fire_at,
		e.status
	FROM durable_singleton.any_execution e
		JOIN durable_singleton.history h ON h.execution_id = e.execution_id
	WHERE h.kind = 'a' OR h.fire_at IS NOT NULL
	UNION ALL
	SELECT e.instance_id, e.execution_id, e.owner, 2 * h.seq,
		CASE
			WHEN h.kind = 'a' AND h.outcome = 'c' THEN 'TaskCompleted'
			WHEN h.kind = 'a' THEN 'TaskFailed'
			WHEN h.kind = 'e' AND h.outcome = 'c' THEN 'EventRaised'
			WHEN h.kind = 'r' THEN 'GenericEvent'
			ELSE 'TimerFired'
		END,
		h.event_time, h.name, NULL, h.result, h.failure, h.scheduled_time,
		h.fire_at, e.status
	FROM durable_singleton.any_execution e
		JOIN durable_singleton.history h ON h.execution_id = e.execution_id
	UNION ALL
	SELECT e.instance_id, e.execution_id, e.owner, 2 * e.history_length + 1,
		'TimerCreated', e.wait_since, e.wait_name, NULL, NULL, NULL, NULL,
		e.wait_fire_at, e.status
	FROM durable_singleton.any_execution e
	WHERE e.wait_fire_at IS NOT NULL
	UNION ALL
	SELECT e.instance_id, e.execution_id, e.owner, 2 * e.history_length + 2,
		CASE e.status WHEN 'Terminated' THEN 'ExecutionTerminated'
			ELSE 'ExecutionCompleted' END,
		e.last_updated_time, e.name, NULL, e.output, e.failure, NULL, NULL,
		e.status
	FROM durable_singleton.any_execution e
	WHERE e.status IN ('Completed', 'Failed', 'Terminated');

-- ---------------------------------------------------------------------------
-- Views for users: a row is for members of its owner role, superusers and
-- pg_read_all_data; pg_monitor sees rows without payloads.
-- ---------------------------------------------------------------------------

CREATE VIEW @extschema@.df_instances WITH (security_barrier) AS
	SELECT i.name, i.instance_id,
		i.execution_id,
		CASE WHEN i.status = 'Pending'
				AND durable_singleton.is_executing(i.execution_id)
			THEN 'Running' ELSE i.status END AS runtime_status,
		CASE WHEN a.level = 2 THEN i.input END AS input,
		CASE WHEN a.level = 2 THEN i.custom_status END AS custom_status,
		CASE WHEN a.level = 2 THEN i.output END AS output,
		CASE WHEN a.level = 2 THEN i.failure END AS failure,
		i.created_time, i.last_updated_time, i.owner,
		i.parent_instance_id,
		CASE i.wait_kind WHEN 't' THEN 'timer'
			WHEN 'e' THEN 'event ' || i.wait_name END AS waiting_for,
		CASE WHEN i.wait_kind IS NOT NULL THEN i.wait_fire_at
			WHEN i.status = 'Pending' AND i.ready_time > i.created_time
			THEN i.ready_time END AS next_wake_time
	FROM durable_singleton.instance i,
		LATERAL (SELECT durable_singleton.access_level(i.owner) AS level) a
	WHERE a.level > 0;
COMMENT ON VIEW @extschema@.df_instances IS 'present execution of every instance';

CREATE VIEW @extschema@.df_history WITH (security_barrier) AS
	SELECT e.instance_id, e.execution_id, e.seq, e.event_type, e.event_time,
		e.name,
		CASE WHEN a.level = 2 THEN e.input END AS input,
		CASE WHEN a.level = 2 THEN e.result END AS result,
		CASE WHEN a.level = 2 THEN e.failure END AS failure
	FROM durable_singleton.event e,
		LATERAL (SELECT durable_singleton.access_level(e.owner) AS level) a
	WHERE a.level > 0;
COMMENT ON VIEW @extschema@.df_history IS 'history events of present and past executions';

CREATE VIEW @extschema@.df_executions WITH (security_barrier) AS
	SELECT x.name, x.instance_id, x.execution_id,
		x.status AS runtime_status,
		CASE WHEN a.level = 2 THEN x.input END AS input,
		CASE WHEN a.level = 2 THEN x.custom_status END AS custom_status,
		CASE WHEN a.level = 2 THEN x.output END AS output,
		CASE WHEN a.level = 2 THEN x.failure END AS failure,
		x.created_time, x.last_updated_time, x.owner, x.parent_instance_id
	FROM durable_singleton.execution x,
		LATERAL (SELECT durable_singleton.access_level(x.owner) AS level) a
	WHERE a.level > 0;
COMMENT ON VIEW @extschema@.df_executions IS
	'past executions of the ids, archived when a new one replaced them';

CREATE VIEW @extschema@.df_stat_workers AS
	SELECT w.pid, d.datname AS database,
		pg_catalog.pg_get_userbyid(w.role_oid) AS role,
		w.instance_id, w.function_name, w.step_start
	FROM durable_singleton.workers() w
		LEFT JOIN pg_catalog.pg_database d ON d.oid = w.database_oid;
COMMENT ON VIEW @extschema@.df_stat_workers IS 'a row for every background worker that runs instances';

-- ---------------------------------------------------------------------------
-- Administration
-- ---------------------------------------------------------------------------

CREATE FUNCTION @extschema@.df_adopt_database()
RETURNS void
AS 'MODULE_PATHNAME', 'ds_adopt_database'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_adopt_database IS
	'makes a restored or cloned database the home of its instances, so that its workers run them';

-- Everything an application role needs: the functions for clients and the
-- views.  What administers the extension itself stays with its owner.
CREATE FUNCTION durable_singleton.usage_command(verb text, role name)
RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT CASE verb
			WHEN 'GRANT' THEN pg_catalog.format('GRANT %s TO %I', o.what, role)
			ELSE pg_catalog.format('REVOKE %s FROM %I', o.what, role)
		END
	FROM (
		SELECT CASE p.prokind
				WHEN 'p' THEN 'EXECUTE ON PROCEDURE '
				ELSE 'EXECUTE ON FUNCTION '
			END || p.oid::regprocedure::text AS what
		FROM pg_catalog.pg_proc p
			JOIN pg_catalog.pg_depend d ON d.objid = p.oid
				AND d.classid = 'pg_catalog.pg_proc'::regclass
				AND d.deptype = 'e'
			JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
				AND d.refclassid = 'pg_catalog.pg_extension'::regclass
		WHERE x.extname = 'durable_singleton'
			AND p.pronamespace = x.extnamespace
			AND p.proname LIKE 'df\_%'
			AND p.proname NOT IN ('df_adopt_database', 'df_grant_usage',
				'df_revoke_usage')
		UNION ALL
		SELECT 'SELECT ON ' || c.oid::regclass::text
		FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_depend d ON d.objid = c.oid
				AND d.classid = 'pg_catalog.pg_class'::regclass
				AND d.deptype = 'e'
			JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
				AND d.refclassid = 'pg_catalog.pg_extension'::regclass
		WHERE x.extname = 'durable_singleton'
			AND c.relnamespace = x.extnamespace AND c.relkind = 'v'
		UNION ALL
		SELECT 'USAGE ON SCHEMA ' || n.oid::regnamespace::text
		FROM pg_catalog.pg_namespace n
			JOIN pg_catalog.pg_extension x ON x.extnamespace = n.oid
		WHERE x.extname = 'durable_singleton'
			AND NOT pg_catalog.has_schema_privilege('public', n.oid, 'USAGE')
	) o;
END;
REVOKE ALL ON FUNCTION durable_singleton.usage_command(text, name) FROM PUBLIC;

CREATE FUNCTION @extschema@.df_grant_usage(role name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	command text;
BEGIN
	FOR command IN SELECT durable_singleton.usage_command('GRANT', role) LOOP
		EXECUTE command;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.df_grant_usage IS
	'lets a role start, watch and steer orchestrations of its own';

CREATE FUNCTION @extschema@.df_revoke_usage(role name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	command text;
BEGIN
	FOR command IN SELECT durable_singleton.usage_command('REVOKE', role) LOOP
		EXECUTE command;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.df_revoke_usage IS 'takes back what df_grant_usage granted';

-- The functions for orchestrators refuse to work anywhere else, so everybody
-- may have them.  All others are granted by df_grant_usage.
REVOKE ALL ON FUNCTION
	@extschema@.df_start_singleton(text, text, jsonb, text, @extschema@.df_runtime_status[], timestamptz),
	@extschema@.df_start_new(text, text, jsonb, timestamptz),
	@extschema@.df_get_status(text, boolean, boolean, boolean),
	@extschema@.df_wait_for_completion(text, interval),
	@extschema@.df_wait_for_any(text[], interval),
	@extschema@.df_raise_event(text, text, jsonb),
	@extschema@.df_terminate(text, text),
	@extschema@.df_adopt_database(),
	@extschema@.df_grant_usage(name),
	@extschema@.df_revoke_usage(name)
FROM PUBLIC;
REVOKE ALL ON PROCEDURE @extschema@.df_wait(text, interval, jsonb), @extschema@.df_run(int) FROM PUBLIC;

SELECT durable_singleton.request_visit();
