/*-------------------------------------------------------------------------
 *
 * commit_counts.c
 *	  What the present transaction counts in df_stat once it has committed.
 *
 * Each subtransaction has its numbers, which go to its parent when it
 * commits.  After the commit of the whole they are added to the database's,
 * where nothing can fail.
 *
 * Those of a prepared transaction wait in shared memory under its name until
 * somebody commits it or rolls it back.  A transaction that was prepared
 * before shared memory began anew is not counted: a restart of the server
 * does that, and a crash.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/twophase.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/shmem.h"

#include "commit/commit_counts.h"
#include "commit/subxact_stack.h"
#include "shmem/shared.h"

/* What a subtransaction of ours has counted. */
typedef struct Counts
{
	DsSubxactEntry subxact;		/* must be first */
	uint64		n[DS_NUM_COUNTERS];
} Counts;

/* What a prepared transaction has; under the shared lock. */
typedef struct Prepared
{
	char		gid[GIDSIZE];	/* "" if free */
	uint64		n[DS_NUM_COUNTERS];
} Prepared;

static bool add_up(DsSubxactEntry *into, const DsSubxactEntry *from);

/* One entry a subtransaction. */
static DsSubxactStack counts = {
	.entry_size = sizeof(Counts),.merge = add_up
};

static Prepared *prepared = NULL;
static char my_gid[GIDSIZE] = "";

static int	max_prepared(void);
static void add_all(const uint64 *n);
static void keep_prepared(const uint64 *n);

/*
 * PostgreSQL has room for another one a moment before we have cleared away
 * the last that was finished: each backend may be at that.
 */
static int
max_prepared(void)
{
	return max_prepared_xacts == 0 ? 0 : max_prepared_xacts + MaxBackends;
}

Size
ds_commit_counts_size(void)
{
	return mul_size(max_prepared(), sizeof(Prepared));
}

void
ds_commit_counts_startup(void)
{
	bool		found;

	if (max_prepared() == 0)
		return;
	prepared = ShmemInitStruct("durable_singleton prepared counts",
							   ds_commit_counts_size(), &found);
	if (!found)
		memset(prepared, 0, ds_commit_counts_size());
}

void
ds_commit_counts_add(DsCounter counter)
{
	Counts	   *mine = NULL;

	if (counts.n > 0)
		mine = ds_subxact_stack_at(&counts, counts.n - 1);
	if (mine == NULL || mine->subxact.subid != GetCurrentSubTransactionId())
		mine = ds_subxact_stack_push(&counts);
	mine->n[counter]++;
}

void
ds_commit_counts_prepare_as(const char *gid)
{
	strlcpy(my_gid, gid, sizeof(my_gid));
}

void
ds_commit_counts_finish_prepared(const char *gid, bool committed)
{
	uint64		n[DS_NUM_COUNTERS] = {0};

	ds_shared_lock();
	for (int i = 0; i < max_prepared(); i++)
	{
		if (strcmp(prepared[i].gid, gid) == 0)
		{
			memcpy(n, prepared[i].n, sizeof(n));
			prepared[i].gid[0] = '\0';
			break;
		}
	}
	ds_shared_unlock();
	if (committed)
		add_all(n);
}

static void
add_all(const uint64 *n)
{
	for (int i = 0; i < DS_NUM_COUNTERS; i++)
	{
		if (n[i] != 0)
			ds_counters_add(i, n[i]);
	}
}

/* Nobody can finish the transaction before this has returned. */
static void
keep_prepared(const uint64 *n)
{
	Prepared   *place = NULL;

	ds_shared_lock();
	for (int i = 0; i < max_prepared(); i++)
	{
		/* one that has kept the name was finished without our being told */
		if (strcmp(prepared[i].gid, my_gid) == 0)
		{
			place = &prepared[i];
			break;
		}
		if (place == NULL && prepared[i].gid[0] == '\0')
			place = &prepared[i];
	}
	if (place != NULL)
	{
		strlcpy(place->gid, my_gid, sizeof(place->gid));
		memcpy(place->n, n, sizeof(place->n));
	}
	ds_shared_unlock();
}

/* Those of subtransactions have all come up into the first one. */
void
ds_commit_counts_at_commit(void)
{
	if (counts.n == 0)
		return;
	add_all(((Counts *) ds_subxact_stack_at(&counts, 0))->n);
	ds_subxact_stack_clear(&counts);
}

void
ds_commit_counts_at_prepare(void)
{
	if (counts.n == 0)
		return;
	if (my_gid[0] != '\0')
		keep_prepared(((Counts *) ds_subxact_stack_at(&counts, 0))->n);
	ds_subxact_stack_clear(&counts);
}

void
ds_commit_counts_at_abort(void)
{
	ds_subxact_stack_clear(&counts);
}

void
ds_commit_counts_at_subxact_commit(SubTransactionId subid,
								   SubTransactionId parent)
{
	ds_subxact_stack_commit(&counts, subid, parent);
}

void
ds_commit_counts_at_subxact_abort(SubTransactionId subid)
{
	while (ds_subxact_stack_pop(&counts, subid) != NULL)
		;
}

static bool
add_up(DsSubxactEntry *into, const DsSubxactEntry *from)
{
	for (int i = 0; i < DS_NUM_COUNTERS; i++)
		((Counts *) into)->n[i] += ((const Counts *) from)->n[i];
	return true;
}
