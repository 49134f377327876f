/*-------------------------------------------------------------------------
 *
 * load.h
 *	  Loads an instance for its runner: from the tables, or from the run cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_LOAD_H
#define DS_LOAD_H

#include "execution/run.h"

/*
 * Continues a cached run, if the instance is unchanged since then; "cxt" is
 * replaced by the run's own context.  True: it is ready, and the transaction
 * of the check is open for the first pass.
 */
extern bool ds_load_cached_run(DsRun *run, const char *instance_id,
							   MemoryContext *cxt);

/*
 * Reads the claimed instance.  False: there is nothing to run; the time of the
 * next run is recorded.  After true, the transaction of the read may be open
 * for the first pass: run->in_transaction.
 */
extern bool ds_load_run(DsRun *run, const DsWork *work);

#endif
