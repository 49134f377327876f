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
#include "utils/memutils.h"

#include "commit/commit_counts.h"
#include "shmem/shared.h"

/* What a subtransaction of ours has counted. */
typedef struct Counts
{
	SubTransactionId subid;
	uint64		n[DS_NUM_COUNTERS];
} Counts;

/* What a prepared transaction has; under the shared lock. */
typedef struct Prepared
{
	char		gid[GIDSIZE];	/* "" if free */
	uint64		n[DS_NUM_COUNTERS];
} Prepared;

/* The innermost last. */
static Counts *counts = NULL;
static int	n_counts = 0;
static int	max_counts = 0;

static Prepared *prepared = NULL;
static char my_gid[GIDSIZE] = "";

static int	max_prepared(void);
static void add_all(const uint64 *n);
static void keep_prepared(const uint64 *n);
static void at_transaction_end(XactEvent event, void *arg);
static void at_subtransaction_end(SubXactEvent event, SubTransactionId subid,
								  SubTransactionId parent, void *arg);

void
ds_commit_counts_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}

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
	SubTransactionId subid = GetCurrentSubTransactionId();

	if (n_counts == 0 || counts[n_counts - 1].subid != subid)
	{
		if (n_counts == max_counts)
		{
			int			max = Max(16, max_counts * 2);

			if (counts == NULL)
				counts = MemoryContextAlloc(TopMemoryContext,
											max * sizeof(Counts));
			else
				counts = repalloc(counts, max * sizeof(Counts));
			max_counts = max;
		}
		memset(&counts[n_counts], 0, sizeof(Counts));
		counts[n_counts++].subid = subid;
	}
	counts[n_counts - 1].n[counter]++;
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

static void
at_transaction_end(XactEvent event, void *arg)
{
	if (n_counts == 0)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			/* those of subtransactions have all come up here */
			add_all(counts[0].n);
			n_counts = 0;
			break;
		case XACT_EVENT_PREPARE:
			if (my_gid[0] != '\0')
				keep_prepared(counts[0].n);
			n_counts = 0;
			break;
		case XACT_EVENT_ABORT:
			n_counts = 0;
			break;
		default:
			break;
	}
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId subid,
					  SubTransactionId parent, void *arg)
{
	Counts	   *last;

	/* what is inside of it has come up to it, or is gone */
	if (n_counts == 0 || counts[n_counts - 1].subid != subid)
		return;
	last = &counts[n_counts - 1];
	if (event == SUBXACT_EVENT_ABORT_SUB)
		n_counts--;
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		if (n_counts > 1 && last[-1].subid == parent)
		{
			for (int i = 0; i < DS_NUM_COUNTERS; i++)
				last[-1].n[i] += last->n[i];
			n_counts--;
		}
		else
			last->subid = parent;
	}
}
