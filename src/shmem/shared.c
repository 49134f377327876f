/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  The lock of the extension's shared memory, and waking the launcher.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"

#include "shmem/shared.h"

DsShared   *ds_shared = NULL;

Size
ds_shared_size(void)
{
	return sizeof(DsShared);
}

void
ds_shared_startup(void)
{
	bool		found;

	ds_shared = ShmemInitStruct("durable_singleton", ds_shared_size(), &found);
	if (found)
		return;
	memset(ds_shared, 0, ds_shared_size());
	ds_shared->lock = &GetNamedLWLockTranche("durable_singleton")->lock;
}

bool
ds_shared_is_there(void)
{
	return ds_shared != NULL;
}

void
ds_shared_require(void)
{
	if (ds_shared == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("durable_singleton must be loaded via shared_preload_libraries"),
				 errhint("Add durable_singleton to shared_preload_libraries in postgresql.conf and restart the server.")));
}

void
ds_shared_wake_launcher(void)
{
	if (ds_shared->launcher_latch != NULL)
		SetLatch(ds_shared->launcher_latch);
}
