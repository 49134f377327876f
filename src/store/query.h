/*-------------------------------------------------------------------------
 *
 * query.h
 *	  Running one of our statements: parameters in, columns out.
 *
 *	DsSession s;
 *	DsParameters p = {0};
 *
 *	ds_query_open(&s);
 *	ds_param_text(&p, instance_id);
 *	if (ds_query_execute(DS_SQL_..., &p) > 0)
 *		name = ds_column_text(&s, 0, 1);
 *	ds_query_close(&s);
 *
 * Between open and close the process is the owner of the tables, with
 * search_path set to pg_catalog, and no user code may run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_QUERY_H
#define DS_QUERY_H

#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "store/catalog.h"
#include "store/statements.h"

#define DS_MAX_PARAMETERS	40

/* The parameters of a statement, filled in order. */
typedef struct DsParameters
{
	int			n;
	Datum		values[DS_MAX_PARAMETERS];
	char		nulls[DS_MAX_PARAMETERS + 1];
} DsParameters;

/* One visit to the tables. */
typedef struct DsSession
{
	DsIdentity	identity;
	MemoryContext caller;		/* where results go */
	bool		pushed_snapshot;
} DsSession;

extern void ds_query_open(DsSession *session);
extern void ds_query_close(const DsSession *session);

/*
 * Runs the statement under the latest snapshot.  Returns the number of rows
 * found or changed.
 */
extern uint64 ds_query_execute(DsStatementId id, DsParameters *p);

/* The same; with limit_lock_wait it waits for row locks for a second only. */
extern uint64 ds_query_execute_limited(DsStatementId id, DsParameters *p,
									   bool limit_lock_wait);

/* The same in a session of its own, with the uuid as the only parameter. */
extern uint64 ds_query_execute_for(DsStatementId id, const pg_uuid_t *u,
								   bool limit_lock_wait);

/* Waiting for locks for a second only, and as before. */
typedef struct DsLockWait
{
	int			lock_timeout;
} DsLockWait;

extern void ds_query_limit_lock_wait(DsLockWait *saved, bool limit_lock_wait);
extern void ds_query_restore_lock_wait(const DsLockWait *saved);

/* The next parameter that is added is number n, from 1 on. */
static inline DsParameters *
ds_param_at(DsParameters *p, int n)
{
	p->n = n - 1;
	return p;
}

/* A NULL pointer, the time 0 and the character 0 are NULL. */
extern void ds_param_datum(DsParameters *p, Datum value, bool isnull);
extern void ds_param_text(DsParameters *p, const char *s);
extern void ds_param_uuid(DsParameters *p, const pg_uuid_t *u);
extern void ds_param_time(DsParameters *p, TimestampTz t);
extern void ds_param_jsonb(DsParameters *p, const Jsonb *j);
extern void ds_param_int(DsParameters *p, int i);
extern void ds_param_oid(DsParameters *p, Oid o);
extern void ds_param_char(DsParameters *p, char c);
extern void ds_param_bool(DsParameters *p, bool b);
extern void ds_param_int64(DsParameters *p, int64 i);
extern void ds_param_int_array(DsParameters *p, int n, const int *values);
extern void ds_param_status_array(DsParameters *p, int n, const DsStatus *values);

/*
 * For many statements in one session: parameters that are built between these
 * are in memory that the next begin takes back.
 */
typedef struct DsLoop
{
	MemoryContext cxt;
	MemoryContext outer;
} DsLoop;

extern void ds_query_loop_start(DsLoop *loop);
extern void ds_query_loop_next(DsLoop *loop);
extern void ds_query_loop_end(DsLoop *loop);

/*
 * Row (from 0) and column (from 1) of what the last statement found; texts,
 * jsonb and lists are copied for the caller of the session.  After
 * ds_column_read_slot() it is row 0 of that slot, whose columns are all there, until
 * the next statement or ds_column_read_slot(NULL).
 */
extern void ds_column_read_slot(TupleTableSlot *slot);
extern Datum ds_column(int row, int col, bool *isnull);
extern char *ds_column_text(const DsSession *s, int row, int col);
extern Jsonb *ds_column_jsonb(const DsSession *s, int row, int col);
extern pg_uuid_t ds_column_uuid(int row, int col);
extern TimestampTz ds_column_time(int row, int col);
extern int	ds_column_int(int row, int col);
extern Oid	ds_column_oid(int row, int col);
extern char ds_column_char(int row, int col);
extern bool ds_column_bool(int row, int col);
extern int64 ds_column_int64(int row, int col);
extern ItemPointerData ds_column_tid(int row, int col);
extern int *ds_column_int_array(const DsSession *s, int row, int col, int *n);

/* The first column of all rows, as strings. */
extern List *ds_column_list(const DsSession *s, uint64 n_rows);

#endif
