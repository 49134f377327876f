/*-------------------------------------------------------------------------
 *
 * task.h
 *	  Runs an activity that is a task, in parallel with its instance.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TASK_H
#define DS_TASK_H

#include "execution/run_limits.h"
#include "store/work.h"

/*
 * Runs the task, which this process has claimed, outside a transaction.  Never
 * returns DS_RUN_UNFINISHED or DS_RUN_TROUBLE.
 */
extern DsRunResult ds_task_run(const DsWork *work, MemoryContext cxt,
							   DsRunLimits *limits, Oid *owner);

#endif
