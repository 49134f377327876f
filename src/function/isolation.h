/*-------------------------------------------------------------------------
 *
 * isolation.h
 *	  Sets the isolation level of a transaction that runs user code.
 *
 * It is the default of the role, database or session, as for any transaction
 * of the role, unless the function has its own level by ALTER FUNCTION ... SET
 * default_transaction_isolation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_ISOLATION_H
#define DS_ISOLATION_H

#include "nodes/nodes.h"
#include "tcop/dest.h"

/* Called at server start, for ds_isolation_may_change(). */
extern void ds_isolation_init(void);

/*
 * Sets the level for that function.  Call this in a transaction that has not
 * taken a snapshot yet.
 */
extern void ds_isolation_set(Oid function);

/*
 * Do transactions of the role have a stricter level than READ COMMITTED?  The
 * second function sets it, in a transaction without a snapshot.
 */
extern bool ds_isolation_is_strict(void);
extern void ds_isolation_set_default(void);

/*
 * Call these before the first line of user code, with the snapshot, and after
 * the last one.  "level" is the level before settings were reverted; it stays
 * until the end of the transaction.  Only later writes of the step follow the
 * latest versions of rows: a concurrent change of the instance's row is no
 * conflict of the user's code, because the fence decides.
 */
extern void ds_isolation_begin(void);
extern void ds_isolation_end(int level);

/* Called instead when the code has raised an error. */
extern void ds_isolation_error(void);

/*
 * Is this SET TRANSACTION the first action of user code?  The snapshot for
 * calling its function, and that of the statement, do not count.
 */
extern bool ds_isolation_may_change(const Node *statement, CommandDest dest);

#endif
