/*-------------------------------------------------------------------------
 *
 * store_work.c
 *	  Reads and writes the extension's tables: work that was not announced by a
 *	  hint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "store/query.h"
#include "store/store.h"

static void add_home(DsParameters *p, bool any_home, int home);
static List *work_list(const DsSession *s, uint64 n, bool tasks,
					   DsSearchKey *after);

List *
ds_store_find_ready(Oid owner, TimestampTz now, int home, bool any_home,
					DsSearchKey *after, int limit)
{
	DsSession	s;
	DsParameters p = {0};
	List	   *result;
	uint64		n;

	ds_query_open(&s);
	ds_param_oid(&p, owner);
	ds_param_time(&p, now);
	ds_param_datum(&p, TimestampTzGetDatum(after->time), false);
	ds_param_text(&p, after->work.instance_id);
	add_home(&p, any_home, home);
	ds_param_int(&p, limit);
	n = ds_query_execute(DS_SQL_FIND_READY, &p);
	result = work_list(&s, n, false, after);
	for (uint64 i = 0; i < n; i++)
	{
		DsWork	   *work = list_nth(result, i);

		work->due = ds_column_time(i, 2);
		work->tid = ds_column_tid(i, 3);
	}
	if (n > 0)
		after->time = ds_column_time(n - 1, 2);
	ds_query_close(&s);
	return result;
}

List *
ds_store_find_ready_tasks(Oid owner, TimestampTz now, int home, bool any_home,
						  DsSearchKey *after, int limit)
{
	DsSession	s;
	DsParameters p = {0};
	List	   *result;
	uint64		n;

	ds_query_open(&s);
	ds_param_oid(&p, owner);
	ds_param_time(&p, now);
	ds_param_datum(&p, TimestampTzGetDatum(after->time), false);
	ds_param_uuid(&p, &after->work.execution_id);
	ds_param_int(&p, after->work.seq);
	add_home(&p, any_home, home);
	ds_param_int(&p, limit);
	n = ds_query_execute(DS_SQL_FIND_READY_TASKS, &p);
	result = work_list(&s, n, true, after);
	for (uint64 i = 0; i < n; i++)
		((DsWork *) list_nth(result, i))->due = ds_column_time(i, 4);
	if (n > 0)
		after->time = ds_column_time(n - 1, 4);
	ds_query_close(&s);
	return result;
}

List *
ds_store_find_awaiting(Oid owner, int home, bool any_home, DsSearchKey *after,
					   int limit)
{
	DsSession	s;
	DsParameters p = {0};
	List	   *result;

	ds_query_open(&s);
	ds_param_oid(&p, owner);
	add_home(&p, any_home, home);
	ds_param_text(&p, after->work.instance_id);
	ds_param_int(&p, limit);
	result =
		work_list(&s, ds_query_execute(DS_SQL_FIND_AWAITING, &p), false, after);
	ds_query_close(&s);
	return result;
}

List *
ds_store_find_with_message(Oid owner, int home, bool any_home, int limit)
{
	DsSession	s;
	DsParameters p = {0};
	List	   *result;

	ds_query_open(&s);
	ds_param_oid(&p, owner);
	add_home(&p, any_home, home);
	ds_param_int(&p, limit);
	result =
		work_list(&s, ds_query_execute(DS_SQL_FIND_WITH_MESSAGE, &p), false, NULL);
	ds_query_close(&s);
	return result;
}

TimestampTz
ds_store_next_wake(Oid owner, TimestampTz now)
{
	DsSession	s;
	DsParameters p = {0};
	TimestampTz next = DS_NO_TIME;

	ds_query_open(&s);
	ds_param_oid(&p, owner);
	ds_param_time(&p, now);
	if (ds_query_execute(DS_SQL_NEXT_WAKE, &p) > 0)
		next = ds_column_time(0, 1);
	ds_query_close(&s);
	return TIMESTAMP_NOT_FINITE(next) ? DS_NO_TIME : next;
}

List *
ds_store_owners_with_work(void)
{
	static const struct
	{
		DsStatementId statement;
		bool		has_time;
	}			queries[] = {
		{DS_SQL_OWNERS_WITH_WORK, true},
		{DS_SQL_OWNERS_WITH_TASKS, true},
		{DS_SQL_OWNERS_WITH_MESSAGE, false},
		{DS_SQL_OWNERS_AWAITING, false}
	};
	DsSession	s;
	List	   *result = NIL;

	ds_query_open(&s);
	for (int q = 0; q < lengthof(queries); q++)
	{
		DsParameters p = {0};
		uint64		n = ds_query_execute(queries[q].statement, &p);

		for (uint64 i = 0; i < n; i++)
		{
			DsOwnerWork *work =
			MemoryContextAlloc(s.caller, sizeof(DsOwnerWork));
			MemoryContext old = MemoryContextSwitchTo(s.caller);

			work->owner = ds_column_oid(i, 1);
			work->due = queries[q].has_time ? ds_column_time(i, 2) :
				DS_NO_TIME;
			result = lappend(result, work);
			MemoryContextSwitchTo(old);
		}
	}
	ds_query_close(&s);
	return result;
}

int64
ds_store_count_active(Oid owner)
{
	DsSession	s;
	DsParameters p = {0};
	int64		n;

	ds_query_open(&s);
	ds_param_oid(&p, owner);
	ds_query_execute(DS_SQL_COUNT_ACTIVE, &p);
	n = ds_column_int64(0, 1);
	ds_query_close(&s);
	return n;
}

List *
ds_store_find_ownerless(const char *after_id, int limit)
{
	DsParameters p = {0};

	ds_param_text(&p, after_id);
	ds_param_int(&p, limit);
	return ds_query_run_list(DS_SQL_OWNERLESS, &p);
}

void
ds_store_delete_ownerless_tasks(void)
{
	DsParameters p = {0};

	(void) ds_query_run(DS_SQL_DELETE_OWNERLESS_TASKS, &p, false);
}

static void
add_home(DsParameters *p, bool any_home, int home)
{
	ds_param_datum(p, Int32GetDatum(home), any_home);
}

/* Rows of instance ids, with execution and number for tasks. */
static List *
work_list(const DsSession *s, uint64 n, bool tasks, DsSearchKey *after)
{
	List	   *result = NIL;
	MemoryContext old = MemoryContextSwitchTo(s->caller);

	for (uint64 i = 0; i < n; i++)
	{
		DsWork	   *work = palloc0(sizeof(DsWork));

		strlcpy(work->instance_id, ds_column_text(s, i, 1),
				sizeof(work->instance_id));
		if (tasks)
		{
			work->execution_id = ds_column_uuid(i, 2);
			work->seq = ds_column_int(i, 3);
		}
		result = lappend(result, work);
	}
	if (result != NIL && after != NULL)
		after->work = *(DsWork *) llast(result);
	MemoryContextSwitchTo(old);
	return result;
}
