/*-------------------------------------------------------------------------
 *
 * durable_singleton.c
 *	  Module entry: sets up what must be there before the first call.
 *
 * How an instance flows through the files:
 *
 *	client_start.c	 a start, inside the caller's transaction
 *	store_instance.c			 its row (the SQL stands in statements.c)
 *	at_commit.c	 after the commit, the hint "it is ready"
 *	hints.c			 the queue in shared memory (shared.c)
 *	launcher.c		 a worker for its role, if there is none
 *	worker.c		 takes the hint
 *	step.c			 claims the instance (claim.c) and runs it step by step
 *	pass.c			 the orchestrator, against its history (replay.c,
 *					 context.c)
 *	store_instance.c			 what came of it
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "base/settings.h"
#include "commit/at_commit.h"
#include "commit/commit_counts.h"
#include "function/trust.h"
#include "shared_memory.h"
#include "store/catalog.h"
#include "worker/utility_hook.h"
#include "worker/worker.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	ds_settings_init();

	/* without shared memory every function says what is missing */
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;

	ds_shared_memory_init();
	ds_catalog_init();
	ds_commit_counts_init();
	ds_at_commit_init();
	ds_trust_init();
	ds_utility_hook_init();
	ds_launcher_register();
}
