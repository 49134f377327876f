/*-------------------------------------------------------------------------
 *
 * fence.c
 *	  The fence: checks that the row of an instance is still as it was read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/no_time.h"
#include "store/catalog.h"
#include "store/column.h"
#include "store/columns.h"
#include "store/fence.h"

bool
ds_fence_passes(const DsInstance *inst, DsStatus *status)
{
	*status = ds_catalog_status(ds_column_oid(0, INSTANCE_status));
	return ds_fence_is_execution(&inst->execution_id) &&
		ds_column_int(0, INSTANCE_turn) == inst->turn;
}

bool
ds_fence_is_execution(const pg_uuid_t *execution_id)
{
	pg_uuid_t	present = ds_column_uuid(0, INSTANCE_execution_id);

	return memcmp(&present, execution_id, sizeof(present)) == 0;
}

/*
 * The row written by a start has no such time yet, because a NULL costs no
 * WAL.
 */
TimestampTz
ds_fence_last_updated_time(void)
{
	TimestampTz t = ds_column_time(0, INSTANCE_last_updated_time);

	return t != DS_NO_TIME ? t : ds_column_time(0, INSTANCE_created_time);
}
