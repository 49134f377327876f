/*-------------------------------------------------------------------------
 *
 * end.h
 *	  What the end of an instance means for others.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_END_H
#define DS_END_H

#include "store/instance.h"

/*
 * The present transaction has ended the execution: whoever waits for it and
 * its parent are told.  "limit_lock_wait" as in store.h.
 */
extern void ds_end_tell(const DsInstance *inst, DsStatus status,
						Jsonb *output, Jsonb *failure, bool limit_lock_wait);

/* The same for an instance that has no parent which could be told. */
extern void ds_end_tell_waiters(const DsInstance *inst, DsStatus status);

/* For the server's log. */
extern void ds_end_log_failure(const DsInstance *inst, const Jsonb *failure);

/*
 * The present transaction has terminated the execution, or replaced it while
 * it was active: the same, and its steps and tasks are interrupted, and its
 * children are told to end.
 */
extern void ds_end_tell_terminated(const DsInstance *inst, Jsonb *reason,
								   bool limit_lock_wait);

/* Terminates the instance.  False: it was not active any more. */
extern bool ds_end_terminate(const DsInstance *inst, Jsonb *reason,
							 bool limit_lock_wait);

#endif
