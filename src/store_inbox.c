/*-------------------------------------------------------------------------
 *
 * store_inbox.c
 *	  Reading and writing the extension's tables: what others tell an instance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "store_parts.h"
#include "table.h"

void
ds_store_send(const DsInstance *inst, const char *name, Jsonb *data,
			  TimestampTz now)
{
	DsSession	s;
	DsParameters p = {0};

	ds_open_session(&s);
	ds_add_uuid(&p, &inst->run_id);
	ds_add_text(&p, inst->instance_id);
	ds_add_text(&p, name);
	ds_add_jsonb(&p, data);
	ds_add_time(&p, now);
	ds_execute(DS_SQL_SEND, &p);
	ds_close_session(&s);
}

bool
ds_store_has_messages(const DsInstance *inst)
{
	return ds_table_has(DS_INBOX, ds_key(UUIDPGetDatum(&inst->run_id)));
}

List *
ds_store_send_terminate(const DsInstance *parent, Jsonb *reason,
						TimestampTz now)
{
	DsSession	s;
	DsParameters p = {0};
	List	   *result = NIL;
	uint64		n;

	ds_open_session(&s);
	ds_add_text(&p, parent->instance_id);
	ds_add_uuid(&p, &parent->run_id);
	ds_add_jsonb(&p, reason);
	ds_add_time(&p, now);
	n = ds_execute(DS_SQL_SEND_TERMINATE, &p);
	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(s.caller);
		DsChild    *child = palloc(sizeof(DsChild));

		child->instance_id = ds_column_text(&s, i, 1);
		child->execution_id = ds_column_uuid(i, 2);
		child->owner = ds_column_oid(i, 3);
		result = lappend(result, child);
		MemoryContextSwitchTo(old);
	}
	ds_close_session(&s);
	return result;
}

bool
ds_store_find_terminate(const DsInstance *inst, Jsonb **reason)
{
	DsSession	s;
	DsParameters p = {0};
	bool		found;

	ds_open_session(&s);
	ds_add_uuid(&p, &inst->run_id);
	found = ds_execute(DS_SQL_FIND_TERMINATE, &p) > 0;
	if (found)
		*reason = ds_column_jsonb(&s, 0, 1);
	ds_close_session(&s);
	return found;
}

bool
ds_store_find_event(const DsInstance *inst, const char *name, int n_taken,
					const int64 *taken, DsEvent *event)
{
	DsSession	s;
	DsParameters p = {0};
	bool		found;

	ds_open_session(&s);
	ds_add_uuid(&p, &inst->run_id);
	ds_add_text(&p, name);
	ds_add_int64_array(&p, n_taken, taken);
	found = ds_execute(DS_SQL_FIND_EVENT, &p) > 0;
	if (found)
	{
		event->id = ds_column_int64(0, 1);
		event->data = ds_column_jsonb(&s, 0, 2);
		event->sent_time = ds_column_time(0, 3);
		event->sender = (TransactionId) ds_column_oid(0, 4);
	}
	ds_close_session(&s);
	return found;
}

void
ds_store_drop_orphaned_messages(void)
{
	DsSession	s;
	DsParameters p = {0};

	ds_open_session(&s);
	ds_execute(DS_SQL_DROP_ORPHANED_MESSAGES, &p);
	ds_close_session(&s);
}

/* --- parts of a step --- */

void
ds_delete_taken_messages(const DsStepWrite *w)
{
	DsSession	s;

	for (int i = 0; i < w->n_rows; i++)
	{
		DsParameters p = {0};

		if (w->rows[i].inbox_id == 0)
			continue;
		ds_open_session(&s);
		ds_add_uuid(&p, &w->inst->run_id);
		ds_add_int64(&p, w->rows[i].inbox_id);
		ds_execute(DS_SQL_DELETE_MESSAGE, &p);
		ds_close_session(&s);
	}
}

/* --- within a session --- */

void
ds_delete_messages(const pg_uuid_t *run_id)
{
	DsParameters p = {0};

	ds_add_uuid(&p, run_id);
	ds_execute(DS_SQL_DROP_MESSAGES, &p);
}

void
ds_delete_events(const pg_uuid_t *run_id)
{
	DsParameters p = {0};

	ds_add_uuid(&p, run_id);
	ds_execute(DS_SQL_DROP_EVENTS, &p);
}
