/*-------------------------------------------------------------------------
 *
 * end.h
 *	  The effects of an instance's end on other instances and sessions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_END_H
#define DS_END_H

#include "store/instance.h"

/*
 * The current transaction has ended the execution: notifies the sessions that
 * wait for it, and its parent.  For "limit_lock_wait" see store.h.
 */
extern void ds_end_tell(const DsInstance *inst, DsStatus status,
						Jsonb *output, Jsonb *failure, bool limit_lock_wait);

/* The same for an instance without a parent that could be notified. */
extern void ds_end_tell_waiters(const DsInstance *inst, DsStatus status);

/* Writes a failure to the server log. */
extern void ds_end_log_failure(const DsInstance *inst, const Jsonb *failure);

/*
 * The current transaction has terminated the execution, or replaced it while
 * it was active: the same, and also interrupts its steps and tasks, and tells
 * its children to end.
 */
extern void ds_end_tell_terminated(const DsInstance *inst, Jsonb *reason,
								   bool limit_lock_wait);

/* Terminates the instance.  Returns false if it was not active any more. */
extern bool ds_end_terminate(const DsInstance *inst, Jsonb *reason,
							 bool limit_lock_wait);

#endif
