/*-------------------------------------------------------------------------
 *
 * run.h
 *	  One instance in the hands of its runner.
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
	MemoryContext cxt;			/* of all that belongs to the instance */
	DsRunLimits *limits;
	DsInstance *inst;
	DsReplay   *replay;
	Oid			owner;			/* of the instance, while it is active */
	XLogRecPtr	lsn;			/* of what the next activity may build on */
	int			n_loaded;		/* operations in the history when it was read */
	int			n_steps;		/* since then */
	bool		progress;		/* something was written */
	bool		in_transaction; /* the first pass is in that of the load */
} DsRun;

/* What every write of a step has: the caller adds its own. */
extern DsStepWrite ds_run_begin_write(DsRun *run);

/*
 * The tasks that the step has to open, a list of DsTask; "only_children" if
 * the execution ends by continue-as-new.  Children are started in the present transaction;
 * one that cannot be has ended by that, so this comes before ds_run_begin_write.
 */
extern List *ds_run_begin_tasks(DsRun *run, bool only_children);

/* The write was committed: what is in memory follows. */
extern void ds_run_written(DsRun *run);

/*
 * Is there something that an activity may build on, or that people should see
 * while it runs?
 */
extern bool ds_run_has_news(const DsRun *run);

/* Activities of it may be executing elsewhere. */
extern bool ds_run_has_open_tasks(const DsRun *run);

/* A worker of the owner shall look when the wait ends by itself. */
extern void ds_run_tell_when_due(const DsInstance *inst, const DsWait *wait);

#endif
