/*-------------------------------------------------------------------------
 *
 * run.h
 *	  A run: an instance that a runner is executing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RUN_H
#define DS_RUN_H

#include "access/xlogdefs.h"
#include "execution/run_limits.h"
#include "orchestrator/replay.h"
#include "store/store.h"

typedef struct DsRun
{
	MemoryContext cxt;			/* of everything that belongs to the instance */
	DsRunLimits *limits;
	DsInstance *inst;
	DsReplay   *replay;
	Oid			owner;			/* of the instance, while it is active */
	XLogRecPtr	lsn;			/* of everything on which the next activity
								 * may build */
	int			n_loaded;		/* operations in the history when it was read */
	int			n_steps;		/* since then */
	bool		progress;		/* a step was written */
	bool		in_transaction; /* the first pass runs in the transaction of
								 * the load */
} DsRun;

/* The common part of every write of a step; the caller adds the rest. */
extern DsStepWrite ds_run_begin_write(DsRun *run);

/*
 * The tasks that the step has to open, a list of DsTask; "only_children" if
 * the execution ends by continue-as-new.  Starts child instances in the
 * current transaction.  A child that cannot be started counts as ended and
 * adds a row, so call this before ds_run_begin_write.
 */
extern List *ds_run_begin_tasks(DsRun *run, bool only_children);

/* The write was committed: updates the memory. */
extern void ds_run_written(DsRun *run);

/*
 * Are there results on which an activity may build, or that must be visible
 * while it runs?
 */
extern bool ds_run_has_news(const DsRun *run);

/* Activities of the instance may be executing elsewhere. */
extern bool ds_run_has_open_tasks(const DsRun *run);

/*
 * Makes a worker of the owner check the instance when the wait ends by itself.
 */
extern void ds_run_tell_when_due(const DsInstance *inst, const DsWait *wait);

#endif
