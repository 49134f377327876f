/*-------------------------------------------------------------------------
 *
 * client_purge.c
 *	  Removing ended instances: df_purge, df_purge_by.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "instance/access.h"
#include "instance/purge.h"
#include "instance/start.h"
#include "shmem/shared.h"
#include "store/store.h"

#define BATCH	1000

PG_FUNCTION_INFO_V1(ds_purge);
PG_FUNCTION_INFO_V1(ds_purge_by);
PG_FUNCTION_INFO_V1(ds_purge_exposed_by);

static int64 purge_by(FunctionCallInfo fcinfo, bool exposed_only);

/* df_purge(instance_id) */
PGDLLEXPORT Datum
ds_purge(PG_FUNCTION_ARGS)
{
	char	   *instance_id;
	int64		purged;

	ds_shared_require();
	instance_id = ds_arg_instance_id(fcinfo, 0);
	PreventCommandIfReadOnly("df_purge()");
	PreventCommandIfParallelMode("df_purge()");

	do
	{
		DsInstance *inst;

		CHECK_FOR_INTERRUPTS();
		inst = ds_store_load(instance_id);
		if (inst == NULL)
			PG_RETURN_INT64(0);
		ds_access_check_owner(inst);
		if (ds_status_is_active(inst->status))
			ereport(ERROR,
					(errcode(DS_ERRCODE_CONFLICT),
					 errmsg("instance \"%s\" is %s", instance_id,
							ds_status_name(inst->status)),
					 errhint("Only an instance that has ended can be purged.")));
		purged = ds_purge_family(inst, false);
		/* none: somebody was faster */
	} while (purged == 0);
	PG_RETURN_INT64(purged);
}

/* df_purge_by(created_from, created_to, statuses) */
PGDLLEXPORT Datum
ds_purge_by(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(purge_by(fcinfo, false));
}

/* durable_singleton.http_purge_exposed_by(created_from, created_to, statuses) */
PGDLLEXPORT Datum
ds_purge_exposed_by(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(purge_by(fcinfo, true));
}

static int64
purge_by(FunctionCallInfo fcinfo, bool exposed_only)
{
	DsReuse		statuses = ds_start_any_ended;
	TimestampTz from;
	TimestampTz to;
	char		after[DS_MAX_ID_LENGTH + 1] = "";
	MemoryContext cxt;
	int64		purged = 0;
	List	   *ids;

	ds_shared_require();
	ds_arg_require(fcinfo, 0, "created_from");
	from = PG_GETARG_TIMESTAMPTZ(0);
	to = PG_ARGISNULL(1) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(1);
	if (!PG_ARGISNULL(2))
		statuses = ds_start_arg_statuses(fcinfo, 2, "statuses");
	PreventCommandIfReadOnly("df_purge_by()");
	PreventCommandIfParallelMode("df_purge_by()");

	cxt = AllocSetContextCreate(CurrentMemoryContext, "df_purge_by",
								ALLOCSET_DEFAULT_SIZES);
	do
	{
		MemoryContext old;

		MemoryContextReset(cxt);
		old = MemoryContextSwitchTo(cxt);
		ids = ds_store_find_purgeable(from, to, statuses.n, statuses.statuses,
									  GetUserId(), exposed_only, after,
									  BATCH);
		if (ids != NIL)
			strlcpy(after, llast(ids), sizeof(after));
		purged += ds_purge_families(ids, true);
		MemoryContextSwitchTo(old);
	} while (ids != NIL);
	MemoryContextDelete(cxt);
	return purged;
}
