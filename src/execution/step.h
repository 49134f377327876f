/*-------------------------------------------------------------------------
 *
 * step.h
 *	  Running an instance, step by step.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STEP_H
#define DS_STEP_H

#include "execution/run_limits.h"
#include "store/work.h"

/*
 * Runs the instance, which this process has claimed, outside a transaction.
 * *owner becomes its owner if that is not the present user.  What belongs to
 * the instance is made in *cxt, which is replaced by that of a run that had
 * been put aside, and becomes NULL if this one is.
 */
extern DsRunResult ds_step_run_instance(const DsWork *work,
										MemoryContext *cxt,
										DsRunLimits *limits, Oid *owner);

#endif
