/*-------------------------------------------------------------------------
 *
 * run_cache.h
 *	  Runs that a worker keeps in memory while their last step is flushed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RUN_CACHE_H
#define DS_RUN_CACHE_H

#include "execution/run.h"

/*
 * Keeps the run, including its memory context.  False: it is too large.  It
 * may be dropped at any later time; the caller must send a hint in any case.
 */
extern bool ds_run_cache_put(const DsRun *run);

/* Returns the run of the instance to the caller; false if there is none. */
extern bool ds_run_cache_take(const char *instance_id, DsRun *run);

/*
 * Empties the cache.  Called when the queue is empty: any run still cached has
 * since been continued by another worker.
 */
extern void ds_run_cache_clear(void);

#endif
