/*-------------------------------------------------------------------------
 *
 * step_end.h
 *	  The end of a step that ends its execution.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STEP_END_H
#define DS_STEP_END_H

#include "execution/run.h"
#include "orchestrator/pass.h"

/* The result of a step. */
typedef enum DsStepResult
{
	DS_STEP_GOES_ON,
	DS_STEP_WAITS,
	DS_STEP_ENDED,
	DS_STEP_NEW_EXECUTION,
	DS_STEP_CONFLICT,			/* its commit conflicted: repeat it */
	DS_STEP_LOST				/* the row belongs to another execution or
								 * turn */
} DsStepResult;

/*
 * The pass returned, failed or continued as new; its transaction continues,
 * and ends here.  repeat_conflict: a conflict at its commit is no failure yet.
 */
extern DsStepResult ds_step_end(DsRun *run, const DsPass *pass,
								bool repeat_conflict);

/* The history is larger than max_history_size: the instance fails. */
extern DsStepResult ds_step_fail_too_large(DsRun *run);

/* The fence did not match: rolls back everything in this transaction. */
extern DsStepResult ds_step_lose(void);

#endif
