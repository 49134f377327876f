/*-------------------------------------------------------------------------
 *
 * run_cache.h
 *	  Runs that a worker has put aside while their last step goes to disk.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RUN_CACHE_H
#define DS_RUN_CACHE_H

#include "execution/run.h"

/*
 * Keeps the run, its memory context included.  False: it is too large.  It may
 * be dropped at any time after; a hint has to be given in any case.
 */
extern bool ds_run_cache_put(const DsRun *run);

/* Gives it back to the caller; false if there is none of that instance. */
extern bool ds_run_cache_take(const char *instance_id, DsRun *run);

/* Nothing is ready any more: what is still there, others have gone on with. */
extern void ds_run_cache_clear(void);

#endif
