/*-------------------------------------------------------------------------
 *
 * query.c
 *	  Runs one of the extension's statements: parameters in, columns out.
 *
 * The statements of statement_list.h are prepared at their first use and kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "jit/jit.h"
#include "optimizer/cost.h"
#include "storage/proc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "store/catalog.h"
#include "store/query.h"

#define LOCK_WAIT_MS	1000

static SPIPlanPtr plans[DS_NUM_STATEMENTS];
static uint64 plans_generation = 0;

static SPIPlanPtr get_plan(DsStatementId id);

void
ds_query_open(DsSession *session)
{
	session->caller = CurrentMemoryContext;
	/* reading large values needs an active snapshot */
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
ds_query_execute_limited(DsStatementId id, DsParameters *p,
						 bool limit_lock_wait)
{
	const DsStatement *statement = &ds_statements[id];
	bool		save_seqscan = enable_seqscan;
	bool		save_bitmapscan = enable_bitmapscan;
	bool		save_sort = enable_sort;
	bool		save_jit = jit_enabled;
	DsLockWait	bound;
	volatile int rc = 0;

	Assert(p->n == strlen(statement->types));

	/*
	 * A plan made while the table is small, such as a sequential scan or a
	 * sort of everything that is due, would be kept while the table grows by
	 * millions of rows until the next ANALYZE.  And if an open transaction of
	 * another session holds a row locked, the step must not block its runner.
	 * No user code runs here, so the settings are not visible elsewhere.
	 */
	ds_column_read_slot(NULL);
	ds_query_limit_lock_wait(&bound, limit_lock_wait ||
							 statement->limit_lock_wait);
	PG_TRY();
	{
		SPIPlanPtr	plan;

		if (statement->by_key)
			enable_seqscan = enable_bitmapscan = enable_sort = false;
		jit_enabled = false;
		plan = get_plan(id);
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
ds_query_run(DsStatementId id, DsParameters *p, bool limit_lock_wait)
{
	DsSession	s;
	uint64		n;

	ds_query_open(&s);
	n = ds_query_execute_limited(id, p, limit_lock_wait);
	ds_query_close(&s);
	return n;
}

uint64
ds_query_run_for(DsStatementId id, const pg_uuid_t *u, bool limit_lock_wait)
{
	DsParameters p = {0};

	ds_param_uuid(&p, u);
	return ds_query_run(id, &p, limit_lock_wait);
}

List *
ds_query_run_list(DsStatementId id, DsParameters *p)
{
	DsSession	s;
	List	   *result;

	ds_query_open(&s);
	result = ds_column_list(&s, ds_query_execute(id, p));
	ds_query_close(&s);
	return result;
}

/* The caller restores it in any case, also after an error. */
void
ds_query_limit_lock_wait(DsLockWait *saved, bool limit_lock_wait)
{
	saved->lock_timeout = LockTimeout;
	if (limit_lock_wait)
		LockTimeout = LOCK_WAIT_MS;
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

static SPIPlanPtr
get_plan(DsStatementId id)
{
	const DsStatement *statement = &ds_statements[id];
	const DsCatalog *catalog = ds_catalog(false);
	Oid			types[DS_MAX_PARAMETERS];
	int			n = strlen(statement->types);
	SPIPlanPtr	plan;

	/* after DROP and CREATE EXTENSION, types and tables are different */
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
	if (plans[id] != NULL)
		return plans[id];

	for (int i = 0; i < n; i++)
		types[i] = ds_query_type(statement->types[i]);
	plan = SPI_prepare_cursor(statement->sql, n, types,
							  CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	plans[id] = plan;
	return plan;
}

Oid
ds_query_type(char letter)
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
		case 'p':
			return TIDOID;
		case '0':
		case '1':
		case '2':
		case '3':
		case '4':
			return get_rel_type_id(ds_catalog(false)->table[letter - '0']);
	}
	elog(ERROR, "unknown parameter type '%c'", letter);
}
