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
-- statement on them stands in src/store/statements.c.
-- ---------------------------------------------------------------------------

CREATE SCHEMA durable_singleton;
COMMENT ON SCHEMA durable_singleton IS 'tables of the extension durable_singleton';

-- The identity of the database whose workers may run what these tables hold.
-- A restored or cloned database finds a row here that is not its own and
-- stays paused until df_adopt_database().
CREATE TABLE durable_singleton.home (
	system_identifier bigint NOT NULL,
	database_oid oid NOT NULL);

-- df_adopt_database() changes it, also where all tables are published.
ALTER TABLE durable_singleton.home REPLICA IDENTITY FULL;

-- One row an instance id: its present execution.
CREATE TABLE durable_singleton.instance (
	-- What a start writes comes first, and what steps change last: of a new
	-- version of a row, the WAL has only what differs from the old one.
	created_time timestamptz NOT NULL,
	owner regrole NOT NULL,
	-- short stamp of the home database, see table home
	home int NOT NULL,
	execution_id uuid NOT NULL,
	-- the first execution_id of those that continue-as-new has made one of
	-- the other, and NULL in itself; the inbox goes by it
	run_id uuid,
	parent_run_id uuid,
	parent_execution_id uuid,
	-- the task of the parent's that this instance is
	parent_seq int,
	-- how many past executions of the id are kept, NULL: none
	n_archived int,
	instance_id text COLLATE "C" NOT NULL,
	-- the orchestrator's name as the start gave it, and the schema it was found in
	name text NOT NULL,
	function_schema text NOT NULL,
	parent_instance_id text COLLATE "C",
	input jsonb,
	-- NULL: nothing has happened since it was created
	last_updated_time timestamptz,
	-- when a worker should look at the instance; NULL: only when told to
	ready_time timestamptz,
	-- clock of the execution's first turn, recorded with its first step
	start_clock timestamptz,
	-- when the wait ends by itself (timer, time-out of an event, retry)
	wait_fire_at timestamptz,
	wait_since timestamptz,
	-- what ready_time was, while the instance is suspended
	suspended_ready_time timestamptz,
	-- fingerprint of the orchestrator's body, recorded with the first step
	code bigint,
	status @extschema@.df_runtime_status NOT NULL,
	-- number of committed steps of the execution: the fence of the next one
	turn int NOT NULL,
	-- number of durable operations in the history of the execution
	history_length int NOT NULL,
	-- while it waits for tasks: the one whose end is worth a look, or 0: any
	wait_watch int,
	-- kind of the durable wait, NULL while not waiting: t and e as in
	-- history.kind, a: until an activity is tried again, w: for tasks
	wait_kind "char",
	-- clients have left notes in the history of the execution
	noted boolean,
	-- the next step may run again what failed last
	rewinding boolean,
	wait_name text,
	wait_default jsonb,
	wait_tasks int[],
	custom_status jsonb,
	output jsonb,
	failure jsonb,
	CONSTRAINT instance_pkey PRIMARY KEY (instance_id)
) WITH (fillfactor = 85);

-- what workers and the janitor find when a hint was lost
CREATE INDEX instance_ready ON durable_singleton.instance
	(owner, ready_time, instance_id) WHERE ready_time IS NOT NULL;

-- what is waiting for tasks, for the case that the hint of their end was lost
CREATE INDEX instance_awaiting ON durable_singleton.instance
	(owner, instance_id) WHERE wait_watch IS NOT NULL;

-- children by their parent
CREATE INDEX instance_parent ON durable_singleton.instance
	(parent_instance_id) WHERE parent_instance_id IS NOT NULL;

-- What the durable operations of an orchestrator came to; seq counts the
-- operations in program order.  An operation that the orchestrator waited
-- for by itself has a row for every attempt, from 1 on.  One that it
-- scheduled as a task has a row 0, written when it was scheduled, and then
-- its attempts.  Rows are only inserted; a rewind alone changes an outcome.
-- Rows with seq 0 tell, in order of attempt, what clients did to the
-- execution.
CREATE TABLE durable_singleton.history (
	scheduled_time timestamptz NOT NULL,
	event_time timestamptz NOT NULL,
	-- of a timer or a time-out; of a failed attempt, when the next one begins
	fire_at timestamptz,
	execution_id uuid NOT NULL,
	seq int NOT NULL,
	attempt int NOT NULL,
	-- a: activity, t: timer, e: external event, c: child, r: recorded value,
	-- p: patch marker, y: winner of a df_wait_any; of seq 0: s: suspended,
	-- u: resumed, w: rewound
	kind "char" NOT NULL
		CHECK (kind IN ('a', 't', 'e', 'c', 'r', 'p', 'y', 's', 'u', 'w')),
	-- s: scheduled, c: completed, f: failed, t: timed out; and of attempts
	-- that were followed by another: r: by the retry policy, a: automatically,
	-- w: by a rewind
	outcome "char" NOT NULL
		CHECK (outcome IN ('s', 'c', 'f', 't', 'r', 'a', 'w')),
	-- of a task
	parallel boolean NOT NULL,
	name text,
	-- instance id of a child
	child_id text COLLATE "C",
	input jsonb,
	-- of a scheduled event: the value on time-out
	result jsonb,
	failure jsonb,
	CONSTRAINT history_pkey PRIMARY KEY (execution_id, seq, attempt));

-- Open tasks that somebody else than their instance ends: activities to be
-- run, children to end.  Whoever ends one deletes its row, and whoever
-- cancels it does, too: that is the fence of a task.
CREATE TABLE durable_singleton.task (
	-- when a worker should run it; NULL: a child
	ready_time timestamptz,
	-- begin of the first attempt of those that count
	first_time timestamptz,
	owner regrole NOT NULL,
	execution_id uuid NOT NULL,
	seq int NOT NULL,
	-- the attempt to come
	attempt int NOT NULL,
	-- attempts before it that count for its retry policy, and those that
	-- were repeated automatically
	counted int NOT NULL,
	automatic int NOT NULL,
	home int NOT NULL,
	kind "char" NOT NULL CHECK (kind IN ('a', 'c')),
	instance_id text COLLATE "C" NOT NULL,
	name text NOT NULL,
	-- of the code that scheduled it
	search_path text,
	input jsonb,
	retry jsonb,
	CONSTRAINT task_pkey PRIMARY KEY (execution_id, seq));

CREATE INDEX task_ready ON durable_singleton.task
	(owner, ready_time, execution_id, seq) WHERE ready_time IS NOT NULL;

-- What others tell a running instance.  Written by INSERT only, so that no
-- sender ever waits for the instance's row; taken by the instance's own step.
CREATE TABLE durable_singleton.inbox (
	id bigint GENERATED ALWAYS AS IDENTITY,
	sent_time timestamptz NOT NULL,
	run_id uuid NOT NULL,
	-- e: external event, x: the parent was terminated
	kind "char" NOT NULL CHECK (kind IN ('e', 'x')),
	instance_id text COLLATE "C" NOT NULL,
	name text,
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

-- Steps that crashed the process which executed them, and how often in a row.
CREATE TABLE durable_singleton.crash (
	crash_time timestamptz NOT NULL,
	execution_id uuid NOT NULL,
	-- of a task, or 0
	seq int NOT NULL,
	-- how far the execution or the task had come: its turn, its attempt
	progress int NOT NULL,
	crashes int NOT NULL,
	instance_id text COLLATE "C" NOT NULL,
	CONSTRAINT crash_pkey PRIMARY KEY (execution_id, seq));

-- Whoever writes a row makes code run as the owner it names.  Being allowed to
-- write all tables, as pg_write_all_data is, does not include that.
CREATE FUNCTION durable_singleton.refuse_strangers()
RETURNS trigger
AS 'MODULE_PATHNAME', 'ds_refuse_strangers'
LANGUAGE C;
COMMENT ON FUNCTION durable_singleton.refuse_strangers IS
	'lets only the owner of a table, and superusers, change it';

CREATE TRIGGER refuse_strangers
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON durable_singleton.home
	EXECUTE FUNCTION durable_singleton.refuse_strangers();
CREATE TRIGGER refuse_strangers
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON durable_singleton.instance
	EXECUTE FUNCTION durable_singleton.refuse_strangers();
CREATE TRIGGER refuse_strangers
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON durable_singleton.history
	EXECUTE FUNCTION durable_singleton.refuse_strangers();
CREATE TRIGGER refuse_strangers
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON durable_singleton.task
	EXECUTE FUNCTION durable_singleton.refuse_strangers();
CREATE TRIGGER refuse_strangers
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON durable_singleton.inbox
	EXECUTE FUNCTION durable_singleton.refuse_strangers();
CREATE TRIGGER refuse_strangers
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON durable_singleton.execution
	EXECUTE FUNCTION durable_singleton.refuse_strangers();
CREATE TRIGGER refuse_strangers
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON durable_singleton.crash
	EXECUTE FUNCTION durable_singleton.refuse_strangers();

INSERT INTO durable_singleton.home
	SELECT s.system_identifier, d.oid
	FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d
	WHERE d.datname = pg_catalog.current_database();

-- A role that was dropped is a mere number in a dump, and where that is loaded
-- another role may have the number: what it left behind is not dumped.
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.home', '');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.instance',
	'WHERE owner IN (SELECT oid FROM pg_catalog.pg_roles)');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.history',
	'WHERE execution_id IN (SELECT execution_id FROM durable_singleton.instance'
	' WHERE owner IN (SELECT oid FROM pg_catalog.pg_roles) UNION ALL'
	' SELECT execution_id FROM durable_singleton.execution'
	' WHERE owner IN (SELECT oid FROM pg_catalog.pg_roles))');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.task',
	'WHERE owner IN (SELECT oid FROM pg_catalog.pg_roles)');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.inbox',
	'WHERE instance_id IN (SELECT instance_id FROM durable_singleton.instance'
	' WHERE owner IN (SELECT oid FROM pg_catalog.pg_roles))');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.inbox_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.execution',
	'WHERE owner IN (SELECT oid FROM pg_catalog.pg_roles)');
SELECT pg_catalog.pg_extension_config_dump('durable_singleton.crash',
	'WHERE instance_id IN (SELECT instance_id FROM durable_singleton.instance'
	' WHERE owner IN (SELECT oid FROM pg_catalog.pg_roles))');

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

CREATE FUNCTION @extschema@.df_suspend(instance_id text, reason text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'ds_suspend'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_suspend IS
	'holds an active instance: no step of it begins until df_resume';

CREATE FUNCTION @extschema@.df_resume(instance_id text, reason text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'ds_resume'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_resume IS
	'lets a suspended instance go on';

CREATE FUNCTION @extschema@.df_rewind(instance_id text, reason text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'ds_rewind'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_rewind IS
	'lets a failed instance go on from its last good step: what failed runs again';

CREATE FUNCTION @extschema@.df_restart(instance_id text,
	restart_with_new_instance_id boolean DEFAULT true)
RETURNS text
AS 'MODULE_PATHNAME', 'ds_restart'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_restart IS
	'starts the instance''s function with its input again, under a new id or the same one; returns the id';

CREATE FUNCTION @extschema@.df_purge(instance_id text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'ds_purge'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_purge IS
	'removes an ended instance with its history and its ended children; returns how many instances went';

CREATE FUNCTION @extschema@.df_purge_by(created_from timestamptz,
	created_to timestamptz DEFAULT NULL,
	statuses @extschema@.df_runtime_status[] DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'ds_purge_by'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_purge_by IS
	'removes ended instances that were created in that time; returns how many went';

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

CREATE FUNCTION @extschema@.df_retry_policy(max_attempts int,
	first_interval interval DEFAULT '1s',
	backoff_coefficient float8 DEFAULT 1,
	max_interval interval DEFAULT NULL,
	retry_timeout interval DEFAULT NULL,
	retry_on text[] DEFAULT NULL)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'ds_retry_policy'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_retry_policy IS
	'how often and when a failed activity is tried again; retry_on: SQLSTATEs or their classes, null: all';

CREATE FUNCTION @extschema@.df_schedule_activity(function_name text,
	input jsonb DEFAULT NULL, retry jsonb DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'ds_schedule_activity'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_schedule_activity IS
	'starts an activity as a task beside others and returns the task''s number';

CREATE FUNCTION @extschema@.df_schedule_sub_orchestrator(function_name text,
	input jsonb DEFAULT NULL, instance_id text DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'ds_schedule_sub_orchestrator'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_schedule_sub_orchestrator IS
	'starts a child instance as a task and returns the task''s number';

CREATE FUNCTION @extschema@.df_schedule_timer(delay interval DEFAULT NULL,
	fire_at timestamptz DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'ds_schedule_timer'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_schedule_timer IS
	'a durable timer as a task; returns the task''s number';

CREATE FUNCTION @extschema@.df_schedule_event(event_name text,
	timeout interval DEFAULT NULL, default_value jsonb DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'ds_schedule_event'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_schedule_event IS
	'an external event as a task, to be awaited with others; returns the task''s number';

CREATE FUNCTION @extschema@.df_await(task int)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'ds_await'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_await IS
	'waits for a task and returns its result; raises its failure';

CREATE FUNCTION @extschema@.df_wait_all(tasks int[])
RETURNS jsonb
AS 'MODULE_PATHNAME', 'ds_wait_all'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_wait_all IS
	'waits until all tasks have ended and returns the array of their results; raises the first failure';

CREATE FUNCTION @extschema@.df_wait_any(tasks int[])
RETURNS int
AS 'MODULE_PATHNAME', 'ds_wait_any'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_wait_any IS
	'waits until one of the tasks has ended and returns its number';

CREATE FUNCTION @extschema@.df_call_sub_orchestrator(function_name text,
	input jsonb DEFAULT NULL, instance_id text DEFAULT NULL)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'ds_call_sub_orchestrator'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_call_sub_orchestrator IS
	'runs a child instance and returns its output; raises its failure';

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

CREATE FUNCTION @extschema@.df_patched(name text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'ds_patched'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_patched IS
	'true for executions that first pass here with the code that asks: lets one body serve old and new ones';

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

CREATE FUNCTION @extschema@.df_parent_instance_id()
RETURNS text
AS 'MODULE_PATHNAME', 'ds_parent_instance_id'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_parent_instance_id IS
	'id of the instance that called this one as its child, or null';

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

-- The counters in the order of DsCounter in src/hub/statistics.h
CREATE FUNCTION durable_singleton.statistics(OUT database_oid oid,
	OUT instances_started bigint, OUT instances_completed bigint,
	OUT instances_failed bigint, OUT instances_terminated bigint,
	OUT instances_rewound bigint, OUT instances_continued bigint,
	OUT activities_completed bigint, OUT activities_failed bigint,
	OUT activities_retried bigint, OUT passes bigint, OUT steps_undone bigint,
	OUT crashes bigint, OUT due_searches bigint, OUT full_searches bigint,
	OUT hints_lost bigint, OUT queue_depth int, OUT queue_oldest interval,
	OUT search_pending boolean, OUT workers int, OUT workers_busy int,
	OUT sessions_waiting int, OUT histogram_bounds double precision[],
	OUT latency_histogram bigint[], OUT latency_sum double precision,
	OUT activity_histogram bigint[], OUT activity_sum double precision,
	OUT stats_reset timestamptz)
AS 'MODULE_PATHNAME', 'ds_statistics'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;

CREATE FUNCTION durable_singleton.request_visit()
RETURNS void
AS 'MODULE_PATHNAME', 'ds_request_visit'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION durable_singleton.request_visit IS
	'asks the launcher to look into this database once the transaction has committed';

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

-- An execution told as a story, in the words of Durable Functions.  The first
-- and the last event are derived from the execution itself, and so is the
-- timer that it waits for; a row of history makes up to three events.
CREATE VIEW durable_singleton.event AS
	SELECT t.instance_id, t.execution_id, t.owner,
		pg_catalog.row_number() OVER (
			PARTITION BY t.instance_id, t.execution_id
			ORDER BY t.part > 0, t.event_time, t.part, t.seq, t.attempt,
				t.phase)::int AS seq,
		t.event_type, t.event_time, t.name, t.input, t.result, t.failure,
		t.scheduled_time, t.fire_at, t.child_id, t.seq AS task, t.status
	FROM (
		SELECT e.instance_id, e.execution_id, e.owner, 0 AS part, 0 AS seq,
			0 AS attempt, 0 AS phase, 'ExecutionStarted' AS event_type,
			e.created_time AS event_time, e.name, e.input,
			NULL::jsonb AS result, NULL::jsonb AS failure,
			NULL::timestamptz AS scheduled_time, NULL::timestamptz AS fire_at,
			NULL::text AS child_id, e.status
		FROM durable_singleton.any_execution e
		-- the time until this attempt
		UNION ALL
		SELECT e.instance_id, e.execution_id, e.owner, 1, h.seq, h.attempt, 0,
			'TimerFired', h.scheduled_time, h.name, NULL, NULL, NULL,
			NULL, f.fire_at, NULL, e.status
		FROM durable_singleton.any_execution e
			JOIN durable_singleton.history h ON h.execution_id = e.execution_id
			JOIN durable_singleton.history f ON f.execution_id = h.execution_id
				AND f.seq = h.seq AND f.attempt = h.attempt - 1
		WHERE h.attempt > 1 AND f.outcome IN ('r', 'a')
		-- its begin; of a task's first attempt that was told by row 0
		UNION ALL
		SELECT e.instance_id, e.execution_id, e.owner, 1, h.seq, h.attempt, 1,
			CASE h.kind WHEN 'a' THEN 'TaskScheduled'
				WHEN 'c' THEN 'SubOrchestrationInstanceCreated'
				ELSE 'TimerCreated' END,
			h.scheduled_time, h.name, coalesce(h.input, z.input), NULL, NULL,
			NULL, h.fire_at, h.child_id, e.status
		FROM durable_singleton.any_execution e
			JOIN durable_singleton.history h ON h.execution_id = e.execution_id
			LEFT JOIN durable_singleton.history z ON h.parallel
				AND z.execution_id = h.execution_id AND z.seq = h.seq
				AND z.attempt = 0
		WHERE (h.kind IN ('a', 'c')
				OR h.kind IN ('t', 'e') AND h.fire_at IS NOT NULL)
			AND (NOT h.parallel OR h.attempt <> 1)
		-- its end
		UNION ALL
		SELECT e.instance_id, e.execution_id, e.owner, 1, h.seq, h.attempt, 2,
			CASE h.kind
				WHEN 'a' THEN
					CASE h.outcome WHEN 'c' THEN 'TaskCompleted'
						ELSE 'TaskFailed' END
				WHEN 'c' THEN
					CASE h.outcome WHEN 'c' THEN 'SubOrchestrationInstanceCompleted'
						ELSE 'SubOrchestrationInstanceFailed' END
				WHEN 't' THEN 'TimerFired'
				WHEN 'e' THEN
					CASE h.outcome WHEN 'c' THEN 'EventRaised'
						ELSE 'TimerFired' END
				WHEN 's' THEN 'ExecutionSuspended'
				WHEN 'u' THEN 'ExecutionResumed'
				WHEN 'w' THEN 'ExecutionRewound'
				ELSE 'GenericEvent'
			END,
			h.event_time, h.name,
			CASE WHEN h.kind IN ('s', 'u', 'w') THEN h.input END,
			h.result, h.failure, coalesce(z.scheduled_time, h.scheduled_time),
			h.fire_at, h.child_id, e.status
		FROM durable_singleton.any_execution e
			JOIN durable_singleton.history h ON h.execution_id = e.execution_id
			LEFT JOIN durable_singleton.history z ON h.parallel
				AND h.attempt = 1 AND z.execution_id = h.execution_id
				AND z.seq = h.seq AND z.attempt = 0
		WHERE h.outcome <> 's' AND h.kind <> 'y'
		-- the time until the next attempt
		UNION ALL
		SELECT e.instance_id, e.execution_id, e.owner, 1, h.seq, h.attempt, 3,
			'TimerCreated', h.event_time, h.name, NULL, NULL, NULL, NULL,
			h.fire_at, NULL, e.status
		FROM durable_singleton.any_execution e
			JOIN durable_singleton.history h ON h.execution_id = e.execution_id
		WHERE h.outcome IN ('r', 'a')
		-- what it waits for now
		UNION ALL
		SELECT e.instance_id, e.execution_id, e.owner, 1, e.history_length + 1,
			1, 1, 'TimerCreated', e.wait_since, e.wait_name, NULL, NULL, NULL,
			NULL, e.wait_fire_at, NULL, e.status
		FROM durable_singleton.any_execution e
		WHERE e.wait_kind IN ('t', 'e') AND e.wait_fire_at IS NOT NULL
			AND e.status IN ('Pending', 'Running', 'Suspended')
		UNION ALL
		SELECT e.instance_id, e.execution_id, e.owner, 2, 0, 0, 0,
			CASE e.status WHEN 'Terminated' THEN 'ExecutionTerminated'
				ELSE 'ExecutionCompleted' END,
			e.last_updated_time, e.name, NULL, e.output, e.failure, NULL, NULL,
			NULL, e.status
		FROM durable_singleton.any_execution e
		WHERE e.status IN ('Completed', 'Failed', 'Terminated')) t;

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
		i.created_time,
		coalesce(i.last_updated_time, i.created_time) AS last_updated_time, i.owner,
		i.parent_instance_id,
		CASE WHEN i.status NOT IN ('Pending', 'Running', 'Suspended') THEN NULL
			WHEN i.wait_kind = 't' THEN 'timer'
			WHEN i.wait_kind = 'e' THEN 'event ' || i.wait_name
			WHEN i.wait_kind = 'a' THEN 'retry of ' || i.wait_name
			WHEN i.wait_kind = 'w' THEN CASE
				WHEN cardinality(i.wait_tasks) = 1 THEN (
					SELECT CASE h.kind WHEN 'a' THEN 'activity ' || h.name
						WHEN 'c' THEN 'child ' || h.child_id
						WHEN 'e' THEN 'event ' || h.name
						ELSE 'timer' END
					FROM durable_singleton.history h
					WHERE h.execution_id = i.execution_id
						AND h.seq = i.wait_tasks[1] AND h.attempt = 0)
				WHEN i.wait_watch = 0
					THEN 'any of ' || cardinality(i.wait_tasks) || ' tasks'
				ELSE 'all of ' || cardinality(i.wait_tasks) || ' tasks' END
			END AS waiting_for,
		CASE WHEN i.status NOT IN ('Pending', 'Running', 'Suspended') THEN NULL
			WHEN i.wait_kind IS NOT NULL THEN i.wait_fire_at
			WHEN i.turn = 0
				AND coalesce(i.ready_time, i.suspended_ready_time) > i.created_time
			THEN coalesce(i.ready_time, i.suspended_ready_time)
			END AS next_wake_time
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

CREATE VIEW @extschema@.df_stat AS
	SELECT d.datname AS database, s.instances_started, s.instances_completed,
		s.instances_failed, s.instances_terminated, s.instances_rewound,
		s.instances_continued, s.activities_completed, s.activities_failed,
		s.activities_retried, s.passes, s.steps_undone, s.crashes,
		s.due_searches, s.full_searches, s.hints_lost, s.queue_depth,
		s.queue_oldest, s.search_pending, s.workers, s.workers_busy,
		s.sessions_waiting, s.histogram_bounds, s.latency_histogram,
		s.latency_sum, s.activity_histogram, s.activity_sum, s.stats_reset
	FROM durable_singleton.statistics() s
		LEFT JOIN pg_catalog.pg_database d ON d.oid = s.database_oid;
COMMENT ON VIEW @extschema@.df_stat IS
	'what has happened in this database since the server started, and what waits there now';

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
			AND (p.pronamespace = x.extnamespace
					AND p.proname LIKE 'df\_%'
					AND p.proname NOT IN ('df_adopt_database',
						'df_expose_http', 'df_grant_usage', 'df_hide_http',
						'df_revoke_usage')
				-- what the gateway calls
				OR p.pronamespace = 'durable_singleton'::regnamespace
					AND p.proname LIKE 'http\_%')
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
		SELECT 'USAGE ON SCHEMA durable_singleton'
		UNION ALL
		SELECT 'USAGE ON SCHEMA ' || n.oid::regnamespace::text
		FROM pg_catalog.pg_namespace n
			JOIN pg_catalog.pg_extension x ON x.extnamespace = n.oid
		WHERE x.extname = 'durable_singleton'
			AND NOT pg_catalog.has_schema_privilege('public', n.oid, 'USAGE')
	) o;
END;

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
