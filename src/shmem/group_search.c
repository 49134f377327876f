/*-------------------------------------------------------------------------
 *
 * group_search.c
 *	  The searches of a group, which its workers run in batches.
 *
 * There are two, one for due work and one for all ready work.  One worker at a
 * time runs a batch of one of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/no_time.h"
#include "shmem/counters.h"
#include "shmem/group.h"
#include "shmem/group_search.h"
#include "shmem/shared.h"
#include "shmem/slot.h"
#include "store/work_search.h"

static bool begin_due_search(DsGroup *group, int home, TimestampTz now);
static bool begin_full_search(DsGroup *group, int home);
static DsWorkSearch *choose(DsGroup *group);

bool
ds_group_search_take(Oid database, Oid role, int home, DsWorkSearch *search,
					 bool *begun)
{
	TimestampTz now = GetCurrentTimestamp();
	DsWorkSearch *next = NULL;
	bool		due = false;
	bool		full = false;
	DsGroup    *group;

	ds_shared_lock();
	group = ds_group_get(database, role, false);
	if (group != NULL && group->retry_time != DS_NO_TIME &&
		group->retry_time <= now)
	{
		group->retry_time = DS_NO_TIME;
		group->rescan = true;
	}
	if (group != NULL && !group->searching &&
		group->new_hints.n < DS_MAX_HINTS_OF_GROUP / 8)
	{
		due = begin_due_search(group, home, now);
		full = begin_full_search(group, home);
		next = choose(group);
	}
	if (next != NULL)
	{
		*search = *next;
		group->searching = ds_my_slot->searching = true;
	}
	ds_shared_unlock();

	if (due)
		ds_counters_add(DS_DUE_SEARCHES, 1);
	if (full)
		ds_counters_add(DS_FULL_SEARCHES, 1);
	*begun = due || full;
	return next != NULL;
}

/* A search in progress is completed before the next one begins. */
static bool
begin_due_search(DsGroup *group, int home, TimestampTz now)
{
	if (group->next_wake == DS_NO_TIME || group->next_wake > now ||
		!ds_work_search_is_done(&group->due_search))
		return false;
	ds_work_search_begin(&group->due_search, group->key.role, home, false,
						 false);
	group->due_search.due_from = group->next_wake;
	group->next_wake = DS_NO_TIME;
	return true;
}

static bool
begin_full_search(DsGroup *group, int home)
{
	if (!group->rescan || !ds_work_search_is_done(&group->full_search))
		return false;
	group->rescan = false;
	ds_work_search_begin(&group->full_search, group->key.role, home, false,
						 true);
	return true;
}

/* Alternates, so that neither search delays the other; NULL: both are done. */
static DsWorkSearch *
choose(DsGroup *group)
{
	DsWorkSearch *next = NULL;

	if (!ds_work_search_is_done(&group->due_search))
		next = &group->due_search;
	if (!ds_work_search_is_done(&group->full_search) &&
		(next == NULL || group->full_search_next))
		next = &group->full_search;
	group->full_search_next = next == &group->due_search;
	return next;
}

void
ds_group_search_return(Oid database, Oid role, const DsWorkSearch *search,
					   bool lost)
{
	DsGroup    *group;

	ds_shared_lock();
	group = ds_group_get(database, role, false);
	if (group != NULL)
	{
		if (search->all)
			group->full_search = *search;
		else
			group->due_search = *search;
		group->rescan |= lost;
		group->searching = false;
	}
	ds_my_slot->searching = false;
	ds_shared_unlock();
}
