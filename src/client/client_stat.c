/*-------------------------------------------------------------------------
 *
 * client_stat.c
 *	  The functions behind df_stat_workers and df_stat.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "instance/access.h"
#include "shmem/counters.h"
#include "shmem/group.h"
#include "shmem/shared.h"
#include "shmem/slot.h"
#include "shmem/waiter.h"

PG_FUNCTION_INFO_V1(ds_workers);
PG_FUNCTION_INFO_V1(ds_statistics);

#define NUM_WORKER_COLUMNS	6
#define NUM_STATISTICS_COLUMNS	(DS_NUM_COUNTERS + 13)

/* The current state of the current database. */
typedef struct Present
{
	int			n_hints;
	TimestampTz oldest;			/* when the oldest work became ready, or
								 * DS_NO_TIME */
	bool		search;			/* the tables may have more */
	int			n_workers;
	int			n_busy;
	int			n_waiting;		/* sessions */
} Present;

static void look(Present *present);
static void look_at_group(DsGroup *group, void *arg);
static void look_at_queue(const DsHintQueue *queue, Present *present);
static Datum bounds_array(void);
static Datum cumulative_array(const uint64 *buckets);
static Datum age(TimestampTz since);

/* durable_singleton.workers() */
PGDLLEXPORT Datum
ds_workers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DsSlot	   *copy;
	int			n;

	ds_shared_require();
	InitMaterializedSRF(fcinfo, 0);

	copy = palloc(ds_slots->n * sizeof(DsSlot));
	ds_shared_lock_to_look();
	n = ds_slots->used;
	memcpy(copy, ds_slots->slot, n * sizeof(DsSlot));
	ds_shared_unlock();

	for (int i = 0; i < n; i++)
	{
		const DsSlot *slot = &copy[i];
		Datum		values[NUM_WORKER_COLUMNS] = {0};
		bool		nulls[NUM_WORKER_COLUMNS] = {0};
		bool		busy;

		if (slot->foreground || slot->pid == 0)
			continue;
		busy = slot->executing && ds_access_of(slot->role) != DS_ACCESS_NONE;
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

/* durable_singleton.statistics(): one row */
PGDLLEXPORT Datum
ds_statistics(PG_FUNCTION_ARGS)
{
	Datum		values[NUM_STATISTICS_COLUMNS] = {0};
	bool		nulls[NUM_STATISTICS_COLUMNS] = {0};
	TupleDesc	row;
	DsCounters	statistics;
	Present		present = {0};
	int			i = 0;

	ds_shared_require();
	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (row->natts != NUM_STATISTICS_COLUMNS)
		elog(ERROR, "return type has %d columns, not %d", row->natts,
			 NUM_STATISTICS_COLUMNS);
	ds_counters_read(&statistics);
	look(&present);

	nulls[i] = statistics.common;
	values[i++] = ObjectIdGetDatum(MyDatabaseId);
	for (int c = 0; c < DS_NUM_COUNTERS; c++)
		values[i++] = Int64GetDatum(statistics.counters[c]);
	values[i++] = Int32GetDatum(present.n_hints);
	nulls[i] = present.oldest == DS_NO_TIME;
	values[i++] = present.oldest == DS_NO_TIME ? (Datum) 0 : age(present.oldest);
	values[i++] = BoolGetDatum(present.search);
	values[i++] = Int32GetDatum(present.n_workers);
	values[i++] = Int32GetDatum(present.n_busy);
	values[i++] = Int32GetDatum(present.n_waiting);
	values[i++] = bounds_array();
	for (int h = 0; h < DS_NUM_HISTOGRAMS; h++)
	{
		values[i++] = cumulative_array(statistics.buckets[h]);
		values[i++] = Float8GetDatum(statistics.sums[h] / 1000.0);
	}
	values[i++] = TimestampTzGetDatum(statistics.since);
	Assert(i == NUM_STATISTICS_COLUMNS);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row),
													  values, nulls)));
}

static void
look(Present *present)
{
	ds_shared_lock_to_look();
	ds_group_each(look_at_group, present);
	for (int i = 0; i < ds_slots->used; i++)
	{
		const DsSlot *slot = &ds_slots->slot[i];

		if (slot->foreground || slot->pid == 0 ||
			slot->database != MyDatabaseId)
			continue;
		present->n_workers++;
		if (slot->state == DS_SLOT_BUSY)
			present->n_busy++;
	}
	present->n_waiting = ds_waiter_count(MyDatabaseId);
	ds_shared_unlock();
}

/* Due work is ready even before a worker has searched for it. */
static void
look_at_group(DsGroup *group, void *arg)
{
	Present    *present = arg;
	TimestampTz due = group->next_wake;

	if (group->key.database != MyDatabaseId)
		return;
	present->n_hints += ds_group_n_hints(group);
	look_at_queue(&group->new_hints, present);
	look_at_queue(&group->yielded, present);
	if (due != DS_NO_TIME && due <= GetCurrentTimestamp())
	{
		present->search = true;
		if (present->oldest == DS_NO_TIME || due < present->oldest)
			present->oldest = due;
	}
	present->search |= ds_group_is_searched(group);
}

/* The first hint is the oldest; checking all of them would take long. */
static void
look_at_queue(const DsHintQueue *queue, Present *present)
{
	const DsHint *first = ds_hint_queue_first(queue);

	if (first != NULL &&
		(present->oldest == DS_NO_TIME || first->since < present->oldest))
		present->oldest = first->since;
}

/* In milliseconds; the last one is infinite. */
static Datum
bounds_array(void)
{
	Datum		bounds[DS_NUM_BUCKETS];

	for (int i = 0; i < DS_NUM_BOUNDS; i++)
		bounds[i] = Float8GetDatum(ds_counters_bounds[i] / 1000.0);
	bounds[DS_NUM_BOUNDS] = Float8GetDatum(get_float8_infinity());
	return PointerGetDatum(construct_array(bounds, DS_NUM_BUCKETS, FLOAT8OID,
										   sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

static Datum
cumulative_array(const uint64 *buckets)
{
	Datum		counts[DS_NUM_BUCKETS];
	int64		sum = 0;

	for (int i = 0; i < DS_NUM_BUCKETS; i++)
	{
		sum += buckets[i];
		counts[i] = Int64GetDatum(sum);
	}
	return PointerGetDatum(construct_array(counts, DS_NUM_BUCKETS, INT8OID,
										   sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

static Datum
age(TimestampTz since)
{
	Interval   *result = palloc0(sizeof(Interval));

	result->time = Max(GetCurrentTimestamp() - since, 0);
	return IntervalPGetDatum(result);
}
