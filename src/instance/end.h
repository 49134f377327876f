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
 * its parent are told.  "bounded" as in store.h.
 */
extern void ds_instance_has_ended(const DsInstance *inst, DsStatus status,
								  Jsonb *output, Jsonb *failure, bool bounded);

/* The same for an instance that has no parent which could be told. */
extern void ds_instance_is_over(const DsInstance *inst, DsStatus status);

/* For the server's log. */
extern void ds_log_failed(const DsInstance *inst, const Jsonb *failure);

/*
 * The present transaction has terminated the execution, or replaced it while
 * it was active: the same, and its steps and tasks are interrupted, and its
 * children are told to end.
 */
extern void ds_instance_was_terminated(const DsInstance *inst, Jsonb *reason,
									   bool bounded);

/* Terminates the instance.  False: it was not active any more. */
extern bool ds_terminate_instance(const DsInstance *inst, Jsonb *reason,
								  bool bounded);

#endif
