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

