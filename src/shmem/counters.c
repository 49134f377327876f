/*-------------------------------------------------------------------------
 *
 * counters.c
 *	  Counters of each database: df_stat.
 *
 * Every database in which anything is counted has an entry in shared memory
 * until it is dropped.  The counters are atomics, so counting takes no lock: a
 * process looks up its entry once, under the shared lock, and keeps the
 * pointer.  This is safe because a process stays in one database for life, and
 * a database with processes in it cannot be dropped.
 *
 * Databases without an entry are counted together in the common entry. Their
 * processes look again when an entry was freed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "shmem/counters.h"
#include "shmem/shared.h"

const int64 ds_counters_bounds[DS_NUM_BOUNDS] = {
	INT64CONST(100), INT64CONST(200), INT64CONST(500),
	INT64CONST(1000), INT64CONST(2000), INT64CONST(5000),
	INT64CONST(10000), INT64CONST(20000), INT64CONST(50000),
	INT64CONST(100000), INT64CONST(200000), INT64CONST(500000),
	INT64CONST(1000000), INT64CONST(2000000), INT64CONST(5000000),
	INT64CONST(10000000), INT64CONST(20000000), INT64CONST(50000000),
	INT64CONST(100000000), INT64CONST(200000000), INT64CONST(500000000),
	INT64CONST(1000000000), INT64CONST(2000000000), INT64CONST(5000000000)
};

typedef struct Entry
{
	Oid			database;		/* InvalidOid if free; under the shared lock, */
	TimestampTz since;			/* and so is this */
	pg_atomic_uint64 counters[DS_NUM_COUNTERS];
	pg_atomic_uint64 buckets[DS_NUM_HISTOGRAMS][DS_NUM_BUCKETS];
	pg_atomic_uint64 sums[DS_NUM_HISTOGRAMS];
} Entry;

typedef struct Shared
{
	TimestampTz started;
	int			n_entries;
	bool		was_full;		/* under the shared lock */
	pg_atomic_uint32 n_forgotten;	/* number of times that an entry was freed */
	Entry		common;
	Entry		entries[FLEXIBLE_ARRAY_MEMBER];
} Shared;

static Shared *shared = NULL;

static Entry *my_entry(void);
static Entry *find(Oid database);
static void clear(Entry *entry, TimestampTz since);

Size
ds_counters_size(void)
{
	return add_size(offsetof(Shared, entries),
					mul_size(ds_max_stat_databases, sizeof(Entry)));
}

void
ds_counters_startup(void)
{
	bool		found;

	shared = ShmemInitStruct("durable_singleton statistics",
							 ds_counters_size(), &found);
	if (found)
		return;
	shared->started = GetCurrentTimestamp();
	shared->n_entries = ds_max_stat_databases;
	shared->was_full = false;
	pg_atomic_init_u32(&shared->n_forgotten, 0);
	shared->common.database = InvalidOid;
	clear(&shared->common, shared->started);
	for (int i = 0; i < shared->n_entries; i++)
		shared->entries[i].database = InvalidOid;
}

void
ds_counters_add(DsCounter counter, uint64 n)
{
	pg_atomic_fetch_add_u64(&my_entry()->counters[counter], n);
}

void
ds_counters_observe(DsHistogram histogram, int64 microseconds)
{
	Entry	   *entry = my_entry();
	int			low = 0;
	int			high = DS_NUM_BOUNDS;

	/* the first bound that is not exceeded */
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (microseconds > ds_counters_bounds[middle])
			low = middle + 1;
		else
			high = middle;
	}
	pg_atomic_fetch_add_u64(&entry->buckets[histogram][low], 1);
	if (microseconds > 0)
		pg_atomic_fetch_add_u64(&entry->sums[histogram], microseconds);
}

void
ds_counters_read(DsCounters *result)
{
	Entry	   *entry = my_entry();

	result->common = entry == &shared->common;
	result->since = entry->since;
	for (int i = 0; i < DS_NUM_COUNTERS; i++)
		result->counters[i] = pg_atomic_read_u64(&entry->counters[i]);
	for (int h = 0; h < DS_NUM_HISTOGRAMS; h++)
	{
		for (int i = 0; i < DS_NUM_BUCKETS; i++)
			result->buckets[h][i] = pg_atomic_read_u64(&entry->buckets[h][i]);
		result->sums[h] = pg_atomic_read_u64(&entry->sums[h]);
	}
}

int
ds_counters_databases(Oid **databases)
{
	int			n = 0;

	*databases = palloc(shared->n_entries * sizeof(Oid));
	LWLockAcquire(ds_shared->lock, LW_SHARED);
	for (int i = 0; i < shared->n_entries; i++)
	{
		if (OidIsValid(shared->entries[i].database))
			(*databases)[n++] = shared->entries[i].database;
	}
	LWLockRelease(ds_shared->lock);
	return n;
}

void
ds_counters_forget(Oid database)
{
	ds_shared_lock();
	for (int i = 0; i < shared->n_entries; i++)
	{
		if (shared->entries[i].database == database)
		{
			shared->entries[i].database = InvalidOid;
			pg_atomic_fetch_add_u32(&shared->n_forgotten, 1);
		}
	}
	ds_shared_unlock();
}

/* The entry of the current database, or the common one. */
static Entry *
my_entry(void)
{
	static Entry *mine = NULL;
	static uint32 looked_after = 0;

	if (mine == NULL ||
		(mine == &shared->common &&
		 looked_after != pg_atomic_read_u32(&shared->n_forgotten)))
	{
		looked_after = pg_atomic_read_u32(&shared->n_forgotten);
		mine = find(MyDatabaseId);
	}
	return mine;
}

/* Takes a free entry if the database has none. */
static Entry *
find(Oid database)
{
	Entry	   *entry = NULL;
	Entry	   *free_entry = NULL;

	ds_shared_lock();
	for (int i = 0; i < shared->n_entries && entry == NULL; i++)
	{
		if (shared->entries[i].database == database)
			entry = &shared->entries[i];
		else if (free_entry == NULL &&
				 !OidIsValid(shared->entries[i].database))
			free_entry = &shared->entries[i];
	}
	if (entry == NULL && free_entry != NULL)
	{
		entry = free_entry;
		entry->database = database;
		/* before, the common entry may have counted for it */
		clear(entry, shared->was_full ? GetCurrentTimestamp() :
			  shared->started);
	}
	else if (entry == NULL)
	{
		entry = &shared->common;
		shared->was_full = true;
	}
	ds_shared_unlock();
	return entry;
}

/* The entry is not visible to other processes yet. */
static void
clear(Entry *entry, TimestampTz since)
{
	entry->since = since;
	for (int i = 0; i < DS_NUM_COUNTERS; i++)
		pg_atomic_init_u64(&entry->counters[i], 0);
	for (int h = 0; h < DS_NUM_HISTOGRAMS; h++)
	{
		for (int i = 0; i < DS_NUM_BUCKETS; i++)
			pg_atomic_init_u64(&entry->buckets[h][i], 0);
		pg_atomic_init_u64(&entry->sums[h], 0);
	}
}
