/*-------------------------------------------------------------------------
 *
 * statement_list.h
 *	  All SQL on the extension's tables.
 *
 * The frequent operations of starts, steps and tasks do not use statements
 * (table_read.c): ds_store_load(), ds_store_insert(), ds_store_start_over(),
 * ds_store_step(), ds_store_end(), ds_store_continue() and the like.
 *
 * The statements run as the owner of the tables with search_path set to
 * pg_catalog only (identity.c, query.c).
 *
 * Every change of instance.status is in those functions or in this file:
 * TERMINATE, SUSPEND, RESUME, REWIND.  All except the insert name their
 * execution, and those of a step its turn, too: this is the fence.  The fence
 * of a task is its row in table task.
 *
 *	STATEMENT(name, types of the parameters, read_only, by_key,
 *			  limit_lock_wait, SQL)
 *
 * DsStatement describes these.  The list has no include guard: it is included
 * once for the names (statements.h) and once for the rest (statement_texts.c),
 * so that neither can exist without the other.
 *
 *-------------------------------------------------------------------------
 */
/* INDENT OFF */

/* --- the instance --- */
/* the dead rows of earlier entries are older: they are not scanned */
STATEMENT(PRUNE_ARCHIVE, "tii", false, true, false,
		"WITH gone AS (DELETE FROM " EXECUTION " WHERE instance_id = $1"
		" AND execution_id = ANY (ARRAY(SELECT execution_id FROM " EXECUTION
		" WHERE instance_id = $1 ORDER BY execution_id DESC OFFSET $2 LIMIT $3))"
		" RETURNING execution_id)"
		" DELETE FROM " HISTORY
		" WHERE execution_id = ANY (ARRAY(SELECT execution_id FROM gone))")

/*
 * The timer of the wait, which is only in the row, is added to the
 * history, because the archive keeps a terminated execution.  Notes
 * have attempts from 1; 0 is free for the end.
 */
STATEMENT(TERMINATE, "tuj", false, true, false,
		"WITH ended AS (UPDATE " INSTANCE
		" SET status = 'Terminated', turn = turn + 1,"
		" last_updated_time = clock_timestamp(), ready_time = NULL,"
		" suspended_ready_time = NULL, output = $3, wait_watch = NULL,"
		" wait_tasks = NULL, rewinding = false,"
		" noted = CASE WHEN " HAS_TIMER " THEN true ELSE noted END"
		" WHERE instance_id = $1 AND execution_id = $2"
		" AND status IN " ACTIVE " RETURNING *),"
		" timer AS (INSERT INTO " HISTORY
		" (execution_id, seq, attempt, kind, outcome, parallel, name,"
		" scheduled_time, event_time, fire_at)"
		" SELECT execution_id, 0, 0, wait_kind, 's', false,"
		" wait_name, wait_since, wait_since, wait_fire_at FROM ended"
		" WHERE " HAS_TIMER ")"
		" SELECT 1 FROM ended")

/* the turn stays, so that a running activity may finish */
STATEMENT(SUSPEND, "tu", false, true, false,
		"UPDATE " INSTANCE
		" SET status = 'Suspended', last_updated_time = clock_timestamp(),"
		" suspended_ready_time = ready_time, ready_time = NULL, noted = true"
		" WHERE instance_id = $1 AND execution_id = $2"
		" AND status IN " RUNNABLE)

/* Pending again if no step of the run was ever committed */
STATEMENT(RESUME, "tu", false, true, false,
		"UPDATE " INSTANCE
		" SET status = CASE WHEN status <> 'Suspended' THEN status"
		" WHEN turn = 0 AND run_id IS NULL"
		" THEN 'Pending' ELSE 'Running' END, last_updated_time = clock_timestamp(),"
		" ready_time = CASE WHEN wait_kind IS NULL"
		" THEN coalesce(suspended_ready_time, clock_timestamp())"
		" ELSE wait_fire_at END,"
		" suspended_ready_time = NULL"
		" WHERE instance_id = $1 AND execution_id = $2 AND status = 'Suspended'")

/* after a rewind, a change of the code is accepted */
STATEMENT(REWIND, "tu", false, true, false,
		"UPDATE " INSTANCE
		" SET status = 'Running', turn = turn + 1,"
		" last_updated_time = clock_timestamp(), ready_time = clock_timestamp(),"
		" rewinding = true, code = NULL, output = NULL, failure = NULL,"
		" noted = true"
		" WHERE instance_id = $1 AND execution_id = $2 AND status = 'Failed'")

/* it cannot end before the current transaction does */
STATEMENT(LOCK_ACTIVE, "tu", false, true, true,
		"SELECT 1 FROM " INSTANCE " WHERE instance_id = $1"
		" AND execution_id = $2 AND status IN " ACTIVE " FOR NO KEY UPDATE")

STATEMENT(TRY_LOCK_INSTANCE, "t", false, true, false,
		"SELECT 1 FROM " INSTANCE " WHERE instance_id = $1"
		" FOR NO KEY UPDATE SKIP LOCKED")

/* --- its history --- */
/* the last rows of some tasks */
STATEMENT(LOAD_ENDS, "uI", true, true, false,
		"SELECT h.* FROM unnest($2) t (seq), LATERAL (SELECT h.*, h.xmin"
		" FROM " HISTORY " h WHERE h.execution_id = $1 AND h.seq = t.seq"
		" ORDER BY h.attempt DESC LIMIT 1) h")

STATEMENT(MARK_REWOUND, "uii", false, true, false,
		"UPDATE " HISTORY " SET outcome = 'w'"
		" WHERE execution_id = $1 AND seq = $2 AND attempt = $3")

/* the caller has locked the instance's row */
STATEMENT(INSERT_NOTE, "ucjz", false, true, false,
		"INSERT INTO " HISTORY
		" (execution_id, seq, attempt, kind, outcome, parallel, input,"
		" scheduled_time, event_time)"
		" SELECT $1, 0, coalesce(max(attempt) FILTER (WHERE attempt > 0), 0) + 1, $2, 'c', false, $3, $4, $4"
		" FROM " HISTORY " WHERE execution_id = $1 AND seq = 0")

STATEMENT(DELETE_HISTORY, "u", false, true, false,
		"DELETE FROM " HISTORY " WHERE execution_id = $1")

/*
 * The history as in the status query of Durable Functions: a scheduled
 * event is omitted once its end is there.  $2: with results, $3: with
 * inputs, $4: with the texts of failures.
 */
STATEMENT(HISTORY_JSON, "tbbb", true, true, false,
		"SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object("
		" 'EventType', event_type,"
		" 'Timestamp', " TIME("event_time") ","
		" 'FunctionName', CASE WHEN event_type IN ('ExecutionStarted', 'TaskScheduled', 'TaskCompleted', 'TaskFailed',"
		" 'SubOrchestrationInstanceCreated', 'SubOrchestrationInstanceCompleted', 'SubOrchestrationInstanceFailed') THEN name END,"
		" 'InstanceId', CASE WHEN event_type LIKE 'SubOrchestration%' THEN child_id END,"
		" 'Name', CASE WHEN event_type IN ('EventRaised') THEN name END,"
		" 'ScheduledTime', CASE WHEN event_type IN ('TaskCompleted', 'TaskFailed',"
		" 'SubOrchestrationInstanceCompleted', 'SubOrchestrationInstanceFailed')"
		" THEN " TIME("scheduled_time") " END,"
		" 'FireAt', CASE WHEN event_type IN ('TimerCreated', 'TimerFired')"
		" THEN " TIME("fire_at") " END,"
		" 'Reason', CASE WHEN event_type IN ('ExecutionSuspended', 'ExecutionResumed', 'ExecutionRewound') THEN CASE WHEN $3 THEN input END"
		" WHEN $4 THEN failure -> 'message' END,"
		" 'Details', CASE WHEN $4 THEN failure ->> 'detail' END,"
		" 'OrchestrationStatus', CASE WHEN event_type = 'ExecutionCompleted' THEN status::text END))"
		" || CASE WHEN $3 AND event_type = 'ExecutionStarted' THEN jsonb_build_object('Input', input)"
		" WHEN $3 AND event_type = 'EventRaised' THEN jsonb_build_object('Input', result) ELSE '{}' END"
		" || CASE WHEN $2 AND event_type IN ('TaskCompleted', 'SubOrchestrationInstanceCompleted', 'ExecutionCompleted', 'GenericEvent')"
		" AND failure IS NULL THEN jsonb_build_object('Result', result) ELSE '{}' END"
		" ORDER BY seq) FILTER (WHERE ends = 0)"
		" FROM (SELECT *, CASE WHEN event_type IN ('TaskScheduled', 'SubOrchestrationInstanceCreated')"
		" THEN count(*) FILTER (WHERE event_type IN ('TaskCompleted', 'TaskFailed',"
		" 'SubOrchestrationInstanceCompleted', 'SubOrchestrationInstanceFailed'))"
		" OVER (PARTITION BY task ORDER BY seq ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
		" ELSE 0 END AS ends FROM durable_singleton.event"
		" WHERE instance_id = $1 AND execution_id ="
		" (SELECT execution_id FROM " INSTANCE " WHERE instance_id = $1)) e")

/* --- its open tasks --- */
STATEMENT(DELETE_TASKS, "u", false, true, false,
		"DELETE FROM " TASK " WHERE execution_id = $1")

STATEMENT(WAIT_MAY_BE_OVER, "tb", true, true, false,
		"SELECT 1 FROM " INSTANCE " i WHERE instance_id = $1"
		" AND (" TASK_HAS_ENDED " OR $2 AND EXISTS (SELECT FROM " INBOX " b"
		" WHERE b.run_id = " RUN("i") " AND b.kind = 'e'))")

/* --- messages to it --- */
STATEMENT(SEND, "uttjz", false, true, false,
		"INSERT INTO " INBOX " (run_id, instance_id, kind, name, data, sent_time)"
		" VALUES ($1, $2, 'e', $3, $4, $5)")

/* tells active children of an instance after the key $5 to end */
STATEMENT(SEND_TERMINATE, "tujzti", false, true, false,
		"WITH child AS (SELECT instance_id, execution_id, " RUN("i") " AS run_id,"
		" owner FROM " INSTANCE " i WHERE parent_instance_id = $1 AND parent_run_id = $2"
		" AND status IN " ACTIVE " AND instance_id > $5"
		" ORDER BY parent_instance_id, instance_id LIMIT $6),"
		" sent AS (INSERT INTO " INBOX " (run_id, instance_id, kind, data, sent_time)"
		" SELECT run_id, instance_id, 'x', $3, $4 FROM child)"
		" SELECT instance_id, execution_id, owner FROM child"
		" ORDER BY instance_id")

STATEMENT(DROP_MESSAGES, "u", false, true, false,
 /* a message taken by a step is deleted by that step */
		"DELETE FROM " INBOX " WHERE run_id = $1 AND id IN (SELECT id FROM " INBOX
		" WHERE run_id = $1 FOR UPDATE SKIP LOCKED)")

/* but not the message that its parent was terminated */
STATEMENT(DROP_EVENTS, "u", false, true, false,
		"DELETE FROM " INBOX " WHERE run_id = $1 AND id IN (SELECT id FROM " INBOX
		" WHERE run_id = $1 AND kind = 'e' FOR UPDATE SKIP LOCKED)")

STATEMENT(DROP_ORPHANED_MESSAGES, "", false, false, false,
		"DELETE FROM " INBOX " WHERE (run_id, id) IN (SELECT b.run_id, b.id"
		" FROM " INBOX " b WHERE NOT EXISTS (SELECT FROM " INSTANCE " i"
		" WHERE i.instance_id = b.instance_id AND " RUN("i") " = b.run_id"
		" AND (i.status IN " ACTIVE " OR i.status = 'Failed'))"
		" FOR UPDATE SKIP LOCKED)")

/* --- work not announced by a hint; home NULL: of any database --- */
/* due instances after the key ($3, $4) */
STATEMENT(FIND_READY, "ozztii", true, true, false,
		"SELECT instance_id, ready_time, ctid FROM " INSTANCE
		" WHERE owner = $1 AND ready_time <= $2"
		" AND (ready_time, instance_id) > ($3, $4)"
		" AND status IN " RUNNABLE " AND home = coalesce($5, home)"
		" ORDER BY ready_time, instance_id LIMIT $6")

/* due tasks after the key ($3, $4, $5) */
STATEMENT(FIND_READY_TASKS, "ozzuiii", true, true, false,
		"SELECT instance_id, execution_id, seq, ready_time FROM " TASK " t"
		" WHERE owner = $1 AND ready_time <= $2"
		" AND (ready_time, execution_id, seq) > ($3, $4, $5)"
		" AND home = coalesce($6, home)"
		" AND NOT EXISTS (SELECT FROM " INSTANCE " i"
		" WHERE i.instance_id = t.instance_id"
		" AND i.execution_id = t.execution_id AND i.status = 'Suspended')"
		" ORDER BY ready_time, execution_id, seq LIMIT $7")

STATEMENT(FIND_WITH_MESSAGE, "oii", true, false, false,
		"SELECT DISTINCT i.instance_id FROM " INBOX " b JOIN " INSTANCE " i"
		" ON i.instance_id = b.instance_id AND " RUN("i") " = b.run_id"
		" WHERE i.owner = $1 AND i.home = coalesce($2, i.home)"
		" AND " HAS_MESSAGE " LIMIT $3")

/* after the key $3 */
STATEMENT(FIND_AWAITING, "oiti", true, true, false,
		"SELECT instance_id FROM " INSTANCE " i"
		" WHERE owner = $1 AND wait_watch IS NOT NULL AND instance_id > $3"
		" AND status IN " RUNNABLE " AND home = coalesce($2, home)"
		" AND " TASK_HAS_ENDED " ORDER BY instance_id LIMIT $4")

STATEMENT(NEXT_WAKE, "oz", true, true, false,
		"SELECT least("
		" (SELECT ready_time FROM " INSTANCE
		" WHERE owner = $1 AND ready_time > $2 ORDER BY ready_time LIMIT 1),"
		" (SELECT ready_time FROM " TASK
		" WHERE owner = $1 AND ready_time > $2 ORDER BY ready_time LIMIT 1))")

/* one index probe per owner, no matter how many instances wait */
STATEMENT(OWNERS_WITH_WORK, "", true, true, false,
		"WITH RECURSIVE o AS ("
		" (SELECT owner, ready_time FROM " INSTANCE
		" WHERE ready_time IS NOT NULL ORDER BY owner, ready_time LIMIT 1)"
		" UNION ALL SELECT n.* FROM o, LATERAL ("
		" SELECT i.owner, i.ready_time FROM " INSTANCE " i"
		" WHERE i.ready_time IS NOT NULL AND i.owner > o.owner"
		" ORDER BY i.owner, i.ready_time LIMIT 1) n)"
		" SELECT owner, ready_time FROM o")

STATEMENT(OWNERS_WITH_TASKS, "", true, true, false,
		"WITH RECURSIVE o AS ("
		" (SELECT owner, ready_time FROM " TASK
		" WHERE ready_time IS NOT NULL ORDER BY owner, ready_time LIMIT 1)"
		" UNION ALL SELECT n.* FROM o, LATERAL ("
		" SELECT t.owner, t.ready_time FROM " TASK " t"
		" WHERE t.ready_time IS NOT NULL AND t.owner > o.owner"
		" ORDER BY t.owner, t.ready_time LIMIT 1) n)"
		" SELECT owner, ready_time FROM o")

STATEMENT(OWNERS_WITH_MESSAGE, "", true, false, false,
		"SELECT DISTINCT i.owner FROM " INBOX " b JOIN " INSTANCE " i"
		" ON i.instance_id = b.instance_id AND " RUN("i") " = b.run_id"
		" WHERE " HAS_MESSAGE)

STATEMENT(OWNERS_AWAITING, "", true, false, false,
		"SELECT DISTINCT owner FROM " INSTANCE " i"
		" WHERE wait_watch IS NOT NULL AND status IN " RUNNABLE
		" AND " TASK_HAS_ENDED)

/* after the key $1 */
STATEMENT(OWNERLESS, "ti", true, false, false,
		"SELECT instance_id FROM " INSTANCE " i"
		" WHERE instance_id > $1 AND status IN " RUNNABLE " AND NOT EXISTS"
		" (SELECT FROM pg_roles a WHERE a.oid = i.owner)"
		" ORDER BY instance_id LIMIT $2")

STATEMENT(DELETE_OWNERLESS_TASKS, "", false, false, false,
		"DELETE FROM " TASK " WHERE (execution_id, seq) IN"
		" (SELECT execution_id, seq FROM " TASK " t WHERE kind = 'a'"
		" AND NOT EXISTS (SELECT FROM pg_roles a WHERE a.oid = t.owner)"
		" FOR UPDATE OF t SKIP LOCKED)")

/* --- purging --- */
/*
 * Ended instances created between $1 and $2, with one of the statuses
 * $3, owned by a role whose privileges $4 has, after the key $5; none
 * whose parent is active.  $7: only those of exposed functions.
 */
STATEMENT(FIND_PURGEABLE, "zzSOtib", true, true, false,
		"SELECT instance_id FROM " INSTANCE " i"
		" WHERE instance_id > $5 AND created_time >= $1"
		" AND (created_time < $2 OR $2 = 'infinity') AND status = ANY ($3)"
		" AND pg_has_role($4, owner, 'USAGE')"
		" AND (NOT $7 OR EXISTS (SELECT FROM " HTTP " f"
		" WHERE f.schema_name = i.function_schema"
		" AND f.function_name = durable_singleton.http_bare_name(i.name)))"
		" AND NOT EXISTS (SELECT FROM " INSTANCE " p"
		" WHERE p.instance_id = i.parent_instance_id"
		" AND " RUN("p") " = i.parent_run_id AND p.status IN " ACTIVE ")"
		" ORDER BY instance_id LIMIT $6")

/* those that ended before $1 */
STATEMENT(FIND_EXPIRED, "zti", true, true, false,
		"SELECT instance_id FROM " INSTANCE " i"
		" WHERE instance_id > $2 AND last_updated_time < $1 AND status IN " ENDED
		" AND NOT EXISTS (SELECT FROM " INSTANCE " p"
		" WHERE p.instance_id = i.parent_instance_id"
		" AND " RUN("p") " = i.parent_run_id AND p.status IN " ACTIVE ")"
		" ORDER BY instance_id LIMIT $3")

/* after the key $3; those that ended before $4 */
STATEMENT(FIND_ENDED_CHILDREN, "totzi", true, true, false,
		"SELECT instance_id FROM " INSTANCE
		" WHERE parent_instance_id = $1 AND instance_id > $3 AND owner = $2"
		" AND status IN " ENDED " AND last_updated_time < $4"
		" ORDER BY parent_instance_id, instance_id LIMIT $5")

STATEMENT(LOCK_ENDED, "tu", false, true, false,
		"SELECT 1 FROM " INSTANCE " WHERE instance_id = $1"
		" AND execution_id = $2 AND status IN " ENDED " FOR UPDATE SKIP LOCKED")

/* no row: another session has locked one of them */
STATEMENT(LOCK_TASKS, "u", false, true, false,
		"WITH locked AS (SELECT FROM " TASK " WHERE execution_id = $1"
		" FOR UPDATE SKIP LOCKED) SELECT 1 WHERE (SELECT count(*) FROM locked)"
		" = (SELECT count(*) FROM " TASK " WHERE execution_id = $1)")

STATEMENT(DELETE_INSTANCE, "tu", false, true, false,
		"DELETE FROM " INSTANCE " WHERE instance_id = $1 AND execution_id = $2"
		" AND status IN " ENDED)

/*
 * --- home ---
 *
 * A restore adds a second row to that of CREATE EXTENSION, the same one
 * if it goes into the database that the dump is from.
 */
STATEMENT(LOAD_HOME, "lO", true, false, false,
		"SELECT count(*) = 1 AND bool_and(system_identifier = $1 AND database_oid = $2)"
		" FROM " HOME)

STATEMENT(COUNT_HOMES, "", true, false, false,
		"SELECT count(*) FROM " HOME)

STATEMENT(DELETE_HOME, "", false, false, false,
		"DELETE FROM " HOME)

STATEMENT(INSERT_HOME, "lO", false, false, false,
		"INSERT INTO " HOME " (system_identifier, database_oid) VALUES ($1, $2)")

STATEMENT(MOVE_HOME, "i", false, false, false,
		"UPDATE " INSTANCE " SET home = $1 WHERE home <> $1"
		" AND status IN ('Pending', 'Running', 'Suspended')")

STATEMENT(MOVE_TASKS_HOME, "i", false, false, false,
		"UPDATE " TASK " SET home = $1 WHERE home <> $1")

/* logical replication replicates rows, but not sequences */
STATEMENT(MOVE_MESSAGE_IDS, "", false, false, false,
		"SELECT setval('durable_singleton.inbox_id_seq', i.last)"
		" FROM (SELECT max(id) AS last FROM " INBOX ") i,"
		" durable_singleton.inbox_id_seq s WHERE i.last > s.last_value")

STATEMENT(ANY_FOREIGN, "i", true, false, false,
		"SELECT 1 WHERE EXISTS (SELECT FROM " INSTANCE
		" WHERE home <> $1 AND status IN " ACTIVE ")"
		" OR EXISTS (SELECT FROM " TASK " WHERE home <> $1)")

/* once for a role with a limit; see quota.c */
STATEMENT(COUNT_ACTIVE, "o", true, false, false,
		"SELECT count(*) FROM " INSTANCE " WHERE owner = $1"
		" AND status IN " ACTIVE)

/* --- crashes --- */
/* a step that only repeats what the crash has lost is no progress */
STATEMENT(COUNT_CRASH, "tuiiz", false, true, true,
		"INSERT INTO " CRASH " AS c"
		" (instance_id, execution_id, seq, progress, crash_time, crashes)"
		" VALUES ($1, $2, $3, $4, $5, 1)"
		" ON CONFLICT (execution_id, seq) DO UPDATE SET crashes ="
		" CASE WHEN c.crash_time = excluded.crash_time THEN c.crashes"
		" WHEN c.progress < excluded.progress THEN 1 ELSE c.crashes + 1 END,"
		" progress = greatest(c.progress, excluded.progress),"
		" crash_time = excluded.crash_time RETURNING crashes")

/* there are as many rows as there were recent crashes */
STATEMENT(FORGET_CRASHES, "", false, false, false,
		"DELETE FROM " CRASH " c WHERE NOT EXISTS (SELECT FROM " INSTANCE " i"
		" WHERE i.instance_id = c.instance_id"
		" AND i.execution_id = c.execution_id AND i.status IN " ACTIVE ")")

/* --- functions exposed over HTTP, by schema and bare name --- */
STATEMENT(IS_EXPOSED, "tt", true, true, false,
		"SELECT 1 FROM " HTTP " WHERE function_name = $1 AND schema_name = $2")

STATEMENT(EXPOSE, "tt", false, true, false,
		"INSERT INTO " HTTP " (function_name, schema_name) VALUES ($1, $2)"
		" ON CONFLICT DO NOTHING")

/* $2 NULL: in any schema */
STATEMENT(HIDE, "tt", false, true, false,
		"DELETE FROM " HTTP " WHERE function_name = $1"
		" AND schema_name = coalesce($2, schema_name)")

STATEMENT(COUNT_EXPOSED, "t", true, true, false,
		"SELECT count(*) FROM " HTTP " WHERE function_name = $1")

/*
 * rows that are written without a statement, unless a superuser has made an
 * addition to the table that only a statement obeys (table_statement.c)
 */
STATEMENT(ROW_INSERT_INSTANCE, "0", false, true, false,
		"INSERT INTO " INSTANCE " SELECT ($1).* ON CONFLICT DO NOTHING"
		" RETURNING ctid")

STATEMENT(ROW_INSERT_HISTORY, "1", false, true, false,
		"INSERT INTO " HISTORY " SELECT ($1).* RETURNING ctid")

STATEMENT(ROW_INSERT_TASK, "2", false, true, false,
		"INSERT INTO " TASK " SELECT ($1).* RETURNING ctid")

STATEMENT(ROW_INSERT_EXECUTION, "4", false, true, false,
		"INSERT INTO " EXECUTION " SELECT ($1).* RETURNING ctid")

STATEMENT(ROW_UPDATE_INSTANCE, "p0", false, true, false,
		"UPDATE " INSTANCE " SET (" COLUMNS(DS_INSTANCE_COLUMNS) ") ="
		" ROW(($2).*) WHERE ctid = $1 RETURNING ctid")

STATEMENT(ROW_UPDATE_TASK, "p2", false, true, false,
		"UPDATE " TASK " SET (" COLUMNS(DS_TASK_COLUMNS) ") ="
		" ROW(($2).*) WHERE ctid = $1 RETURNING ctid")

STATEMENT(ROW_DELETE_TASK, "p", false, true, false,
		"DELETE FROM " TASK " WHERE ctid = $1 RETURNING ctid")

STATEMENT(ROW_DELETE_MESSAGE, "p", false, true, false,
		"DELETE FROM " INBOX " WHERE ctid = $1 RETURNING ctid")

/* INDENT ON */
