/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  Shared memory: set-up, and the table of groups.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/twophase.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "shmem/hints.h"
#include "shmem/shared.h"
#include "store/work_search.h"

DsShared   *ds_shared = NULL;
static HTAB *groups = NULL;

static bool give_up_group(void);
static Size hub_size(void);

bool
ds_shared_is_there(void)
{
	return ds_shared != NULL;
}

void
ds_shared_require(void)
{
	if (ds_shared == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("durable_singleton must be loaded via shared_preload_libraries"),
				 errhint("Add durable_singleton to shared_preload_libraries in postgresql.conf and restart the server.")));
}

DsSlot *
ds_slots(void)
{
	return (DsSlot *) ((char *) ds_shared + MAXALIGN(sizeof(DsShared)));
}

DsWaiter *
ds_waiters(void)
{
	return (DsWaiter *) ((char *) ds_slots() +
						 MAXALIGN(mul_size(ds_shared->n_slots, sizeof(DsSlot))));
}

DsGroup *
ds_group_get(Oid database, Oid role, bool create)
{
	DsGroupKey	key = {.database = database,.role = role};
	DsGroup    *group;
	bool		found;

	group = hash_search(groups, &key, create ? HASH_ENTER_NULL : HASH_FIND,
						&found);
	if (group != NULL && !found)
	{
		memset((char *) group + sizeof(key), 0, sizeof(*group) - sizeof(key));
		group->fresh.first = group->fresh.last = DS_NO_HINT;
		group->begun.first = group->begun.last = DS_NO_HINT;
		ds_work_search_end(&group->due_search);
		ds_work_search_end(&group->full_search);
	}
	return group;
}

DsGroup *
ds_group_get_for_work(Oid database, Oid role)
{
	DsGroup    *group = ds_group_get(database, role, true);

	if (group == NULL && give_up_group())
		group = ds_group_get(database, role, true);
	return group;
}

/* The one that has nothing to do for longest; a janitor will tell of it then. */
static bool
give_up_group(void)
{
	HASH_SEQ_STATUS scan;
	DsGroup    *group;
	DsGroup    *latest = NULL;
	TimestampTz latest_due = 0;
	TimestampTz now = GetCurrentTimestamp();

	hash_seq_init(&scan, groups);
	while ((group = hash_seq_search(&scan)) != NULL)
	{
		TimestampTz due = DT_NOEND;

		if (group->n_workers > 0 || group->searching ||
			ds_group_has_due_work(group, now))
			continue;
		if (group->next_wake != 0)
			due = group->next_wake;
		if (group->retry_time != 0)
			due = Min(due, group->retry_time);
		if (latest == NULL || due > latest_due)
		{
			latest = group;
			latest_due = due;
		}
	}
	if (latest == NULL)
		return false;
	if (latest_due != DT_NOEND)
		ds_janitor_request_visit(latest->key.database, latest_due);
	ds_group_drop(latest);
	return true;
}

void
ds_janitor_request_visit(Oid database, TimestampTz at)
{
	DsVisit    *visit = NULL;

	for (int i = 0; i < ds_shared->n_visits && visit == NULL; i++)
	{
		if (ds_shared->visits[i].database == database)
			visit = &ds_shared->visits[i];
	}
	if (visit == NULL && OidIsValid(database) &&
		ds_shared->n_visits < DS_MAX_VISITS)
	{
		visit = &ds_shared->visits[ds_shared->n_visits++];
		*visit = (DsVisit)
		{
			.database = database,.at = DT_NOEND
		};
	}
	if (visit != NULL)
		visit->at = Min(visit->at, at);
	else
		ds_shared->visit_all_at = Min(ds_shared->visit_all_at, at);
	ds_shared_wake_launcher();
}

void
ds_group_drop(DsGroup *group)
{
	ds_group_drop_hints(group);
	hash_search(groups, &group->key, HASH_REMOVE, NULL);
}

void
ds_group_each(void (*function) (DsGroup *group, void *arg), void *arg)
{
	HASH_SEQ_STATUS scan;
	DsGroup    *group;

	hash_seq_init(&scan, groups);
	while ((group = hash_seq_search(&scan)) != NULL)
		function(group, arg);
}

void
ds_shared_wake_launcher(void)
{
	if (ds_shared->launcher_latch != NULL)
		SetLatch(ds_shared->launcher_latch);
}

Size
ds_shared_size(void)
{
	return add_size(MAXALIGN(hub_size()),
					hash_estimate_size(DS_MAX_GROUPS, sizeof(DsGroup)));
}

static Size
hub_size(void)
{
	Size		size = MAXALIGN(sizeof(DsShared));

	/* every backend may be a runner and a waiter at once */
	size = add_size(size, MAXALIGN(mul_size(MaxBackends, sizeof(DsSlot))));
	size = add_size(size, MAXALIGN(mul_size(MaxBackends, sizeof(DsWaiter))));
	return size;
}

void
ds_shared_startup(void)
{
	HASHCTL		info = {.keysize = sizeof(DsGroupKey),.entrysize = sizeof(DsGroup)};
	bool		found;

	ds_shared = ShmemInitStruct("durable_singleton", hub_size(), &found);
	if (!found)
	{
		memset(ds_shared, 0, hub_size());
		ds_shared->lock = &GetNamedLWLockTranche("durable_singleton")->lock;
		ds_shared->n_slots = MaxBackends;
		ds_shared->visit_all_at = DT_NOBEGIN;
		pg_atomic_init_u64(&ds_shared->flush_wanted, InvalidXLogRecPtr);
		pg_atomic_init_u32(&ds_shared->flushing, 0);
		/* prepared transactions may have survived a restart */
		ds_shared->prepared_work = max_prepared_xacts > 0;
		for (int i = 0; i < DS_MAX_HINTS; i++)
			ds_shared->hints[i].next = i + 1 < DS_MAX_HINTS ? i + 1 : DS_NO_HINT;
		for (int i = 0; i < ds_shared->n_slots; i++)
		{
			/* no step is number 0: it would count as cancelled */
			pg_atomic_init_u64(&ds_slots()[i].step, 1);
			pg_atomic_init_u64(&ds_slots()[i].cancelled_step, 0);
		}
	}
	groups = ShmemInitHash("durable_singleton groups", DS_MAX_GROUPS,
						   DS_MAX_GROUPS, &info,
						   HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);
}
