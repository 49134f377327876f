/*-------------------------------------------------------------------------
 *
 * isolation.h
 *	  The isolation level of a transaction that runs user code.
 *
 * It is the default of the role, database or session, as for any transaction
 * of the role, unless the function has a level of its own by
 * ALTER FUNCTION ... SET default_transaction_isolation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_ISOLATION_H
#define DS_ISOLATION_H

#include "nodes/nodes.h"
#include "tcop/dest.h"

/* At the start of the server, for ds_isolation_may_change(). */
extern void ds_isolation_init(void);

/*
 * Sets the level for that function.  Call this in a transaction that has not
 * taken a snapshot yet.
 */
extern void ds_isolation_set(Oid function);

/*
 * Do transactions of the role have a stricter level than READ COMMITTED?  If
 * so, the second sets it, in a transaction without a snapshot.
 */
extern bool ds_isolation_is_strict(void);
extern void ds_isolation_set_default(void);

/*
 * Before the first line of user code, with the snapshot, and after the last
 * one.  "level" is what it was before settings were reverted, and stays until
 * the end of the transaction.  Only what the step writes afterwards follows
 * the latest versions of rows: a change of the instance's row by others is no
 * conflict of the user's code, for the fence decides.
 */
extern void ds_isolation_begin(void);
extern void ds_isolation_end(int level);

/* An error has left the code instead. */
extern void ds_isolation_error(void);

/*
 * Is this SET TRANSACTION the first thing that user code does?  The snapshot
 * that its function was called with, and that of the statement, do not count.
 */
extern bool ds_isolation_may_change(const Node *statement, CommandDest dest);

#endif
