/*-------------------------------------------------------------------------
 *
 * runner.h
 *	  Runs a unit of work: an instance, or a task of one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RUNNER_H
#define DS_RUNNER_H

#include "execution/run_limits.h"
#include "store/work.h"

/*
 * Runs the instance within the limits, each step in separate transactions, or
 * makes one attempt at the task.  Called outside a transaction; needs a slot.
 */
extern DsRunResult ds_runner_run(const DsWork *work, DsRunLimits *limits);

#endif
