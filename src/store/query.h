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

#include "store/column.h"
#include "store/parameters.h"
#include "store/statements.h"

extern void ds_query_open(DsSession *session);
extern void ds_query_close(const DsSession *session);

/*
 * Runs the statement under the latest snapshot.  Returns the number of rows
 * found or changed.
 */
extern uint64 ds_query_execute(DsStatementId id, DsParameters *p);

/* The same; with limit_lock_wait it waits at most one second for row locks. */
extern uint64 ds_query_execute_limited(DsStatementId id, DsParameters *p,
									   bool limit_lock_wait);

/*
 * The same in a separate session; with the uuid as the only parameter; and for
 * the first column of all rows, as strings.
 */
extern uint64 ds_query_run(DsStatementId id, DsParameters *p,
						   bool limit_lock_wait);
extern uint64 ds_query_run_for(DsStatementId id, const pg_uuid_t *u,
							   bool limit_lock_wait);
extern List *ds_query_run_list(DsStatementId id, DsParameters *p);

/* The type for a letter of DsStatement.types. */
extern Oid	ds_query_type(char letter);

/* Limits waits for locks to one second, and restores the setting. */
typedef struct DsLockWait
{
	int			lock_timeout;
} DsLockWait;

extern void ds_query_limit_lock_wait(DsLockWait *saved, bool limit_lock_wait);
extern void ds_query_restore_lock_wait(const DsLockWait *saved);

/*
 * For many statements in one session: the next begin frees the memory of
 * parameters that are built between these.
 */
typedef struct DsLoop
{
	MemoryContext cxt;
	MemoryContext outer;
} DsLoop;

extern void ds_query_loop_start(DsLoop *loop);
extern void ds_query_loop_next(DsLoop *loop);
extern void ds_query_loop_end(DsLoop *loop);

#endif
