/*-------------------------------------------------------------------------
 *
 * runner.h
 *	  Running a piece of work: an instance, or a task of one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RUNNER_H
#define DS_RUNNER_H

#include "execution/run_limits.h"
#include "store/work.h"

/*
 * Runs the instance as far as it goes within the limits, each step in
 * transactions of its own, or makes one attempt at the task.  Outside a
 * transaction; needs a slot.
 */
extern DsRunResult ds_runner_run(const DsWork *work, DsRunLimits *limits);

#endif
