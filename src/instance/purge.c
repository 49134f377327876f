/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  Removing ended instances with their ended children.
 *
 * Only what has ended is ever removed: the DELETE itself says so.  A child
 * that is still active stays, as an instance whose parent is gone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "instance/purge.h"
#include "store/store.h"

int64
ds_purge_families(List *instance_ids, bool skip_locked)
{
	int64		purged = 0;
	ListCell   *cell;

	foreach(cell, instance_ids)
	{
		DsInstance *inst = ds_store_load(lfirst(cell));

		if (inst != NULL && !ds_status_is_active(inst->status))
			purged += ds_purge_family(inst, skip_locked);
	}
	return purged;
}

int64
ds_purge_family(const DsInstance *inst, bool skip_locked)
{
	CHECK_FOR_INTERRUPTS();
	check_stack_depth();
	if (!ds_store_purge(inst, skip_locked))
		return 0;
	return 1 + ds_purge_families(ds_store_find_ended_children(inst),
								 skip_locked);
}
