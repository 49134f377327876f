/*-------------------------------------------------------------------------
 *
 * group.c
 *	  Groups: the workers of one role in one database, and their work.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "base/settings.h"
#include "shmem/group.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"
#include "shmem/slot.h"
#include "store/work_search.h"

/*
 * With this many yielded instances of a role, the first ones are resumed, so
 * that the steps of all of them are flushed together.
 */
#define YIELDED_ENOUGH	128
/* Below that number, one of so many hints is one for a yielded instance ... */
#define YIELDED_EVERY	4
/* ... and above it, one for a new instance, so that neither kind starves. */
#define NEW_EVERY		16
/*
 * If new hints wait longer than this, because steps are long: every second
 * one.
 */
#define NEW_WAIT_MS		500
/* How many hints to check for a run that this worker has cached. */
#define YIELDED_LOOK	8

static HTAB *groups = NULL;

static bool give_up_group(void);
static bool is_next_new(const DsGroup *group, TimestampTz now);
static DsHint *choose_yielded(const DsGroup *group);

Size
ds_group_size(void)
{
	return hash_estimate_size(DS_MAX_GROUPS, sizeof(DsGroup));
}

void
ds_group_startup(void)
{
	HASHCTL		info = {.keysize = sizeof(DsGroupKey),.entrysize = sizeof(DsGroup)};

	groups = ShmemInitHash("durable_singleton groups", DS_MAX_GROUPS,
						   DS_MAX_GROUPS, &info,
						   HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);
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
		ds_hint_queue_init(&group->new_hints);
		ds_hint_queue_init(&group->yielded);
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

/*
 * Frees the group that has been without work the longest; a janitor will find
 * its work when it is due.
 */
static bool
give_up_group(void)
{
	HASH_SEQ_STATUS scan;
	DsGroup    *group;
	DsGroup    *latest = NULL;
	TimestampTz latest_due = DS_NO_TIME;
	TimestampTz now = GetCurrentTimestamp();

	hash_seq_init(&scan, groups);
	while ((group = hash_seq_search(&scan)) != NULL)
	{
		TimestampTz due = ds_group_next_due(group);

		if (group->n_workers > 0 || group->searching ||
			ds_group_has_due_work(group, now))
			continue;
		if (due == DS_NO_TIME)
			due = DT_NOEND;
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
ds_group_drop(DsGroup *group)
{
	ds_group_forget_work(group);
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

int
ds_group_n_hints(const DsGroup *group)
{
	return group->new_hints.n + group->yielded.n;
}

bool
ds_group_push_hint(DsGroup *group, const DsWork *work, DsHintPlace place)
{
	return ds_group_n_hints(group) < DS_MAX_HINTS_OF_GROUP &&
		ds_hint_queue_push(place == DS_HINT_YIELDED ? &group->yielded :
						   &group->new_hints, work, place == DS_HINT_FIRST);
}

bool
ds_group_pop_hint(DsGroup *group, DsWork *work, int64 *latency)
{
	TimestampTz now = GetCurrentTimestamp();

	if (ds_group_n_hints(group) == 0)
		return false;
	group->n_pops++;
	if (is_next_new(group, now))
	{
		DsHint	   *hint = ds_hint_queue_first(&group->new_hints);

		*latency = now - hint->since;
		*work = ds_hint_queue_take(&group->new_hints, hint);
	}
	else
	{
		*latency = -1;
		*work = ds_hint_queue_take(&group->yielded, choose_yielded(group));
	}
	group->last_pop = now;
	return true;
}

static bool
is_next_new(const DsGroup *group, TimestampTz now)
{
	if (group->new_hints.n == 0 || group->yielded.n == 0)
		return group->new_hints.n > 0;
	if (group->yielded.n < YIELDED_ENOUGH)
		return group->n_pops % YIELDED_EVERY != 0;
	if (TimestampDifferenceExceeds(ds_hint_queue_first(&group->new_hints)->since,
								   now, NEW_WAIT_MS))
		return group->n_pops % 2 == 0;
	return group->n_pops % NEW_EVERY == 0;
}

/*
 * One of the oldest hints, if possible of a run that this worker has cached.
 */
static DsHint *
choose_yielded(const DsGroup *group)
{
	DsHint	   *oldest = ds_hint_queue_first(&group->yielded);
	int			me = ds_slot_index(ds_my_slot);
	int			n = 0;
	dlist_iter	iter;

	if (oldest->n_skipped++ >= YIELDED_LOOK)
		return oldest;
	dlist_foreach(iter, unconstify(dlist_head *, &group->yielded.hints))
	{
		DsHint	   *hint = dlist_container(DsHint, node, iter.cur);

		if (n++ == YIELDED_LOOK)
			break;
		if (hint->cached_by == me)
			return hint;
	}
	return oldest;
}

void
ds_group_forget_work(DsGroup *group)
{
	ds_hint_queue_clear(&group->new_hints);
	ds_hint_queue_clear(&group->yielded);
	ds_work_search_end(&group->due_search);
	ds_work_search_end(&group->full_search);
	group->rescan = false;
	group->next_wake = DS_NO_TIME;
	group->retry_time = DS_NO_TIME;
}

bool
ds_group_has_work(const DsGroup *group)
{
	return ds_group_n_hints(group) > 0 || ds_group_is_searched(group);
}

bool
ds_group_is_searched(const DsGroup *group)
{
	return group->rescan || !ds_work_search_is_done(&group->due_search) ||
		!ds_work_search_is_done(&group->full_search);
}

TimestampTz
ds_group_next_due(const DsGroup *group)
{
	if (group->next_wake == DS_NO_TIME)
		return group->retry_time;
	if (group->retry_time == DS_NO_TIME)
		return group->next_wake;
	return Min(group->next_wake, group->retry_time);
}

bool
ds_group_has_due_work(const DsGroup *group, TimestampTz now)
{
	TimestampTz due = ds_group_next_due(group);

	return ds_group_has_work(group) || (due != DS_NO_TIME && due <= now);
}

void
ds_group_wake(DsGroup *group, TimestampTz at)
{
	if (ds_group_wake_idle_worker(group) ||
		group->n_workers >= ds_workers_per_role)
		return;
	if (group->n_workers > 0 && at == DS_NO_TIME)
		at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										 DS_BUSY_CHECK_MS);
	if (at < ds_shared->launcher_sleeps_until)
		ds_shared_wake_launcher();
}

bool
ds_group_wake_idle_worker(DsGroup *group)
{
	bool		found = false;

	for (int i = 0; group->n_workers > 0 && i < ds_slots->used; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

		if (slot->state != DS_SLOT_IDLE || slot->foreground ||
			slot->role != group->key.role ||
			slot->database != group->key.database)
			continue;
		found = true;

		/*
		 * A worker that is awake already takes one hint, not all of them. The
		 * flag belongs to another process: if it is just being reset, that
		 * process has not looked yet, and will do so.
		 */
		if (!slot->latch->is_set)
		{
			SetLatch(slot->latch);
			break;
		}
	}
	return found;
}
