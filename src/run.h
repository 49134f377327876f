/*-------------------------------------------------------------------------
 *
 * run.h
 *	  One instance in the hands of its executor.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RUN_H
#define DS_RUN_H

#include "access/xlogdefs.h"
#include "replay.h"
#include "step.h"

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
} DsRun;

#endif
