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

/* What the launcher tells a worker, in bgw_extra. */
typedef struct DsWorkerOrder
{
	Oid			database;
	Oid			role;
	int			slot;
	uint32		generation;
} DsWorkerOrder;

/* A worker to fill in further; never restarted by the postmaster. */
extern BackgroundWorker ds_background_worker(const char *function,
											 const char *type);

extern void ds_launcher_register(void);

#endif
