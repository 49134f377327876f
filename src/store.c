/*-------------------------------------------------------------------------
 *
 * store.c
 *	  Reading and writing the extension's tables.
 *
 * The statements of statements.c are prepared at their first use and kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "settings.h"
#include "statements.h"
#include "store.h"

#define MAX_PARAMETERS	16
#define BOUNDED_WAIT_MS	1000

/* The parameters of a statement, filled in order. */
typedef struct Parameters
{
	int			n;
	Datum		values[MAX_PARAMETERS];
	char		nulls[MAX_PARAMETERS + 1];
} Parameters;

/* One visit to the tables. */
typedef struct Session
{
	DsIdentity	identity;
	MemoryContext caller;
	bool		pushed_snapshot;
} Session;

static SPIPlanPtr plans[DS_NUM_STATEMENTS];
static uint64 plans_generation = 0;

static void open_session(Session *session);
static void close_session(const Session *session);
static uint64 execute(DsStatementId id, Parameters *p);
static SPIPlanPtr get_plan(const DsStatement *statement);
static Oid	parameter_type(char letter);

/* --- parameters --- */

static void
add(Parameters *p, Datum value, bool isnull)
{
	Assert(p->n < MAX_PARAMETERS);
	p->values[p->n] = value;
	p->nulls[p->n] = isnull ? 'n' : ' ';
	p->n++;
}

static void
add_text(Parameters *p, const char *s)
{
	add(p, s ? CStringGetTextDatum(s) : (Datum) 0, s == NULL);
}

static void
add_uuid(Parameters *p, const pg_uuid_t *u)
{
	add(p, UUIDPGetDatum(u), false);
}

static void
add_time(Parameters *p, TimestampTz t)
{
	add(p, TimestampTzGetDatum(t), t == 0);
}

static void
add_jsonb(Parameters *p, const Jsonb *j)
{
	add(p, PointerGetDatum(j), j == NULL);
}

static void
add_int(Parameters *p, int i)
{
	add(p, Int32GetDatum(i), false);
}

static void
add_oid(Parameters *p, Oid o)
{
	add(p, ObjectIdGetDatum(o), false);
}

static void
add_char(Parameters *p, char c)
{
	add(p, CharGetDatum(c), c == '\0');
}

static void
add_fence(Parameters *p, const DsInstance *inst)
{
	add_text(p, inst->instance_id);
	add_uuid(p, &inst->execution_id);
	add_int(p, inst->turn);
}

/* --- results: row and column of SPI_tuptable, copied to the caller --- */

static Datum
column(int row, int col, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 col, isnull);
}

static char *
column_text(const Session *s, int row, int col)
{
	bool		isnull;
	Datum		d = column(row, col, &isnull);
	MemoryContext old;
	char	   *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(s->caller);
	result = TextDatumGetCString(d);
	MemoryContextSwitchTo(old);
	return result;
}

static Jsonb *
column_jsonb(const Session *s, int row, int col)
{
	bool		isnull;
	Datum		d = column(row, col, &isnull);
	MemoryContext old;
	Jsonb	   *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(s->caller);
	result = DatumGetJsonbPCopy(d);
	MemoryContextSwitchTo(old);
	return result;
}

static pg_uuid_t
column_uuid(int row, int col)
{
	bool		isnull;
	Datum		d = column(row, col, &isnull);

	Assert(!isnull);
	return *DatumGetUUIDP(d);
}

static TimestampTz
column_time(int row, int col)
{
	bool		isnull;
	Datum		d = column(row, col, &isnull);

	return isnull ? 0 : DatumGetTimestampTz(d);
}

static int
column_int(int row, int col)
{
	bool		isnull;
	Datum		d = column(row, col, &isnull);

	return isnull ? 0 : DatumGetInt32(d);
}

static Oid
column_oid(int row, int col)
{
	bool		isnull;
	Datum		d = column(row, col, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(d);
}

static char
column_char(int row, int col)
{
	bool		isnull;
	Datum		d = column(row, col, &isnull);

	return isnull ? '\0' : DatumGetChar(d);
}

/* The first column of all rows, as strings. */
static List *
column_list(const Session *s, uint64 n_rows)
{
	List	   *result = NIL;

	for (uint64 row = 0; row < n_rows; row++)
	{
		char	   *text = column_text(s, row, 1);
		MemoryContext old = MemoryContextSwitchTo(s->caller);

		result = lappend(result, text);
		MemoryContextSwitchTo(old);
	}
	return result;
}

/* --- the instance --- */

DsInstance *
ds_store_load(const char *instance_id)
{
	Session		s;
	Parameters	p = {0};
	DsInstance *inst = NULL;

	open_session(&s);
	add_text(&p, instance_id);
	if (execute(DS_SQL_LOAD_INSTANCE, &p) > 0)
	{
		int			col = 1;

		inst = MemoryContextAllocZero(s.caller, sizeof(DsInstance));
		inst->instance_id = MemoryContextStrdup(s.caller, instance_id);
		inst->execution_id = column_uuid(0, col++);
		inst->run_id = column_uuid(0, col++);
		inst->owner = column_oid(0, col++);
		inst->status = ds_status_from_oid(column_oid(0, col++));
		inst->turn = column_int(0, col++);
		inst->history_length = column_int(0, col++);
		inst->home = column_int(0, col++);
		inst->name = column_text(&s, 0, col++);
		inst->function_schema = column_text(&s, 0, col++);
		inst->created_time = column_time(0, col++);
		inst->last_updated_time = column_time(0, col++);
		inst->ready_time = column_time(0, col++);
		inst->start_clock = column_time(0, col++);
		inst->wait.kind = (DsOpKind) column_char(0, col++);
		inst->wait.name = column_text(&s, 0, col++);
		inst->wait.since = column_time(0, col++);
		inst->wait.fire_at = column_time(0, col++);
		inst->wait.default_value = column_jsonb(&s, 0, col++);
		inst->input = column_jsonb(&s, 0, col++);
		inst->custom_status = column_jsonb(&s, 0, col++);
		inst->output = column_jsonb(&s, 0, col++);
		inst->failure = column_jsonb(&s, 0, col++);
		inst->xmin = (TransactionId) column_oid(0, col++);
	}
	close_session(&s);
	return inst;
}

static void
add_start(Parameters *p, const DsStart *start)
{
	add_text(p, start->instance_id);
	add_uuid(p, &start->execution_id);
	add_oid(p, start->owner);
	add_text(p, start->name);
	add_text(p, start->function_schema);
	add_jsonb(p, start->input);
	add_time(p, start->now);
	add_time(p, start->ready_time);
	add_int(p, start->home);
}

bool
ds_store_insert(const DsStart *start)
{
	Session		s;
	Parameters	p = {0};
	bool		done;

	open_session(&s);
	add_start(&p, start);
	done = execute(DS_SQL_INSERT_INSTANCE, &p) > 0;
	close_session(&s);
	return done;
}

bool
ds_store_start_over(const DsStart *start, const DsInstance *over,
					int n_allowed, const DsStatus *allowed)
{
	Session		s;
	Parameters	p = {0};
	Datum		values[DS_NUM_STATUS];
	bool		done;

	open_session(&s);
	add_start(&p, start);
	add_uuid(&p, &over->execution_id);
	add_int(&p, over->turn);
	Assert(n_allowed <= DS_NUM_STATUS);
	for (int i = 0; i < n_allowed; i++)
		values[i] = ObjectIdGetDatum(ds_status_to_oid(allowed[i]));
	add(&p, PointerGetDatum(construct_array(values, n_allowed,
											ds_catalog(false)->status_type,
											sizeof(Oid), true, TYPALIGN_INT)),
		false);

	if (ds_keep_executions > 0)
		done = execute(DS_SQL_START_OVER_ARCHIVING, &p) > 0;
	else
		done = execute(DS_SQL_START_OVER, &p) > 0;

	if (done)
	{
		Parameters	messages = {0};
		Parameters	prune = {0};

		/* events that the old run never waited for */
		add_uuid(&messages, &over->run_id);
		execute(DS_SQL_DROP_MESSAGES, &messages);
		add_text(&prune, start->instance_id);
		add_int(&prune, ds_keep_executions);
		execute(DS_SQL_PRUNE_ARCHIVE, &prune);
	}
	if (done && ds_keep_executions == 0 && over->history_length > 0)
	{
		Parameters	history = {0};

		add_uuid(&history, &over->execution_id);
		execute(DS_SQL_DELETE_HISTORY, &history);
	}
	close_session(&s);
	return done;
}

/* The rows of the operations that a step finished. */
static void
write_new_ops(const DsStepWrite *w)
{
	for (int i = 0; i < w->n_new_ops; i++)
	{
		const DsOp *op = &w->new_ops[i];
		Parameters	p = {0};

		add_uuid(&p, &w->inst->execution_id);
		add_int(&p, w->inst->history_length + i + 1);
		add_char(&p, op->kind);
		add_char(&p, op->outcome);
		add_text(&p, op->name);
		add_jsonb(&p, op->input);
		add_jsonb(&p, op->result);
		add_jsonb(&p, op->failure);
		add_time(&p, op->scheduled_time);
		add_time(&p, op->event_time);
		add_time(&p, op->fire_at);
		execute(DS_SQL_INSERT_HISTORY, &p);

		if (op->inbox_id != 0)
		{
			Parameters	message = {0};

			add_uuid(&message, &w->inst->run_id);
			add(&message, Int64GetDatum(op->inbox_id), false);
			execute(DS_SQL_DELETE_MESSAGE, &message);
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
	Session		s;
	Parameters	p = {0};
	bool		done;

	open_session(&s);
	write_new_ops(w);
	add_fence(&p, w->inst);
	add_time(&p, w->now);
	add_int(&p, w->inst->history_length + w->n_new_ops);
	add_char(&p, w->wait.kind);
	add_time(&p, w->wait.since);
	add_time(&p, w->wait.fire_at);
	add_text(&p, w->wait.name);
	add_time(&p, w->start_clock);
	add_jsonb(&p, w->wait.default_value);
	add_jsonb(&p, w->custom_status);
	done = execute(DS_SQL_STEP, &p) > 0;
	close_session(&s);
	return done;
}

bool
ds_store_end(const DsStepWrite *w)
{
	Session		s;
	Parameters	p = {0};
	bool		done;

	open_session(&s);
	write_new_ops(w);
	add_fence(&p, w->inst);
	add_time(&p, w->now);
	add_int(&p, w->inst->history_length + w->n_new_ops);
	add_oid(&p, ds_status_to_oid(w->end_status));
	add_time(&p, w->start_clock);
	add_jsonb(&p, w->custom_status);
	add_jsonb(&p, w->output);
	add_jsonb(&p, w->failure);
	done = execute(DS_SQL_END, &p) > 0;
	close_session(&s);
	return done;
}

bool
ds_store_continue(const DsStepWrite *w)
{
	Session		s;
	Parameters	p = {0};
	bool		done;

	open_session(&s);
	/* the finished turn leaves no trace but the events that it took */
	for (int i = 0; i < w->n_new_ops; i++)
	{
		Parameters	message = {0};

		if (w->new_ops[i].inbox_id == 0)
			continue;
		add_uuid(&message, &w->inst->run_id);
		add(&message, Int64GetDatum(w->new_ops[i].inbox_id), false);
		execute(DS_SQL_DELETE_MESSAGE, &message);
	}
	if (!w->keep_events)
	{
		Parameters	messages = {0};

		add_uuid(&messages, &w->inst->run_id);
		execute(DS_SQL_DROP_MESSAGES, &messages);
	}
	if (w->inst->history_length > 0)
	{
		Parameters	history = {0};

		add_uuid(&history, &w->inst->execution_id);
		execute(DS_SQL_DELETE_HISTORY, &history);
	}
	add_fence(&p, w->inst);
	add_time(&p, w->now);
	add_uuid(&p, &w->next_execution);
	add_jsonb(&p, w->next_input);
	add_jsonb(&p, w->custom_status);
	done = execute(DS_SQL_CONTINUE, &p) > 0;
	close_session(&s);
	return done;
}

bool
ds_store_terminate(const DsInstance *inst, TimestampTz now, Jsonb *output)
{
	Session		s;
	Parameters	p = {0};
	bool		done;

	open_session(&s);
	add_text(&p, inst->instance_id);
	add_uuid(&p, &inst->execution_id);
	add_time(&p, now);
	add_jsonb(&p, output);
	done = execute(DS_SQL_TERMINATE, &p) > 0;
	close_session(&s);
	return done;
}

bool
ds_store_is_unlocked(const char *instance_id)
{
	Session		s;
	Parameters	p = {0};
	bool		unlocked;

	open_session(&s);
	add_text(&p, instance_id);
	unlocked = execute(DS_SQL_TRY_LOCK_INSTANCE, &p) > 0;
	close_session(&s);
	return unlocked;
}

/* --- its history --- */

DsOp *
ds_store_load_history(const DsInstance *inst, int *n_ops)
{
	Session		s;
	Parameters	p = {0};
	DsOp	   *ops;
	uint64		n;

	open_session(&s);
	add_uuid(&p, &inst->execution_id);
	n = execute(DS_SQL_LOAD_HISTORY, &p);
	ops = MemoryContextAllocHuge(s.caller, (n + 1) * sizeof(DsOp));
	memset(ops, 0, (n + 1) * sizeof(DsOp));
	for (uint64 i = 0; i < n; i++)
	{
		DsOp	   *op = &ops[i];
		int			col = 1;

		op->kind = (DsOpKind) column_char(i, col++);
		op->outcome = (DsOutcome) column_char(i, col++);
		op->name = column_text(&s, i, col++);
		op->result = column_jsonb(&s, i, col++);
		op->failure = column_jsonb(&s, i, col++);
		op->scheduled_time = column_time(i, col++);
		op->event_time = column_time(i, col++);
		op->fire_at = column_time(i, col++);
	}
	close_session(&s);
	*n_ops = (int) n;
	return ops;
}

Jsonb *
ds_store_story(const char *instance_id, bool outputs, bool inputs,
			   bool failures)
{
	Session		s;
	Parameters	p = {0};
	Jsonb	   *story = NULL;

	open_session(&s);
	add_text(&p, instance_id);
	add(&p, BoolGetDatum(outputs), false);
	add(&p, BoolGetDatum(inputs), false);
	add(&p, BoolGetDatum(failures), false);
	if (execute(DS_SQL_STORY, &p) > 0)
		story = column_jsonb(&s, 0, 1);
	close_session(&s);
	return story;
}

/* --- what others tell it --- */

void
ds_store_send(const DsInstance *inst, const char *name, Jsonb *data,
			  TimestampTz now)
{
	Session		s;
	Parameters	p = {0};

	open_session(&s);
	add_uuid(&p, &inst->run_id);
	add_text(&p, inst->instance_id);
	add_text(&p, name);
	add_jsonb(&p, data);
	add_time(&p, now);
	execute(DS_SQL_SEND, &p);
	close_session(&s);
}

int64
ds_store_find_event(const DsInstance *inst, const char *name, int n_taken,
					const int64 *taken, Jsonb **data)
{
	Session		s;
	Parameters	p = {0};
	Datum	   *ids;
	int64		id = 0;

	open_session(&s);
	add_uuid(&p, &inst->run_id);
	add_text(&p, name);
	ids = palloc((n_taken + 1) * sizeof(Datum));
	for (int i = 0; i < n_taken; i++)
		ids[i] = Int64GetDatum(taken[i]);
	add(&p, PointerGetDatum(construct_array(ids, n_taken, INT8OID,
											sizeof(int64), FLOAT8PASSBYVAL,
											TYPALIGN_DOUBLE)), false);
	if (execute(DS_SQL_FIND_EVENT, &p) > 0)
	{
		bool		isnull;

		id = DatumGetInt64(column(0, 1, &isnull));
		*data = column_jsonb(&s, 0, 2);
	}
	close_session(&s);
	return id;
}

void
ds_store_drop_orphaned_messages(void)
{
	Session		s;
	Parameters	p = {0};

	open_session(&s);
	execute(DS_SQL_DROP_ORPHANED_MESSAGES, &p);
	close_session(&s);
}

/* --- work that no hint told of --- */

static void
add_home(Parameters *p, bool any_home, int home)
{
	add(p, Int32GetDatum(home), any_home);
}

List *
ds_store_find_ready(Oid owner, TimestampTz now, int home, bool any_home,
					TimestampTz *after_time, char *after_id, int limit)
{
	Session		s;
	Parameters	p = {0};
	List	   *result;
	uint64		n;

	open_session(&s);
	add_oid(&p, owner);
	add_time(&p, now);
	add(&p, TimestampTzGetDatum(*after_time), false);
	add_text(&p, after_id);
	add_home(&p, any_home, home);
	add_int(&p, limit);
	n = execute(DS_SQL_FIND_READY, &p);
	result = column_list(&s, n);
	if (n > 0)
	{
		*after_time = column_time(n - 1, 2);
		strlcpy(after_id, llast(result), DS_MAX_ID_LENGTH + 1);
	}
	close_session(&s);
	return result;
}

List *
ds_store_find_event_ready(Oid owner, int home, bool any_home, int limit)
{
	Session		s;
	Parameters	p = {0};
	List	   *result;

	open_session(&s);
	add_oid(&p, owner);
	add_home(&p, any_home, home);
	add_int(&p, limit);
	result = column_list(&s, execute(DS_SQL_FIND_EVENT_READY, &p));
	close_session(&s);
	return result;
}

TimestampTz
ds_store_next_wake(Oid owner, TimestampTz now)
{
	Session		s;
	Parameters	p = {0};
	TimestampTz next = 0;

	open_session(&s);
	add_oid(&p, owner);
	add_time(&p, now);
	if (execute(DS_SQL_NEXT_WAKE, &p) > 0)
		next = column_time(0, 1);
	close_session(&s);
	return TIMESTAMP_NOT_FINITE(next) ? 0 : next;
}

List *
ds_store_owners_with_work(void)
{
	static const DsStatementId queries[] = {
		DS_SQL_OWNERS_WITH_WORK, DS_SQL_OWNERS_WITH_EVENTS
	};
	Session		s;
	List	   *result = NIL;

	open_session(&s);
	for (int q = 0; q < lengthof(queries); q++)
	{
		Parameters	p = {0};
		uint64		n = execute(queries[q], &p);

		for (uint64 i = 0; i < n; i++)
		{
			DsOwnerWork *work = MemoryContextAlloc(s.caller, sizeof(DsOwnerWork));
			MemoryContext old = MemoryContextSwitchTo(s.caller);

			work->owner = column_oid(i, 1);
			work->due = queries[q] == DS_SQL_OWNERS_WITH_WORK ?
				column_time(i, 2) : 0;
			result = lappend(result, work);
			MemoryContextSwitchTo(old);
		}
	}
	close_session(&s);
	return result;
}

List *
ds_store_ownerless(int limit)
{
	Session		s;
	Parameters	p = {0};
	List	   *result;

	open_session(&s);
	add_int(&p, limit);
	result = column_list(&s, execute(DS_SQL_OWNERLESS, &p));
	close_session(&s);
	return result;
}

/* --- home --- */

bool
ds_store_is_home(int64 system_identifier, Oid database)
{
	Session		s;
	Parameters	p = {0};
	bool		result = false;

	open_session(&s);
	add(&p, Int64GetDatum(system_identifier), false);
	add_oid(&p, database);
	if (execute(DS_SQL_LOAD_HOME, &p) > 0)
	{
		bool		isnull;
		Datum		d = column(0, 1, &isnull);

		result = !isnull && DatumGetBool(d);
	}
	close_session(&s);
	return result;
}

void
ds_store_move_home(int64 system_identifier, Oid database, int stamp)
{
	Session		s;
	Parameters	none = {0};
	Parameters	home = {0};
	Parameters	p = {0};

	open_session(&s);
	execute(DS_SQL_DELETE_HOME, &none);
	add(&home, Int64GetDatum(system_identifier), false);
	add_oid(&home, database);
	execute(DS_SQL_INSERT_HOME, &home);
	add_int(&p, stamp);
	execute(DS_SQL_MOVE_HOME, &p);
	close_session(&s);
}

/* --- the machinery --- */

static void
open_session(Session *session)
{
	session->caller = CurrentMemoryContext;
	/* to read large values a snapshot must be active */
	session->pushed_snapshot = !ActiveSnapshotSet();
	if (session->pushed_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	ds_identity_enter(&session->identity);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

static void
close_session(const Session *session)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	ds_identity_leave(&session->identity);
	if (session->pushed_snapshot)
		PopActiveSnapshot();
	MemoryContextSwitchTo(session->caller);
}

/* Returns the number of rows found or changed. */
static uint64
execute(DsStatementId id, Parameters *p)
{
	const DsStatement *statement = &ds_statements[id];
	bool		save_seqscan = enable_seqscan;
	bool		save_bitmapscan = enable_bitmapscan;
	bool		save_sort = enable_sort;
	int			save_lock_timeout = LockTimeout;
	int			rc = 0;

	Assert(statement->id == id);
	Assert(p->n == strlen(statement->types));

	/*
	 * A plan made while the table is small, a sequential scan or a sort of all
	 * that is due, would be kept while it grows by millions until the next
	 * ANALYZE.  And a step that
	 * finds its row locked by somebody's open transaction must not pin its
	 * executor.  No user code runs in here, so nobody else sees the settings.
	 */
	PG_TRY();
	{
		SPIPlanPtr	plan;

		if (statement->by_key)
			enable_seqscan = enable_bitmapscan = enable_sort = false;
		if (statement->bounded)
			LockTimeout = BOUNDED_WAIT_MS;
		plan = get_plan(statement);
		rc = SPI_execute_snapshot(plan, p->values, p->nulls,
								  GetLatestSnapshot(), InvalidSnapshot,
								  statement->read_only, true, 0);
	}
	PG_FINALLY();
	{
		enable_seqscan = save_seqscan;
		enable_bitmapscan = save_bitmapscan;
		enable_sort = save_sort;
		LockTimeout = save_lock_timeout;
	}
	PG_END_TRY();
	if (rc < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(rc));
	return SPI_processed;
}

static SPIPlanPtr
get_plan(const DsStatement *statement)
{
	const DsCatalog *catalog = ds_catalog(false);
	Oid			types[MAX_PARAMETERS];
	int			n = strlen(statement->types);
	SPIPlanPtr	plan;

	/* created anew, the extension has other types and tables */
	if (plans_generation != catalog->generation)
	{
		for (int i = 0; i < DS_NUM_STATEMENTS; i++)
		{
			if (plans[i] != NULL)
				SPI_freeplan(plans[i]);
			plans[i] = NULL;
		}
		plans_generation = catalog->generation;
	}
	if (plans[statement->id] != NULL)
		return plans[statement->id];

	for (int i = 0; i < n; i++)
		types[i] = parameter_type(statement->types[i]);
	plan = SPI_prepare_cursor(statement->sql, n, types,
							  CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	plans[statement->id] = plan;
	return plan;
}

static Oid
parameter_type(char letter)
{
	switch (letter)
	{
		case 't':
			return TEXTOID;
		case 'u':
			return UUIDOID;
		case 'o':
			return REGROLEOID;
		case 'O':
			return OIDOID;
		case 's':
			return ds_catalog(false)->status_type;
		case 'S':
			return ds_catalog(false)->status_array_type;
		case 'z':
			return TIMESTAMPTZOID;
		case 'j':
			return JSONBOID;
		case 'i':
			return INT4OID;
		case 'l':
			return INT8OID;
		case 'L':
			return INT8ARRAYOID;
		case 'c':
			return CHAROID;
		case 'b':
			return BOOLOID;
	}
	elog(ERROR, "unknown parameter type '%c'", letter);
}
