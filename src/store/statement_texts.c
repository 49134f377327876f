/*-------------------------------------------------------------------------
 *
 * statement_texts.c
 *	  The SQL on the extension's tables, by name: fragments shared by the list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/columns.h"
#include "store/statements.h"

/* The column names of a table. */
#define COLUMN_NAME(name, type)	#name
#define COLUMNS(list)			list(COLUMN_NAME, COLUMN_NAME, ", ")

#define INSTANCE	"durable_singleton.instance"
#define HISTORY		"durable_singleton.history"
#define TASK		"durable_singleton.task"
#define INBOX		"durable_singleton.inbox"
#define EXECUTION	"durable_singleton.execution"
#define HOME		"durable_singleton.home"
#define CRASH		"durable_singleton.crash"
#define HTTP		"durable_singleton.http_function"

#define ACTIVE		"('Pending', 'Running', 'Suspended')"
#define RUNNABLE	"('Pending', 'Running')"
#define ENDED		"('Completed', 'Failed', 'Terminated')"

/* NULL in the row of the first execution of a run. */
#define RUN(i)	"coalesce(" i ".run_id, " i ".execution_id)"

/* The instance waits for a timer, or for an event with a timeout. */
#define HAS_TIMER	"wait_kind IN ('t', 'e') AND wait_fire_at IS NOT NULL"

/* The history has an end of the task $seq of instance i. */
#define HAS_END(seq) \
	"EXISTS (SELECT FROM " HISTORY " h WHERE h.execution_id = i.execution_id" \
	" AND h.seq = " seq " AND h.attempt > 0 AND h.outcome IN ('c', 'f', 't'))"

/* Instance i waits for tasks, and the wait may be over. */
#define TASK_HAS_ENDED \
	"(" HAS_END("i.wait_watch") \
	" OR i.wait_watch = 0 AND EXISTS (SELECT FROM unnest(i.wait_tasks) s" \
	" WHERE " HAS_END("s") "))"

/* Message b requires a reaction of instance i. */
#define HAS_MESSAGE \
	"(b.kind = 'x' AND i.status IN " ACTIVE \
	" OR b.kind = 'e' AND i.status IN " RUNNABLE \
	" AND (i.wait_kind = 'e' AND lower(i.wait_name) = lower(b.name)" \
	" OR i.wait_kind = 'w' AND EXISTS (SELECT FROM unnest(i.wait_tasks) s," \
	" " HISTORY " t WHERE t.execution_id = i.execution_id AND t.seq = s" \
	" AND t.attempt = 0 AND t.kind = 'e' AND lower(t.name) = lower(b.name)" \
	" AND NOT " HAS_END("s") ")))"

#define TIME(t) \
	"to_char(" t " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US0\"Z\"')"

const DsStatement ds_statements[DS_NUM_STATEMENTS] = {
#define STATEMENT(name, types, read_only, by_key, limit_lock_wait, sql) \
	{types, read_only, by_key, limit_lock_wait, sql},
#include "store/statement_list.h"
#undef STATEMENT
};
