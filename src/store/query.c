/*-------------------------------------------------------------------------
 *
 * query.c
 *	  Running one of our statements: parameters in, columns out.
 *
 * The statements of statements.c are prepared at their first use and kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "jit/jit.h"
#include "optimizer/cost.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "store/query.h"

#define BOUNDED_WAIT_MS	1000

static SPIPlanPtr plans[DS_NUM_STATEMENTS];
static uint64 plans_generation = 0;

/* What ds_column() reads, if not the result of the last statement. */
static TupleTableSlot *current_slot = NULL;

static SPIPlanPtr get_plan(const DsStatement *statement);
static Oid	parameter_type(char letter);

void
ds_query_open(DsSession *session)
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

void
ds_query_close(const DsSession *session)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	ds_identity_leave(&session->identity);
	if (session->pushed_snapshot)
		PopActiveSnapshot();
	MemoryContextSwitchTo(session->caller);
}

uint64
ds_query_execute(DsStatementId id, DsParameters *p)
{
	return ds_query_execute_limited(id, p, false);
}

uint64
ds_query_execute_limited(DsStatementId id, DsParameters *p, bool limit_lock_wait)
{
	const DsStatement *statement = &ds_statements[id];
	bool		save_seqscan = enable_seqscan;
	bool		save_bitmapscan = enable_bitmapscan;
	bool		save_sort = enable_sort;
	bool		save_jit = jit_enabled;
	DsLockWait	bound;
	volatile int rc = 0;

	Assert(statement->id == id);
	Assert(p->n == strlen(statement->types));

	/*
	 * A plan made while the table is small, a sequential scan or a sort of
	 * all that is due, would be kept while it grows by millions until the
	 * next ANALYZE.  And a step that finds its row locked by somebody's open
	 * transaction must not pin its runner.  No user code runs in here, so
	 * nobody else sees the settings.
	 */
	current_slot = NULL;
	ds_query_limit_lock_wait(&bound, limit_lock_wait || statement->limit_lock_wait);
	PG_TRY();
	{
		SPIPlanPtr	plan;

		if (statement->by_key)
			enable_seqscan = enable_bitmapscan = enable_sort = false;
		jit_enabled = false;
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
		jit_enabled = save_jit;
		ds_query_restore_lock_wait(&bound);
	}
	PG_END_TRY();
	if (rc < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(rc));
	return SPI_processed;
}

uint64
ds_query_execute_for(DsStatementId id, const pg_uuid_t *u, bool limit_lock_wait)
{
	DsSession	s;
	DsParameters p = {0};
	uint64		n;

	ds_query_open(&s);
	ds_param_uuid(&p, u);
	n = ds_query_execute_limited(id, &p, limit_lock_wait);
	ds_query_close(&s);
	return n;
}

/* The caller takes it back in any case, also after an error. */
void
ds_query_limit_lock_wait(DsLockWait *saved, bool limit_lock_wait)
{
	saved->lock_timeout = LockTimeout;
	if (limit_lock_wait)
		LockTimeout = BOUNDED_WAIT_MS;
}

void
ds_query_restore_lock_wait(const DsLockWait *saved)
{
	LockTimeout = saved->lock_timeout;
}

void
ds_query_loop_start(DsLoop *loop)
{
	loop->cxt = AllocSetContextCreate(CurrentMemoryContext,
									  "durable_singleton statement",
									  ALLOCSET_SMALL_SIZES);
	loop->outer = MemoryContextSwitchTo(loop->cxt);
}

void
ds_query_loop_next(DsLoop *loop)
{
	MemoryContextReset(loop->cxt);
}

void
ds_query_loop_end(DsLoop *loop)
{
	MemoryContextSwitchTo(loop->outer);
	MemoryContextDelete(loop->cxt);
}

/* --- parameters --- */

void
ds_param_datum(DsParameters *p, Datum value, bool isnull)
{
	Assert(p->n < DS_MAX_PARAMETERS);
	p->values[p->n] = value;
	p->nulls[p->n] = isnull ? 'n' : ' ';
	p->n++;
}

void
ds_param_text(DsParameters *p, const char *s)
{
	ds_param_datum(p, s ? CStringGetTextDatum(s) : (Datum) 0, s == NULL);
}

void
ds_param_uuid(DsParameters *p, const pg_uuid_t *u)
{
	ds_param_datum(p, UUIDPGetDatum(u), false);
}

void
ds_param_time(DsParameters *p, TimestampTz t)
{
	ds_param_datum(p, TimestampTzGetDatum(t), t == 0);
}

void
ds_param_jsonb(DsParameters *p, const Jsonb *j)
{
	ds_param_datum(p, PointerGetDatum(j), j == NULL);
}

void
ds_param_int(DsParameters *p, int i)
{
	ds_param_datum(p, Int32GetDatum(i), false);
}

void
ds_param_oid(DsParameters *p, Oid o)
{
	ds_param_datum(p, ObjectIdGetDatum(o), false);
}

void
ds_param_char(DsParameters *p, char c)
{
	ds_param_datum(p, CharGetDatum(c), c == '\0');
}

void
ds_param_bool(DsParameters *p, bool b)
{
	ds_param_datum(p, BoolGetDatum(b), false);
}

void
ds_param_int64(DsParameters *p, int64 i)
{
	ds_param_datum(p, Int64GetDatum(i), false);
}

/* n is 0 and values NULL for NULL */
void
ds_param_int_array(DsParameters *p, int n, const int *values)
{
	Datum	   *datums = palloc((n + 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		datums[i] = Int32GetDatum(values[i]);
	ds_param_datum(p, PointerGetDatum(construct_array(datums, n, INT4OID,
													  sizeof(int32), true,
													  TYPALIGN_INT)),
				   values == NULL);
}

void
ds_param_status_array(DsParameters *p, int n, const DsStatus *values)
{
	Datum		datums[DS_NUM_STATUS];

	Assert(n <= DS_NUM_STATUS);
	for (int i = 0; i < n; i++)
		datums[i] = ObjectIdGetDatum(ds_status_to_oid(values[i]));
	ds_param_datum(p, PointerGetDatum(construct_array(datums, n,
													  ds_catalog(false)->status_type,
													  sizeof(Oid), true,
													  TYPALIGN_INT)), false);
}

/* --- results --- */

void
ds_column_read_slot(TupleTableSlot *slot)
{
	current_slot = slot;
}

Datum
ds_column(int row, int col, bool *isnull)
{
	if (current_slot != NULL)
	{
		*isnull = current_slot->tts_isnull[col - 1];
		return current_slot->tts_values[col - 1];
	}
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 col, isnull);
}

char *
ds_column_text(const DsSession *s, int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);
	MemoryContext old;
	char	   *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(s->caller);
	result = TextDatumGetCString(d);
	MemoryContextSwitchTo(old);
	return result;
}

Jsonb *
ds_column_jsonb(const DsSession *s, int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);
	MemoryContext old;
	Jsonb	   *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(s->caller);
	result = DatumGetJsonbPCopy(d);
	MemoryContextSwitchTo(old);
	return result;
}

pg_uuid_t
ds_column_uuid(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	Assert(!isnull);
	return *DatumGetUUIDP(d);
}

TimestampTz
ds_column_time(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? 0 : DatumGetTimestampTz(d);
}

int
ds_column_int(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? 0 : DatumGetInt32(d);
}

Oid
ds_column_oid(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(d);
}

char
ds_column_char(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? '\0' : DatumGetChar(d);
}

bool
ds_column_bool(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return !isnull && DatumGetBool(d);
}

int64
ds_column_int64(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? 0 : DatumGetInt64(d);
}

ItemPointerData
ds_column_tid(int row, int col)
{
	bool		isnull;

	return *(ItemPointer) DatumGetPointer(ds_column(row, col, &isnull));
}

int *
ds_column_int_array(const DsSession *s, int row, int col, int *n)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);
	Datum	   *datums;
	int		   *values;

	*n = 0;
	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(d), INT4OID, sizeof(int32), true,
					  TYPALIGN_INT, &datums, NULL, n);
	values = MemoryContextAllocHuge(s->caller, (*n + 1) * sizeof(int));
	for (int i = 0; i < *n; i++)
		values[i] = DatumGetInt32(datums[i]);
	return values;
}

List *
ds_column_list(const DsSession *s, uint64 n_rows)
{
	List	   *result = NIL;

	for (uint64 row = 0; row < n_rows; row++)
	{
		char	   *text = ds_column_text(s, row, 1);
		MemoryContext old = MemoryContextSwitchTo(s->caller);

		result = lappend(result, text);
		MemoryContextSwitchTo(old);
	}
	return result;
}

/* --- plans --- */

static SPIPlanPtr
get_plan(const DsStatement *statement)
{
	const DsCatalog *catalog = ds_catalog(false);
	Oid			types[DS_MAX_PARAMETERS];
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
		case 'I':
			return INT4ARRAYOID;
		case 'l':
			return INT8OID;
		case 'c':
			return CHAROID;
		case 'b':
			return BOOLOID;
	}
	elog(ERROR, "unknown parameter type '%c'", letter);
}
