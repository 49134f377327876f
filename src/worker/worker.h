/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  The background processes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WORKER_H
#define DS_WORKER_H

#include "postmaster/bgworker.h"

#define DS_LIBRARY	"durable_singleton"

/* The launcher's parameters for a worker, in bgw_extra. */
typedef struct DsWorkerOrder
{
	Oid			database;
	Oid			role;
	int			slot;
	uint32		generation;
} DsWorkerOrder;

/*
 * A template for a worker, to be completed; never restarted by the postmaster.
 */
extern BackgroundWorker ds_worker_template(const char *function,
										   const char *type);

/*
 * Starts it for the launcher.  False, with a warning the first time, if no
 * background worker is available; then try again after DS_NO_WORKER_RETRY_MS.
 */
extern bool ds_worker_start(BackgroundWorker *worker,
							BackgroundWorkerHandle **handle);

#define DS_NO_WORKER_RETRY_MS	1000

extern void ds_launcher_register(void);

#endif
