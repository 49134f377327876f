/*-------------------------------------------------------------------------
 *
 * durability.h
 *	  Waits until a commit can no longer be lost.
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
 * synchronous standbys at all, needs no wait.
 */
extern XLogRecPtr ds_durability_lsn_of(TransactionId xmin);

/*
 * Waits until the WAL up to there is flushed and, if synchronous standbys are
 * configured, confirmed by them according to synchronous_commit.  57014 if the
 * wait for them is canceled.
 */
extern void ds_durability_wait(XLogRecPtr lsn);

/*
 * Waits until a row's commit is safe, before a client is told about it: at
 * least at the session's initial level of synchronous_commit.  Needs a
 * transaction.
 */
extern void ds_durability_wait_to_tell(TransactionId xmin);

/*
 * The server has started; transactions that committed before are older than
 * this.
 */
extern void ds_durability_start(void);

#endif
