/*-------------------------------------------------------------------------
 *
 * client_purge.c
 *	  Removes ended instances: df_purge, df_purge_by.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "function/failure.h"
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
static int64 purge_family(DsPurge *purge, const char *instance_id);
static int64 purge_families(DsPurge *purge, List *ids);
static ErrorData *try_families(DsPurge *purge, List *ids, int64 *purged);

/* df_purge(instance_id) */
PGDLLEXPORT Datum
ds_purge(PG_FUNCTION_ARGS)
{
	char	   *instance_id;
	DsPurge		purge;
	int64		purged;

	ds_shared_require();
	instance_id = ds_arg_instance_id(fcinfo, 0);
	PreventCommandIfReadOnly("df_purge()");
	PreventCommandIfParallelMode("df_purge()");

	ds_purge_begin(&purge, false, DT_NOEND);
	do
	{
		DsInstance *inst;

		CHECK_FOR_INTERRUPTS();
		inst = ds_store_load_for_purge(instance_id);
		if (inst == NULL)
			PG_RETURN_INT64(0);
		ds_access_check_owner(inst);
		if (ds_status_is_active(inst->status))
			ereport(ERROR,
					(errcode(DS_ERRCODE_CONFLICT),
					 errmsg("instance \"%s\" is %s", instance_id,
							ds_status_name(inst->status)),
					 errhint("Only an instance that has ended can be purged.")));
		purged = purge_family(&purge, instance_id);
		/* none: another process was faster */
	} while (purged == 0);
	ds_purge_end(&purge);
	PG_RETURN_INT64(purged);
}

/* df_purge_by(created_from, created_to, statuses) */
PGDLLEXPORT Datum
ds_purge_by(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(purge_by(fcinfo, false));
}

/*
 * durable_singleton.http_purge_exposed_by(created_from, created_to, statuses)
 */
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
	DsPurge		purge;
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
	ds_purge_begin(&purge, true, DT_NOEND);
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
		purged += purge_families(&purge, ids);
		MemoryContextSwitchTo(old);
	} while (ids != NIL);
	ds_purge_end(&purge);
	MemoryContextDelete(cxt);
	return purged;
}

static int64
purge_family(DsPurge *purge, const char *instance_id)
{
	int64		purged = 0;

	ds_purge_family(purge, instance_id);
	while (ds_purge_has_more(purge))
		purged += ds_purge_some(purge, PG_INT64_MAX);
	return purged;
}

/*
 * An error in one family, such as a foreign key of a user's table, must not
 * affect the others: families are removed together, and if that fails, one by
 * one.
 */
static int64
purge_families(DsPurge *purge, List *ids)
{
	int64		purged = 0;
	ErrorData  *error;
	ListCell   *cell;

	if (ids == NIL || try_families(purge, ids, &purged) == NULL)
		return purged;
	purged = 0;
	foreach(cell, ids)
	{
		int64		n;

		error = try_families(purge, list_make1(lfirst(cell)), &n);
		if (error == NULL)
			purged += n;
		else
			ereport(WARNING,
					(errcode(error->sqlerrcode),
					 errmsg("instance \"%s\" could not be purged: %s",
							(char *) lfirst(cell), error->message),
					 error->detail ? errdetail_internal("%s", error->detail) : 0));
	}
	return purged;
}

/*
 * Runs in a subtransaction.  A cancel, and an error that must abort the whole
 * transaction, is raised again.
 */
static ErrorData *
try_families(DsPurge *purge, List *ids, int64 *purged)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	volatile int64 n = 0;
	ListCell   *cell;

	*purged = 0;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		foreach(cell, ids)
			n += purge_family(purge, lfirst(cell));
		ReleaseCurrentSubTransaction();
		*purged = n;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (error != NULL &&
		(ds_failure_is_cancel(error) ||
		 ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK))
		ReThrowError(error);
	return error;
}
