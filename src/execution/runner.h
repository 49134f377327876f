/*-------------------------------------------------------------------------
 *
 * runner.h
 *	  Running a piece of work: an instance, or a task of one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RUNNER_H
#define DS_RUNNER_H

#include "store/instance.h"

/* How far a runner goes with one piece of work. */
typedef struct DsRunLimits
{
	bool		any_home;		/* also instances of another home */
	int			steps_left;		/* steps until the runner stops, -1: no end */
	bool		(*leave) (void);	/* true: stop after the step, NULL: never */
	bool		(*yield) (void);	/* true: others wait, NULL: never */
} DsRunLimits;

typedef enum DsRunResult
{
	DS_RUN_NOT_READY,			/* it waits, has ended, or somebody runs it */
	DS_RUN_PROGRESS,			/* it went on, and waits or has ended now */
	DS_RUN_UNFINISHED,			/* it went on and is ready for more: a hint
								 * says so */
	DS_RUN_TROUBLE				/* our own write failed: later again */
} DsRunResult;

/*
 * Runs the instance as far as it goes within the limits, each step in
 * transactions of its own, or makes one attempt at the task.  Outside a
 * transaction; needs a slot.
 */
extern DsRunResult ds_runner_run(const DsWork *work, DsRunLimits *limits);

#endif
