/*-------------------------------------------------------------------------
 *
 * store.c
 *	  Reading and writing the extension's tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "query.h"
#include "settings.h"
#include "store.h"

/* --- the instance --- */

static void
add_fence(DsParameters *p, const DsInstance *inst)
{
	ds_add_text(p, inst->instance_id);
	ds_add_uuid(p, &inst->execution_id);
	ds_add_int(p, inst->turn);
}

DsInstance *
ds_store_load(const char *instance_id)
{
	DsSession	s;
	DsParameters p = {0};
	DsInstance *inst = NULL;

	ds_open_session(&s);
	ds_add_text(&p, instance_id);
	if (ds_execute(DS_SQL_LOAD_INSTANCE, &p) > 0)
	{
		int			col = 1;

		inst = MemoryContextAllocZero(s.caller, sizeof(DsInstance));
		inst->instance_id = MemoryContextStrdup(s.caller, instance_id);
		inst->execution_id = ds_column_uuid(0, col++);
		inst->run_id = ds_column_uuid(0, col++);
		inst->owner = ds_column_oid(0, col++);
		inst->status = ds_status_from_oid(ds_column_oid(0, col++));
		inst->turn = ds_column_int(0, col++);
		inst->history_length = ds_column_int(0, col++);
		inst->home = ds_column_int(0, col++);
		inst->name = ds_column_text(&s, 0, col++);
		inst->function_schema = ds_column_text(&s, 0, col++);
		inst->created_time = ds_column_time(0, col++);
		inst->last_updated_time = ds_column_time(0, col++);
		inst->ready_time = ds_column_time(0, col++);
		inst->start_clock = ds_column_time(0, col++);
		inst->wait.kind = (DsOpKind) ds_column_char(0, col++);
		inst->wait.name = ds_column_text(&s, 0, col++);
		inst->wait.since = ds_column_time(0, col++);
		inst->wait.fire_at = ds_column_time(0, col++);
		inst->wait.default_value = ds_column_jsonb(&s, 0, col++);
		inst->input = ds_column_jsonb(&s, 0, col++);
		inst->custom_status = ds_column_jsonb(&s, 0, col++);
		inst->output = ds_column_jsonb(&s, 0, col++);
		inst->failure = ds_column_jsonb(&s, 0, col++);
		inst->xmin = (TransactionId) ds_column_oid(0, col++);
	}
	ds_close_session(&s);
	return inst;
}

static void
add_start(DsParameters *p, const DsStart *start)
{
	ds_add_text(p, start->instance_id);
	ds_add_uuid(p, &start->execution_id);
	ds_add_oid(p, start->owner);
	ds_add_text(p, start->name);
	ds_add_text(p, start->function_schema);
	ds_add_jsonb(p, start->input);
	ds_add_time(p, start->now);
	ds_add_time(p, start->ready_time);
	ds_add_int(p, start->home);
}

bool
ds_store_insert(const DsStart *start)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	add_start(&p, start);
	done = ds_execute(DS_SQL_INSERT_INSTANCE, &p) > 0;
	ds_close_session(&s);
	return done;
}

bool
ds_store_start_over(const DsStart *start, const DsInstance *over,
					int n_allowed, const DsStatus *allowed)
{
	DsSession	s;
	DsParameters p = {0};
	Datum		values[DS_NUM_STATUS];
	bool		done;

	ds_open_session(&s);
	add_start(&p, start);
	ds_add_uuid(&p, &over->execution_id);
	ds_add_int(&p, over->turn);
	Assert(n_allowed <= DS_NUM_STATUS);
	for (int i = 0; i < n_allowed; i++)
		values[i] = ObjectIdGetDatum(ds_status_to_oid(allowed[i]));
	ds_add(&p, PointerGetDatum(construct_array(values, n_allowed,
											   ds_catalog(false)->status_type,
											   sizeof(Oid), true, TYPALIGN_INT)),
		   false);

	if (ds_keep_executions > 0)
		done = ds_execute(DS_SQL_START_OVER_ARCHIVING, &p) > 0;
	else
		done = ds_execute(DS_SQL_START_OVER, &p) > 0;

	if (done)
	{
		DsParameters messages = {0};
		DsParameters prune = {0};

		/* events that the old run never waited for */
		ds_add_uuid(&messages, &over->run_id);
		ds_execute(DS_SQL_DROP_MESSAGES, &messages);
		ds_add_text(&prune, start->instance_id);
		ds_add_int(&prune, ds_keep_executions);
		ds_execute(DS_SQL_PRUNE_ARCHIVE, &prune);
	}
	if (done && ds_keep_executions == 0 && over->history_length > 0)
	{
		DsParameters history = {0};

		ds_add_uuid(&history, &over->execution_id);
		ds_execute(DS_SQL_DELETE_HISTORY, &history);
	}
	ds_close_session(&s);
	return done;
}

/* The rows of the operations that a step finished. */
static void
write_new_ops(const DsStepWrite *w)
{
	for (int i = 0; i < w->n_new_ops; i++)
	{
		const DsOp *op = &w->new_ops[i];
		DsParameters p = {0};

		ds_add_uuid(&p, &w->inst->execution_id);
		ds_add_int(&p, w->inst->history_length + i + 1);
		ds_add_char(&p, op->kind);
		ds_add_char(&p, op->outcome);
		ds_add_text(&p, op->name);
		ds_add_jsonb(&p, op->input);
		ds_add_jsonb(&p, op->result);
		ds_add_jsonb(&p, op->failure);
		ds_add_time(&p, op->scheduled_time);
		ds_add_time(&p, op->event_time);
		ds_add_time(&p, op->fire_at);
		ds_execute(DS_SQL_INSERT_HISTORY, &p);

		if (op->inbox_id != 0)
		{
			DsParameters message = {0};

			ds_add_uuid(&message, &w->inst->run_id);
			ds_add(&message, Int64GetDatum(op->inbox_id), false);
			ds_execute(DS_SQL_DELETE_MESSAGE, &message);
		}
	}
}

/*
 * The instance's row comes last in all three: it is the only lock that a step
 * could have to wait for, and what is waited for last cannot make a deadlock
 * with others that do the same.
 */
bool
ds_store_step(const DsStepWrite *w)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	write_new_ops(w);
	add_fence(&p, w->inst);
	ds_add_time(&p, w->now);
	ds_add_int(&p, w->inst->history_length + w->n_new_ops);
	ds_add_char(&p, w->wait.kind);
	ds_add_time(&p, w->wait.since);
	ds_add_time(&p, w->wait.fire_at);
	ds_add_text(&p, w->wait.name);
	ds_add_time(&p, w->start_clock);
	ds_add_jsonb(&p, w->wait.default_value);
	ds_add_jsonb(&p, w->custom_status);
	done = ds_execute(DS_SQL_STEP, &p) > 0;
	ds_close_session(&s);
	return done;
}

bool
ds_store_end(const DsStepWrite *w)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	write_new_ops(w);
	add_fence(&p, w->inst);
	ds_add_time(&p, w->now);
	ds_add_int(&p, w->inst->history_length + w->n_new_ops);
	ds_add_oid(&p, ds_status_to_oid(w->end_status));
	ds_add_time(&p, w->start_clock);
	ds_add_jsonb(&p, w->custom_status);
	ds_add_jsonb(&p, w->output);
	ds_add_jsonb(&p, w->failure);
	done = ds_execute(DS_SQL_END, &p) > 0;
	ds_close_session(&s);
	return done;
}

bool
ds_store_continue(const DsStepWrite *w)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	/* the finished turn leaves no trace but the events that it took */
	for (int i = 0; i < w->n_new_ops; i++)
	{
		DsParameters message = {0};

		if (w->new_ops[i].inbox_id == 0)
			continue;
		ds_add_uuid(&message, &w->inst->run_id);
		ds_add(&message, Int64GetDatum(w->new_ops[i].inbox_id), false);
		ds_execute(DS_SQL_DELETE_MESSAGE, &message);
	}
	if (!w->keep_events)
	{
		DsParameters messages = {0};

		ds_add_uuid(&messages, &w->inst->run_id);
		ds_execute(DS_SQL_DROP_MESSAGES, &messages);
	}
	if (w->inst->history_length > 0)
	{
		DsParameters history = {0};

		ds_add_uuid(&history, &w->inst->execution_id);
		ds_execute(DS_SQL_DELETE_HISTORY, &history);
	}
	add_fence(&p, w->inst);
	ds_add_time(&p, w->now);
	ds_add_uuid(&p, &w->next_execution);
	ds_add_jsonb(&p, w->next_input);
	ds_add_jsonb(&p, w->custom_status);
	done = ds_execute(DS_SQL_CONTINUE, &p) > 0;
	ds_close_session(&s);
	return done;
}

bool
ds_store_terminate(const DsInstance *inst, TimestampTz now, Jsonb *output)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	ds_add_text(&p, inst->instance_id);
	ds_add_uuid(&p, &inst->execution_id);
	ds_add_time(&p, now);
	ds_add_jsonb(&p, output);
	done = ds_execute(DS_SQL_TERMINATE, &p) > 0;
	ds_close_session(&s);
	return done;
}

bool
ds_store_is_unlocked(const char *instance_id)
{
	DsSession	s;
	DsParameters p = {0};
	bool		unlocked;

	ds_open_session(&s);
	ds_add_text(&p, instance_id);
	unlocked = ds_execute(DS_SQL_TRY_LOCK_INSTANCE, &p) > 0;
	ds_close_session(&s);
	return unlocked;
}

/* --- its history --- */

DsOp *
ds_store_load_history(const DsInstance *inst, int *n_ops)
{
	DsSession	s;
	DsParameters p = {0};
	DsOp	   *ops;
	uint64		n;

	ds_open_session(&s);
	ds_add_uuid(&p, &inst->execution_id);
	n = ds_execute(DS_SQL_LOAD_HISTORY, &p);
	ops = MemoryContextAllocHuge(s.caller, (n + 1) * sizeof(DsOp));
	memset(ops, 0, (n + 1) * sizeof(DsOp));
	for (uint64 i = 0; i < n; i++)
	{
		DsOp	   *op = &ops[i];
		int			col = 1;

		op->kind = (DsOpKind) ds_column_char(i, col++);
		op->outcome = (DsOutcome) ds_column_char(i, col++);
		op->name = ds_column_text(&s, i, col++);
		op->result = ds_column_jsonb(&s, i, col++);
		op->failure = ds_column_jsonb(&s, i, col++);
		op->scheduled_time = ds_column_time(i, col++);
		op->event_time = ds_column_time(i, col++);
		op->fire_at = ds_column_time(i, col++);
	}
	ds_close_session(&s);
	*n_ops = (int) n;
	return ops;
}

Jsonb *
ds_store_story(const char *instance_id, bool outputs, bool inputs,
			   bool failures)
{
	DsSession	s;
	DsParameters p = {0};
	Jsonb	   *story = NULL;

	ds_open_session(&s);
	ds_add_text(&p, instance_id);
	ds_add(&p, BoolGetDatum(outputs), false);
	ds_add(&p, BoolGetDatum(inputs), false);
	ds_add(&p, BoolGetDatum(failures), false);
	if (ds_execute(DS_SQL_STORY, &p) > 0)
		story = ds_column_jsonb(&s, 0, 1);
	ds_close_session(&s);
	return story;
}

/* --- what others tell it --- */

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

int64
ds_store_find_event(const DsInstance *inst, const char *name, int n_taken,
					const int64 *taken, Jsonb **data, TransactionId *sender)
{
	DsSession	s;
	DsParameters p = {0};
	Datum	   *ids;
	int64		id = 0;

	ds_open_session(&s);
	ds_add_uuid(&p, &inst->run_id);
	ds_add_text(&p, name);
	ids = palloc((n_taken + 1) * sizeof(Datum));
	for (int i = 0; i < n_taken; i++)
		ids[i] = Int64GetDatum(taken[i]);
	ds_add(&p, PointerGetDatum(construct_array(ids, n_taken, INT8OID,
											   sizeof(int64), FLOAT8PASSBYVAL,
											   TYPALIGN_DOUBLE)), false);
	if (ds_execute(DS_SQL_FIND_EVENT, &p) > 0)
	{
		bool		isnull;

		id = DatumGetInt64(ds_column(0, 1, &isnull));
		*data = ds_column_jsonb(&s, 0, 2);
		*sender = (TransactionId) ds_column_oid(0, 3);
	}
	ds_close_session(&s);
	return id;
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

/* --- work that no hint told of --- */

static void
add_home(DsParameters *p, bool any_home, int home)
{
	ds_add(p, Int32GetDatum(home), any_home);
}

List *
ds_store_find_ready(Oid owner, TimestampTz now, int home, bool any_home,
					TimestampTz *after_time, char *after_id, int limit)
{
	DsSession	s;
	DsParameters p = {0};
	List	   *result;
	uint64		n;

	ds_open_session(&s);
	ds_add_oid(&p, owner);
	ds_add_time(&p, now);
	ds_add(&p, TimestampTzGetDatum(*after_time), false);
	ds_add_text(&p, after_id);
	add_home(&p, any_home, home);
	ds_add_int(&p, limit);
	n = ds_execute(DS_SQL_FIND_READY, &p);
	result = ds_column_list(&s, n);
	if (n > 0)
	{
		*after_time = ds_column_time(n - 1, 2);
		strlcpy(after_id, llast(result), DS_MAX_ID_LENGTH + 1);
	}
	ds_close_session(&s);
	return result;
}

List *
ds_store_find_event_ready(Oid owner, int home, bool any_home, int limit)
{
	DsSession	s;
	DsParameters p = {0};
	List	   *result;

	ds_open_session(&s);
	ds_add_oid(&p, owner);
	add_home(&p, any_home, home);
	ds_add_int(&p, limit);
	result = ds_column_list(&s, ds_execute(DS_SQL_FIND_EVENT_READY, &p));
	ds_close_session(&s);
	return result;
}

TimestampTz
ds_store_next_wake(Oid owner, TimestampTz now)
{
	DsSession	s;
	DsParameters p = {0};
	TimestampTz next = 0;

	ds_open_session(&s);
	ds_add_oid(&p, owner);
	ds_add_time(&p, now);
	if (ds_execute(DS_SQL_NEXT_WAKE, &p) > 0)
		next = ds_column_time(0, 1);
	ds_close_session(&s);
	return TIMESTAMP_NOT_FINITE(next) ? 0 : next;
}

List *
ds_store_owners_with_work(void)
{
	static const DsStatementId queries[] = {
		DS_SQL_OWNERS_WITH_WORK, DS_SQL_OWNERS_WITH_EVENTS
	};
	DsSession	s;
	List	   *result = NIL;

	ds_open_session(&s);
	for (int q = 0; q < lengthof(queries); q++)
	{
		DsParameters p = {0};
		uint64		n = ds_execute(queries[q], &p);

		for (uint64 i = 0; i < n; i++)
		{
			DsOwnerWork *work = MemoryContextAlloc(s.caller, sizeof(DsOwnerWork));
			MemoryContext old = MemoryContextSwitchTo(s.caller);

			work->owner = ds_column_oid(i, 1);
			work->due = queries[q] == DS_SQL_OWNERS_WITH_WORK ?
				ds_column_time(i, 2) : 0;
			result = lappend(result, work);
			MemoryContextSwitchTo(old);
		}
	}
	ds_close_session(&s);
	return result;
}

List *
ds_store_ownerless(int limit)
{
	DsSession	s;
	DsParameters p = {0};
	List	   *result;

	ds_open_session(&s);
	ds_add_int(&p, limit);
	result = ds_column_list(&s, ds_execute(DS_SQL_OWNERLESS, &p));
	ds_close_session(&s);
	return result;
}

/* --- home --- */

bool
ds_store_any_foreign(int stamp)
{
	DsSession	s;
	DsParameters p = {0};
	bool		result;

	ds_open_session(&s);
	ds_add_int(&p, stamp);
	result = ds_execute(DS_SQL_ANY_FOREIGN, &p) > 0;
	ds_close_session(&s);
	return result;
}

bool
ds_store_is_home(int64 system_identifier, Oid database)
{
	DsSession	s;
	DsParameters p = {0};
	bool		result = false;

	ds_open_session(&s);
	ds_add(&p, Int64GetDatum(system_identifier), false);
	ds_add_oid(&p, database);
	if (ds_execute(DS_SQL_LOAD_HOME, &p) > 0)
	{
		bool		isnull;
		Datum		d = ds_column(0, 1, &isnull);

		result = !isnull && DatumGetBool(d);
	}
	ds_close_session(&s);
	return result;
}

void
ds_store_move_home(int64 system_identifier, Oid database, int stamp)
{
	DsSession	s;
	DsParameters none = {0};
	DsParameters home = {0};
	DsParameters p = {0};

	ds_open_session(&s);
	ds_execute(DS_SQL_DELETE_HOME, &none);
	ds_add(&home, Int64GetDatum(system_identifier), false);
	ds_add_oid(&home, database);
	ds_execute(DS_SQL_INSERT_HOME, &home);
	ds_add_int(&p, stamp);
	ds_execute(DS_SQL_MOVE_HOME, &p);
	ds_close_session(&s);
}
