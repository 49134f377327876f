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

