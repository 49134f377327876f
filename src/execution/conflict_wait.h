/*-------------------------------------------------------------------------
 *
 * conflict_wait.h
 *	  The delay before a pass is repeated after a conflict.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CONFLICT_WAIT_H
#define DS_CONFLICT_WAIT_H

/*
 * The pass has failed with a conflict for the n-th consecutive time (1 or
 * more). Sleeps and returns true if it must be repeated.  Call this outside a
 * transaction.
 */
extern bool ds_conflict_wait(int n);

/* The same decision, without the delay. */
extern bool ds_conflict_is_repeated(int n);

#endif
