/*-------------------------------------------------------------------------
 *
 * durable_singleton.c
 *	  Module entry: sets up everything needed before the first call.
 *
 * README.md beside this file is the map of src/: a glossary, the way of an
 * instance through the files, and the purpose of each file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "base/settings.h"
#include "commit/at_commit.h"
#include "function/isolation.h"
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

	/* without shared memory every function reports what is missing */
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;

	ds_shared_memory_init();
	ds_catalog_init();
	ds_at_commit_init();
	ds_trust_init();
	ds_isolation_init();
	ds_utility_hook_init();
	ds_launcher_register();
}
