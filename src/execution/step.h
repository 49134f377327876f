/*-------------------------------------------------------------------------
 *
 * step.h
 *	  Runs an instance, step by step.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STEP_H
#define DS_STEP_H

#include "execution/run_limits.h"
#include "store/work.h"

/*
 * Runs the instance, which this process has claimed, outside a transaction.
 * Sets *owner to its owner if that is not the current user.  Everything that
 * belongs to the instance is allocated in *cxt, which is replaced by the
 * context of a cached run, and becomes NULL if this run is cached.
 */
extern DsRunResult ds_step_run_instance(const DsWork *work,
										MemoryContext *cxt,
										DsRunLimits *limits, Oid *owner);

#endif
