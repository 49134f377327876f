/*-------------------------------------------------------------------------
 *
 * conflict_wait.h
 *	  The delay before a pass that was in conflict with others is repeated.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CONFLICT_WAIT_H
#define DS_CONFLICT_WAIT_H

/*
 * The pass has failed in that way for the n-th time (1 or more) in a row.
 * Sleeps and returns true if it is to be repeated.  Call this outside a
 * transaction.
 */
extern bool ds_conflict_wait(int n);

/* The same question, without the delay. */
extern bool ds_conflict_is_repeated(int n);

#endif
