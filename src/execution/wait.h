/*-------------------------------------------------------------------------
 *
 * wait.h
 *	  Checks whether an instance's wait is over.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WAIT_H
#define DS_WAIT_H

#include "execution/run.h"

/*
 * True: the wait is over; the new rows are in the replay, to be written with
 * the next step.  False: not yet.  If the wait is for tasks, some may have
 * ended, and wait->watch and wait->fire_at say when to check again; the caller
 * notifies the workers, once they can see the wait.  Needs a transaction.
 */
extern bool ds_wait_check(DsRun *run, DsWait *wait);

/* Makes the next transaction see the invalidation messages of that one. */
extern void ds_wait_for_invalidations(TransactionId xid);

#endif
