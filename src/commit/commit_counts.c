/*-------------------------------------------------------------------------
 *
 * commit_counts.c
 *	  The counts of the current transaction, added to df_stat at its commit.
 *
 * Each subtransaction has its own counts, which are added to those of its
 * parent when it commits.  After the commit of the transaction they are added
 * to those of the database, where nothing can fail.
 *
 * The counts of a prepared transaction stay in shared memory under its name
 * until it is committed or rolled back.  A transaction that was prepared
 * before a restart of the server, or a crash, is not counted.
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

/* The counts of a subtransaction. */
typedef struct Counts
{
	DsSubxactEntry subxact;		/* must be first */
	uint64		n[DS_NUM_COUNTERS];
} Counts;

/* The counts of a prepared transaction; under the shared lock. */
typedef struct Prepared
{
	char		gid[GIDSIZE];	/* empty if free */
	uint64		n[DS_NUM_COUNTERS];
} Prepared;

static bool add_up(DsSubxactEntry *into, const DsSubxactEntry *from);

/* One entry per subtransaction. */
static DsSubxactStack counts = {
	.entry_size = sizeof(Counts),.merge = add_up
};

static Prepared *prepared = NULL;
static char my_gid[GIDSIZE] = "";

static int	max_prepared(void);
static void add_all(const uint64 *n);
static void keep_prepared(const uint64 *n);

/*
 * PostgreSQL may have room for another prepared transaction before the entry
 * of a finished one is cleared: each backend may be at this point.
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

/* The transaction cannot be finished before this has returned. */
static void
keep_prepared(const uint64 *n)
{
	Prepared   *place = NULL;

	ds_shared_lock();
	for (int i = 0; i < max_prepared(); i++)
	{
		/* an old one of the same name was finished without a notification */
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

/* The counts of all subtransactions have been merged into the first entry. */
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
