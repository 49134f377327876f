/*-------------------------------------------------------------------------
 *
 * wait.h
 *	  Whether what an instance waits for has come.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WAIT_H
#define DS_WAIT_H

#include "execution/run.h"

/*
 * True: it has; what came is in the replay, to be written with the next step.
 * False: not yet.  Of a wait for tasks some may have ended all the same, and
 * wait->watch and wait->fire_at say when to look again; the caller tells the
 * workers, once they can see the wait.  Needs a transaction.
 */
extern bool ds_wait_check(DsRun *run, DsWait *wait);

/* The next transaction sees the invalidation messages of that one. */
extern void ds_wait_for_invalidations(TransactionId xid);

#endif
