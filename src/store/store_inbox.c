/*-------------------------------------------------------------------------
 *
 * store_inbox.c
 *	  Reads and writes the extension's tables: messages to an instance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "utils/formatting.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "store/store_parts.h"
#include "store/table.h"

/* inbox.kind */
#define MESSAGE_EVENT		'e'
#define MESSAGE_TERMINATE	'x'

static bool is_same_name(const DsSession *s, const char *name);
static char *lower_case(const char *name);

void
ds_store_send(const DsInstance *inst, const char *name, Jsonb *data,
			  TimestampTz now)
{
	DsSession	s;
	DsParameters p = {0};

	ds_query_open(&s);
	ds_param_uuid(&p, &inst->run_id);
	ds_param_text(&p, inst->instance_id);
	ds_param_text(&p, name);
	ds_param_jsonb(&p, data);
	ds_param_time(&p, now);
	ds_query_execute(DS_SQL_SEND, &p);
	ds_query_close(&s);
}

bool
ds_store_has_messages(const DsInstance *inst)
{
	return ds_table_has(DS_INBOX, ds_table_uuid_key(&inst->run_id));
}

List *
ds_store_send_terminate(const DsInstance *parent, Jsonb *reason,
						TimestampTz now, const char *after_id, int limit)
{
	DsSession	s;
	DsParameters p = {0};
	List	   *result = NIL;
	uint64		n;

	ds_query_open(&s);
	ds_param_text(&p, parent->instance_id);
	ds_param_uuid(&p, &parent->run_id);
	ds_param_jsonb(&p, reason);
	ds_param_time(&p, now);
	ds_param_text(&p, after_id);
	ds_param_int(&p, limit);
	n = ds_query_execute(DS_SQL_SEND_TERMINATE, &p);
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
	ds_query_close(&s);
	return result;
}

bool
ds_store_find_terminate(const DsInstance *inst, Jsonb **reason)
{
	DsScan		scan;
	bool		found = false;

	ds_table_scan_begin(&scan, DS_INBOX, ds_table_uuid_key(&inst->run_id));
	while (!found && ds_table_scan_next(&scan))
	{
		found = ds_column_char(0, INBOX_kind) == MESSAGE_TERMINATE;
		if (found)
			*reason = ds_column_jsonb(&scan.session, 0, INBOX_data);
	}
	ds_table_scan_end(&scan);
	return found;
}

/*
 * The oldest message of this name, case-insensitively, that is not taken yet.
 */
bool
ds_store_find_event(const DsInstance *inst, const char *name,
					TimestampTz deadline, int n_taken, const int64 *taken,
					DsEvent *event)
{
	DsScan		scan;
	bool		found = false;

	ds_table_scan_begin(&scan, DS_INBOX, ds_table_uuid_key(&inst->run_id));
	while (!found && ds_table_scan_next(&scan))
	{
		event->id = ds_column_int64(0, INBOX_id);
		event->sent_time = ds_column_time(0, INBOX_sent_time);
		found = ds_column_char(0, INBOX_kind) == MESSAGE_EVENT &&
			(deadline == 0 || event->sent_time <= deadline);
		for (int i = 0; i < n_taken && found; i++)
			found = taken[i] != event->id;
		if (!found || !is_same_name(&scan.session, name))
		{
			found = false;
			continue;
		}
		event->data = ds_column_jsonb(&scan.session, 0, INBOX_data);
		event->sender = ds_table_scan_xmin(&scan);
	}
	ds_table_scan_end(&scan);
	return found;
}

/* Compares names of events in the same way as the SQL of statement_list.h. */
static bool
is_same_name(const DsSession *s, const char *name)
{
	char	   *other = ds_column_text(s, 0, INBOX_name);

	return strcmp(other, name) == 0 ||
		strcmp(lower_case(other), lower_case(name)) == 0;
}

static char *
lower_case(const char *name)
{
	return str_tolower(name, strlen(name), DEFAULT_COLLATION_OID);
}

void
ds_store_drop_orphaned_messages(void)
{
	DsSession	s;
	DsParameters p = {0};

	ds_query_open(&s);
	ds_query_execute(DS_SQL_DROP_ORPHANED_MESSAGES, &p);
	ds_query_close(&s);
}

/* --- parts of a step --- */

void
ds_store_delete_taken_messages(const DsStepWrite *w)
{
	for (int i = 0; i < w->n_rows; i++)
	{
		if (w->rows[i].inbox_id != 0)
			ds_table_delete(DS_INBOX,
							ds_table_key2(UUIDPGetDatum(&w->inst->run_id),
										  Int64GetDatum(w->rows[i].inbox_id)),
							true, NULL, NULL);
	}
}

void
ds_store_delete_messages(const pg_uuid_t *run_id)
{
	ds_query_run_for(DS_SQL_DROP_MESSAGES, run_id, false);
}

void
ds_store_delete_events(const pg_uuid_t *run_id)
{
	ds_query_run_for(DS_SQL_DROP_EVENTS, run_id, false);
}
