/*-------------------------------------------------------------------------
 *
 * durability.h
 *	  Waiting until a commit cannot be lost any more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_DURABILITY_H
#define DS_DURABILITY_H

#include "access/xlogdefs.h"

extern Size ds_durability_size(void);
extern void ds_durability_startup(void);

/*
 * An upper bound for the end of the commit record of a row's writer;
 * InvalidXLogRecPtr if it is known to be flushed and, if the session waits for
 * synchronous standbys at all, not to be waited for.
 */
extern XLogRecPtr ds_durability_lsn_of(TransactionId xmin);

/*
 * Wait until the WAL up to there is flushed and, where synchronous standbys
 * are asked for, confirmed by them as synchronous_commit says.  57014 if the
 * wait for them is cancelled.
 */
extern void ds_durability_wait(XLogRecPtr lsn);

/*
 * Wait until a row's commit is safe, to tell a client of it: at least as the
 * session's synchronous_commit was when it began.  Needs a transaction.
 */
extern void ds_durability_wait_to_tell(TransactionId xmin);

/* The server has started; what had committed before is older than this. */
extern void ds_durability_start(void);

#endif
