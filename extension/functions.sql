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

