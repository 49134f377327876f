/*-------------------------------------------------------------------------
 *
 * load.h
 *	  An instance comes into the hands of its runner: from the tables, or
 *	  from where it was put aside.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_LOAD_H
#define DS_LOAD_H

#include "execution/run.h"

/*
 * Goes on with a run that was put aside, if nothing has happened to the
 * instance since; "cxt" is replaced by the run's own then.  True: it is ready,
 * and the transaction of the look is open for the first pass.
 */
extern bool ds_load_cached_run(DsRun *run, const char *instance_id,
							   MemoryContext *cxt);

/*
 * Reads the claimed instance.  False: there is nothing to run; when there will
 * be, is noted.  On true the transaction of the read may be open for the first
 * pass: run->in_transaction.
 */
extern bool ds_load_run(DsRun *run, const DsWork *work);

#endif
