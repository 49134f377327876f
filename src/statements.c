/*-------------------------------------------------------------------------
 *
 * statements.c
 *	  All SQL on the extension's tables.
 *
 * The statements run as the owner of the tables with search_path set to
 * pg_catalog alone (catalog.c, query.c).
 *
 * Every change of instance.status is in here: INSERT_INSTANCE, START_OVER,
 * STEP, END, CONTINUE, TERMINATE.  All but the first name the execution they
 * mean, and those of a step its turn, too: that is the fence.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "statements.h"

#define INSTANCE	"durable_singleton.instance"
#define HISTORY		"durable_singleton.history"
#define INBOX		"durable_singleton.inbox"
#define EXECUTION	"durable_singleton.execution"
#define HOME		"durable_singleton.home"

/*
 * A new execution in the place of one that was seen: $10 execution, $11 turn,
 * $12 the statuses that allow it.
 */
#define START_OVER_TYPES	"tuottjzziuiS"
#define START_OVER \
	"UPDATE " INSTANCE \
	" SET execution_id = $2, run_id = $2, owner = $3, name = $4," \
	" function_schema = $5, input = $6, created_time = $7," \
	" last_updated_time = $7, ready_time = $8, status = 'Pending', turn = 0," \
	" history_length = 0, home = $9, start_clock = NULL, wait_kind = NULL," \
	" wait_name = NULL, wait_since = NULL, wait_fire_at = NULL," \
	" wait_default = NULL, parent_instance_id = NULL, custom_status = NULL," \
	" output = NULL, failure = NULL" \
	" WHERE instance_id = $1 AND execution_id = $10 AND turn = $11" \
	" AND status = ANY ($12)"

const DsStatement ds_statements[DS_NUM_STATEMENTS] = {
	/* --- the instance --- */
	{
		/* columns in the order of load_instance() */
		DS_SQL_LOAD_INSTANCE, "t", true, true, false,
		"SELECT execution_id, run_id, owner, status, turn, history_length, home,"
		" name, function_schema, created_time, last_updated_time, ready_time,"
		" start_clock, wait_kind, wait_name, wait_since, wait_fire_at, wait_default,"
		" input, custom_status, output, failure, xmin"
		" FROM " INSTANCE " WHERE instance_id = $1"
	},
	{
		DS_SQL_INSERT_INSTANCE, "tuottjzzi", false, true, false,
		"INSERT INTO " INSTANCE
		" (instance_id, execution_id, run_id, owner, name, function_schema, input,"
		" created_time, last_updated_time, ready_time, status, turn,"
		" history_length, home)"
		" VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $7, $8, 'Pending', 0, 0, $9)"
		" ON CONFLICT (instance_id) DO NOTHING"
	},
	{
		DS_SQL_START_OVER, START_OVER_TYPES, false, true, false, START_OVER
	},
	{
		/*
		 * The same, and the execution that was seen goes to the archive.  The
		 * fence makes sure that the row updated is the row read here.
		 */
		DS_SQL_START_OVER_ARCHIVING, START_OVER_TYPES, false, true, false,
		"WITH started AS (" START_OVER " RETURNING 1)"
		" INSERT INTO " EXECUTION
		" (instance_id, execution_id, owner, name, status, created_time,"
		" last_updated_time, history_length, parent_instance_id, input,"
		" custom_status, output, failure)"
		" SELECT instance_id, execution_id, owner, name,"
		" CASE WHEN status IN ('Pending', 'Running', 'Suspended')"
		" THEN 'Terminated' ELSE status END, created_time,"
		" CASE WHEN status IN ('Pending', 'Running', 'Suspended')"
		" THEN $7 ELSE last_updated_time END,"
		" history_length, parent_instance_id, input, custom_status, output, failure"
		" FROM " INSTANCE " WHERE instance_id = $1 AND execution_id = $10"
		" AND EXISTS (SELECT FROM started)"
	},
	{
		DS_SQL_PRUNE_ARCHIVE, "ti", false, true, false,
		"WITH gone AS (DELETE FROM " EXECUTION " WHERE instance_id = $1"
		" AND execution_id IN (SELECT execution_id FROM " EXECUTION
		" WHERE instance_id = $1 ORDER BY execution_id DESC OFFSET $2)"
		" RETURNING execution_id)"
		" DELETE FROM " HISTORY
		" WHERE execution_id IN (SELECT execution_id FROM gone)"
	},
	{
		DS_SQL_DELETE_HISTORY, "u", false, true, false,
		"DELETE FROM " HISTORY " WHERE execution_id = $1"
	},
	{
		/* $1 to $3 are the fence */
		DS_SQL_STEP, "tuiziczztzjj", false, true, true,
		"UPDATE " INSTANCE
		" SET status = 'Running', turn = turn + 1, last_updated_time = $4,"
		" history_length = $5, wait_kind = $6, wait_since = $7, wait_fire_at = $8,"
		" wait_name = $9, ready_time = CASE WHEN $6 IS NULL"
		" THEN least(ready_time, $4) ELSE $8 END,"
		" start_clock = $10, wait_default = $11, custom_status = $12"
		" WHERE instance_id = $1 AND execution_id = $2 AND turn = $3"
		" AND status IN ('Pending', 'Running')"
	},
	{
		DS_SQL_END, "tuiziszjjj", false, true, true,
		"UPDATE " INSTANCE
		" SET status = $6, turn = turn + 1, last_updated_time = $4,"
		" history_length = $5, wait_kind = NULL, wait_since = NULL,"
		" wait_fire_at = NULL, wait_name = NULL, wait_default = NULL,"
		" ready_time = NULL, start_clock = $7, custom_status = $8, output = $9,"
		" failure = $10"
		" WHERE instance_id = $1 AND execution_id = $2 AND turn = $3"
		" AND status IN ('Pending', 'Running')"
	},
	{
		/* run_id stays: unprocessed events belong to the next execution */
		DS_SQL_CONTINUE, "tuizujj", false, true, true,
		"UPDATE " INSTANCE
		" SET status = 'Running', turn = 0, created_time = $4,"
		" last_updated_time = $4, history_length = 0, wait_kind = NULL,"
		" wait_since = NULL, wait_fire_at = NULL, wait_name = NULL,"
		" wait_default = NULL, ready_time = least(ready_time, $4),"
		" start_clock = NULL,"
		" execution_id = $5, input = $6, custom_status = $7"
		" WHERE instance_id = $1 AND execution_id = $2 AND turn = $3"
		" AND status IN ('Pending', 'Running')"
	},
	{
		DS_SQL_TERMINATE, "tuzj", false, true, false,
		"UPDATE " INSTANCE
		" SET status = 'Terminated', turn = turn + 1, last_updated_time = $3,"
		" wait_kind = NULL, wait_since = NULL, wait_fire_at = NULL,"
		" wait_name = NULL, wait_default = NULL, ready_time = NULL, output = $4"
		" WHERE instance_id = $1 AND execution_id = $2"
		" AND status IN ('Pending', 'Running', 'Suspended')"
	},
	{
		DS_SQL_TRY_LOCK_INSTANCE, "t", false, true, false,
		"SELECT 1 FROM " INSTANCE " WHERE instance_id = $1"
		" FOR NO KEY UPDATE SKIP LOCKED"
	},

	/* --- its history --- */
	{
		/* columns in the order of ds_store_load_history() */
		DS_SQL_LOAD_HISTORY, "u", true, true, false,
		"SELECT kind, outcome, name, result, failure, scheduled_time, event_time,"
		" fire_at FROM " HISTORY " WHERE execution_id = $1 ORDER BY seq"
	},
	{
		DS_SQL_INSERT_HISTORY, "uicctjjjzzz", false, true, false,
		"INSERT INTO " HISTORY
		" (execution_id, seq, kind, outcome, name, input, result, failure,"
		" scheduled_time, event_time, fire_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
	},
	{
		/*
		 * The history as Durable Functions' status query shows it: a
		 * scheduled event disappears once its end is there.  $2: with
		 * results, $3: with inputs, $4: with the texts of failures.
		 */
		DS_SQL_STORY, "tbbb", true, true, false,
		"SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object("
		" 'EventType', event_type,"
		" 'Timestamp', to_char(event_time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US0\"Z\"'),"
		" 'FunctionName', CASE WHEN event_type IN ('ExecutionStarted', 'TaskScheduled', 'TaskCompleted', 'TaskFailed') THEN name END,"
		" 'Name', CASE WHEN event_type IN ('EventRaised') THEN name END,"
		" 'ScheduledTime', CASE WHEN event_type IN ('TaskCompleted', 'TaskFailed')"
		" THEN to_char(scheduled_time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US0\"Z\"') END,"
		" 'FireAt', CASE WHEN event_type IN ('TimerCreated', 'TimerFired')"
		" THEN to_char(fire_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US0\"Z\"') END,"
		" 'Reason', CASE WHEN $4 THEN failure ->> 'message' END,"
		" 'Details', CASE WHEN $4 THEN failure ->> 'detail' END,"
		" 'OrchestrationStatus', CASE WHEN event_type = 'ExecutionCompleted' THEN status::text END))"
		" || CASE WHEN $3 AND event_type = 'ExecutionStarted' THEN jsonb_build_object('Input', input)"
		" WHEN $3 AND event_type = 'EventRaised' THEN jsonb_build_object('Input', result) ELSE '{}' END"
		" || CASE WHEN $2 AND event_type IN ('TaskCompleted', 'ExecutionCompleted', 'GenericEvent') AND failure IS NULL"
		" THEN jsonb_build_object('Result', result) ELSE '{}' END"
		" ORDER BY seq)"
		" FROM durable_singleton.event e"
		" WHERE instance_id = $1 AND execution_id ="
		" (SELECT execution_id FROM " INSTANCE " WHERE instance_id = $1)"
		" AND NOT (event_type = 'TaskScheduled' AND EXISTS (SELECT FROM " HISTORY " h"
		" WHERE h.execution_id = e.execution_id AND h.seq * 2 - 1 = e.seq))"
	},

	/* --- what others tell it --- */
	{
		DS_SQL_SEND, "uttjz", false, true, false,
		"INSERT INTO " INBOX " (run_id, instance_id, kind, name, data, sent_time)"
		" VALUES ($1, $2, 'e', $3, $4, $5)"
	},
	{
		/* $3: events that the present step has taken already */
		DS_SQL_FIND_EVENT, "utL", true, true, false,
		"SELECT id, data, xmin FROM " INBOX
		" WHERE run_id = $1 AND kind = 'e' AND lower(name) = lower($2)"
		" AND id <> ALL ($3) ORDER BY id LIMIT 1"
	},
	{
		DS_SQL_DELETE_MESSAGE, "ul", false, true, false,
		"DELETE FROM " INBOX " WHERE run_id = $1 AND id = $2"
	},
	{
		DS_SQL_DROP_MESSAGES, "u", false, true, false,
		/* a message that a step has taken is the step's to delete */
		"DELETE FROM " INBOX " WHERE run_id = $1 AND id IN (SELECT id FROM " INBOX
		" WHERE run_id = $1 FOR UPDATE SKIP LOCKED)"
	},
	{
		DS_SQL_DROP_ORPHANED_MESSAGES, "", false, false, false,
		"DELETE FROM " INBOX " WHERE (run_id, id) IN (SELECT b.run_id, b.id"
		" FROM " INBOX " b WHERE NOT EXISTS (SELECT FROM " INSTANCE " i"
		" WHERE i.instance_id = b.instance_id AND i.run_id = b.run_id"
		" AND i.status IN ('Pending', 'Running', 'Suspended'))"
		" FOR UPDATE SKIP LOCKED)"
	},

	/* --- work that no hint told of; home NULL: wherever it comes from --- */
	{
		/* due instances after the key ($3, $4) */
		DS_SQL_FIND_READY, "ozztii", true, true, false,
		"SELECT instance_id, ready_time FROM " INSTANCE
		" WHERE owner = $1 AND ready_time <= $2"
		" AND (ready_time, instance_id) > ($3, $4)"
		" AND status IN ('Pending', 'Running') AND home = coalesce($5, home)"
		" ORDER BY ready_time, instance_id LIMIT $6"
	},
	{
		DS_SQL_FIND_EVENT_READY, "oii", true, false, false,
		"SELECT DISTINCT i.instance_id FROM " INBOX " b JOIN " INSTANCE " i"
		" ON i.instance_id = b.instance_id AND i.run_id = b.run_id"
		" WHERE i.owner = $1 AND i.status IN ('Pending', 'Running')"
		" AND i.home = coalesce($2, i.home)"
		" AND i.wait_kind = 'e' AND lower(i.wait_name) = lower(b.name) LIMIT $3"
	},
	{
		DS_SQL_NEXT_WAKE, "oz", true, true, false,
		"SELECT ready_time FROM " INSTANCE
		" WHERE owner = $1 AND ready_time > $2 ORDER BY ready_time LIMIT 1"
	},
	{
		/* one index probe an owner, however many instances wait */
		DS_SQL_OWNERS_WITH_WORK, "", true, true, false,
		"WITH RECURSIVE o AS ("
		" (SELECT owner, ready_time FROM " INSTANCE
		" WHERE ready_time IS NOT NULL ORDER BY owner, ready_time LIMIT 1)"
		" UNION ALL SELECT n.* FROM o, LATERAL ("
		" SELECT i.owner, i.ready_time FROM " INSTANCE " i"
		" WHERE i.ready_time IS NOT NULL AND i.owner > o.owner"
		" ORDER BY i.owner, i.ready_time LIMIT 1) n)"
		" SELECT owner, ready_time FROM o"
	},
	{
		DS_SQL_OWNERS_WITH_EVENTS, "", true, false, false,
		"SELECT DISTINCT i.owner FROM " INBOX " b JOIN " INSTANCE " i"
		" ON i.instance_id = b.instance_id AND i.run_id = b.run_id"
		" WHERE i.status IN ('Pending', 'Running')"
		" AND i.wait_kind = 'e' AND lower(i.wait_name) = lower(b.name)"
	},
	{
		DS_SQL_OWNERLESS, "i", true, false, false,
		"SELECT instance_id FROM " INSTANCE " i"
		" WHERE status IN ('Pending', 'Running') AND NOT EXISTS"
		" (SELECT FROM pg_roles a WHERE a.oid = i.owner) LIMIT $1"
	},

	/* --- home --- */
	{
		DS_SQL_LOAD_HOME, "lO", true, false, false,
		"SELECT count(*) > 0 AND bool_and(system_identifier = $1 AND database_oid = $2)"
		" FROM " HOME
	},
	{
		DS_SQL_DELETE_HOME, "", false, false, false,
		"DELETE FROM " HOME
	},
	{
		DS_SQL_INSERT_HOME, "lO", false, false, false,
		"INSERT INTO " HOME " (system_identifier, database_oid) VALUES ($1, $2)"
	},
	{
		DS_SQL_MOVE_HOME, "i", false, false, false,
		"UPDATE " INSTANCE " SET home = $1 WHERE home <> $1"
		" AND status IN ('Pending', 'Running', 'Suspended')"
	},
	{
		DS_SQL_ANY_FOREIGN, "i", true, false, false,
		"SELECT 1 FROM " INSTANCE
		" WHERE home <> $1 AND status IN ('Pending', 'Running', 'Suspended')"
		" LIMIT 1"
	},
};
