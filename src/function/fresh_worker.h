/*-------------------------------------------------------------------------
 *
 * fresh_worker.h
 *	  Steps that need a worker that has run nothing else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FRESH_WORKER_H
#define DS_FRESH_WORKER_H

#include "utils/uuid.h"

/*
 * Called right before user code of the execution: a pass of its orchestrator,
 * or an activity.  Does not return if the function needs a fresh worker and
 * this is none: then the process ends, and a new one takes the work.
 */
extern void ds_fresh_worker_check(Oid function, const pg_uuid_t *execution_id,
								  bool is_pass);

/*
 * Must this worker end after the current step, so that no other step sees it?
 */
extern bool ds_fresh_worker_is_spent(void);

#endif
