/*-------------------------------------------------------------------------
 *
 * stat.c
 *	  What the workers are doing: the function behind df_stat_workers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "access.h"
#include "hub.h"

PG_FUNCTION_INFO_V1(ds_workers);

#define NUM_COLUMNS	6

/* durable_singleton.workers() */
PGDLLEXPORT Datum
ds_workers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DsSlot	   *copy;
	int			n;

	ds_hub_require();
	InitMaterializedSRF(fcinfo, 0);

	copy = palloc(ds_hub->n_slots * sizeof(DsSlot));
	LWLockAcquire(ds_hub->lock, LW_SHARED);
	n = ds_hub->slots_used;
	memcpy(copy, ds_hub_slots(), n * sizeof(DsSlot));
	LWLockRelease(ds_hub->lock);

	for (int i = 0; i < n; i++)
	{
		const DsSlot *slot = &copy[i];
		Datum		values[NUM_COLUMNS] = {0};
		bool		nulls[NUM_COLUMNS] = {0};
		bool		busy;

		if (slot->foreground || slot->pid == 0)
			continue;
		busy = slot->executing && ds_access(slot->role) != DS_ACCESS_NONE;
		values[0] = Int32GetDatum(slot->pid);
		values[1] = ObjectIdGetDatum(slot->database);
		values[2] = ObjectIdGetDatum(slot->role);
		nulls[3] = nulls[4] = nulls[5] = !busy;
		if (busy)
		{
			values[3] = CStringGetTextDatum(slot->instance_id);
			values[4] = CStringGetTextDatum(slot->function_name);
			values[5] = TimestampTzGetDatum(slot->step_start);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
