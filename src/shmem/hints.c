/*-------------------------------------------------------------------------
 *
 * hints.c
 *	  Who should look at what: the queues of hints.
 *
 * A hint says "instance x of role r in database d may be ready".  It is
 * pushed after the commit that made it ready (at_commit.c), wakes an idle
 * worker of that role, or the launcher if there is none.  When there is no
 * room for a hint the group's rescan flag takes its place.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "shmem/attach.h"
#include "shmem/counters.h"
#include "shmem/hints.h"
#include "store/work_search.h"

/*
 * So many instances of a role are better put aside before they are taken up
 * again: then the steps of all of them go to disk together.
 */
#define DS_YIELDED_ENOUGH	128
/* Until then, every so many hints one is for what was begun ... */
#define DS_YIELDED_EVERY	4
/* ... and from then on one for something new, so that neither ever starves. */
#define DS_NEW_EVERY	16
/* If what is new waits for so long, because steps are long: every other one. */
#define DS_FRESH_WAIT_MS	500
/* How far to look for one that this worker has in memory. */
#define DS_BEGUN_LOOK	8
/* When a role for which there was no room is looked at again. */
#define NO_ROOM_RETRY_MS	1000

static bool put_hint(DsGroup *group, DsHintQueue *queue, const DsWork *work);
static DsWork take_hint(DsHintQueue *queue, int previous);
static DsWork take_begun(DsGroup *group);
static bool hint(Oid database, Oid role, const DsWork *work, bool begun);
static void visit_soon(Oid database);
static void set_rescan(DsGroup *group, void *arg);
static void forget_work(DsGroup *group, void *arg);

void
ds_group_drop_hints(DsGroup *group)
{
	while (group->fresh.first != DS_NO_HINT)
		take_hint(&group->fresh, DS_NO_HINT);
	while (group->begun.first != DS_NO_HINT)
		take_hint(&group->begun, DS_NO_HINT);
}

int
ds_group_n_hints(const DsGroup *group)
{
	return group->fresh.n + group->begun.n;
}

/* False: there is no room for it. */
static bool
put_hint(DsGroup *group, DsHintQueue *queue, const DsWork *work)
{
	int			i = ds_shared->free_hint;
	DsHint	   *hint;

	if (ds_group_n_hints(group) >= DS_MAX_HINTS_OF_GROUP || i == DS_NO_HINT)
		return false;
	hint = &ds_shared->hints[i];
	ds_shared->free_hint = hint->next;
	hint->next = DS_NO_HINT;
	hint->cached_by = ds_my_slot ? ds_my_slot - ds_slots() : -1;
	hint->n_skipped = 0;
	hint->since = work->due != 0 ? work->due : GetCurrentTimestamp();
	hint->work = *work;
	hint->work.due = 0;
	if (queue->first == DS_NO_HINT)
		queue->first = i;
	else
		ds_shared->hints[queue->last].next = i;
	queue->last = i;
	queue->n++;
	return true;
}

/* The one after "previous", or the first; returns its work. */
static DsWork
take_hint(DsHintQueue *queue, int previous)
{
	int		   *link = previous == DS_NO_HINT ? &queue->first :
	&ds_shared->hints[previous].next;
	int			i = *link;
	DsHint	   *hint = &ds_shared->hints[i];

	*link = hint->next;
	if (queue->last == i)
		queue->last = previous;
	queue->n--;
	hint->next = ds_shared->free_hint;
	ds_shared->free_hint = i;
	return hint->work;
}

/* One of the oldest, if possible one that this very worker has put aside. */
static DsWork
take_begun(DsGroup *group)
{
	int			previous = DS_NO_HINT;
	int			i = group->begun.first;
	DsHint	   *oldest = &ds_shared->hints[i];

	if (oldest->n_skipped++ >= DS_BEGUN_LOOK)
		return take_hint(&group->begun, DS_NO_HINT);
	for (int n = 0; n < DS_BEGUN_LOOK && i != DS_NO_HINT; n++)
	{
		if (ds_shared->hints[i].cached_by == ds_my_slot - ds_slots())
			return take_hint(&group->begun, previous);
		previous = i;
		i = ds_shared->hints[i].next;
	}
	return take_hint(&group->begun, DS_NO_HINT);
}

bool
ds_group_wake_idle_worker(DsGroup *group)
{
	DsSlot	   *slots = ds_slots();
	bool		found = false;

	for (int i = 0; group->n_workers > 0 && i < ds_shared->slots_used; i++)
	{
		DsSlot	   *slot = &slots[i];

		if (slot->state != DS_SLOT_IDLE || slot->foreground ||
			slot->role != group->key.role ||
			slot->database != group->key.database)
			continue;
		found = true;

		/*
		 * One that is awake already will take one hint, not all of them.  The
		 * flag is another process's: if it is just being reset, that one has
		 * not looked yet and will.
		 */
		if (!slot->latch->is_set)
		{
			SetLatch(slot->latch);
			break;
		}
	}
	return found;
}

void
ds_group_wake(DsGroup *group, TimestampTz at)
{
	if (ds_group_wake_idle_worker(group) ||
		group->n_workers >= ds_workers_per_role)
		return;
	if (group->n_workers > 0 && at == 0)
		at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										 DS_BUSY_CHECK_MS);
	if (at < ds_shared->launcher_sleeps_until)
		ds_shared_wake_launcher();
}

bool
ds_hint_ready(Oid database, Oid role, const DsWork *work)
{
	return hint(database, role, work, false);
}

void
ds_hint_yielded(Oid database, Oid role, const DsWork *work)
{
	hint(database, role, work, true);
}

static bool
hint(Oid database, Oid role, const DsWork *work, bool begun)
{
	DsGroup    *group;
	bool		kept = false;

	ds_shared_lock();
	group = ds_group_get_for_work(database, role);
	if (group == NULL)
	{
		/* no room for the role: the janitor will find it work */
		visit_soon(database);
		ds_shared_unlock();
		ds_counters_add(DS_HINTS_LOST, 1);
		return false;
	}
	kept = put_hint(group, begun ? &group->begun : &group->fresh, work);
	if (!kept)
		group->rescan = true;
	ds_group_wake(group, 0);
	ds_shared_unlock();
	if (!kept)
		ds_counters_add(DS_HINTS_LOST, 1);
	return kept;
}

void
ds_hint_wake(Oid database, Oid role, TimestampTz at)
{
	DsGroup    *group;

	ds_shared_lock();
	group = ds_group_get(database, role, true);
	if (group != NULL && (group->next_wake == 0 || at < group->next_wake))
	{
		group->next_wake = at;
		ds_group_wake(group, at);
	}
	if (group == NULL)
		ds_janitor_request_visit(database, at);
	ds_shared_unlock();
}

void
ds_hint_rescan(Oid database, Oid role)
{
	DsGroup    *group;

	ds_shared_lock();
	group = ds_group_get_for_work(database, role);
	if (group != NULL)
		set_rescan(group, &database);
	else
		visit_soon(database);
	ds_shared_unlock();
}

void
ds_hint_rescan_database(Oid database)
{
	ds_shared_lock();
	ds_group_each(set_rescan, &database);
	ds_shared_unlock();
	ds_hint_visit(database);
}

void
ds_hint_retry(Oid database, Oid role, TimestampTz at)
{
	DsGroup    *group;

	ds_shared_lock();
	group = ds_group_get(database, role, true);
	if (group != NULL && (group->retry_time == 0 || at < group->retry_time))
	{
		group->retry_time = at;
		ds_group_wake(group, at);
	}
	ds_shared_unlock();
}

void
ds_hint_visit(Oid database)
{
	ds_shared_lock();
	ds_janitor_request_visit(database, DT_NOBEGIN);
	ds_shared_unlock();
}

/* Not at once: a janitor that finds no room for a role asks for the next. */
static void
visit_soon(Oid database)
{
	ds_janitor_request_visit(database,
							 TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
														 NO_ROOM_RETRY_MS));
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

bool
ds_group_has_due_work(const DsGroup *group, TimestampTz now)
{
	return ds_group_has_work(group) ||
		(group->next_wake != 0 && group->next_wake <= now) ||
		(group->retry_time != 0 && group->retry_time <= now);
}

bool
ds_group_pop_hint(DsGroup *group, DsWork *work, int64 *latency)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		fresh;

	if (ds_group_n_hints(group) == 0)
		return false;
	group->n_pops++;
	if (group->fresh.n == 0 || group->begun.n == 0)
		fresh = group->fresh.n > 0;
	else if (group->begun.n < DS_YIELDED_ENOUGH)
		fresh = group->n_pops % DS_YIELDED_EVERY != 0;
	else if (TimestampDifferenceExceeds(ds_shared->hints[group->fresh.first].since,
										now, DS_FRESH_WAIT_MS))
		fresh = group->n_pops % 2 == 0;
	else
		fresh = group->n_pops % DS_NEW_EVERY == 0;
	*latency = fresh ? now - ds_shared->hints[group->fresh.first].since : -1;
	*work = fresh ? take_hint(&group->fresh, DS_NO_HINT) :
		take_begun(group);
	group->last_pop = now;
	return true;
}

bool
ds_hint_has_work(Oid database, Oid role)
{
	DsGroup    *group;
	bool		result = false;

	LWLockAcquire(ds_shared->lock, LW_SHARED);
	group = ds_group_get(database, role, false);
	if (group != NULL)
		result = ds_group_has_due_work(group, GetCurrentTimestamp());
	LWLockRelease(ds_shared->lock);
	return result;
}

bool
ds_group_search_take(Oid database, Oid role, int home, DsWorkSearch *search,
					 bool *fresh)
{
	TimestampTz now = GetCurrentTimestamp();
	DsWorkSearch *next = NULL;
	bool		due = false;
	bool		full = false;
	DsGroup    *group;

	ds_shared_lock();
	group = ds_group_get(database, role, false);
	if (group != NULL && group->retry_time != 0 && group->retry_time <= now)
	{
		group->retry_time = 0;
		group->rescan = true;
	}
	if (group != NULL && !group->searching &&
		group->fresh.n < DS_MAX_HINTS_OF_GROUP / 8)
	{
		/* one that is under way comes to its end before the next begins */
		if (group->next_wake != 0 && group->next_wake <= now &&
			ds_work_search_is_done(&group->due_search))
		{
			due = true;
			ds_work_search_begin(&group->due_search, role, home, false, false);
			group->due_search.due_from = group->next_wake;
			group->next_wake = 0;
		}
		if (group->rescan && ds_work_search_is_done(&group->full_search))
		{
			full = true;
			group->rescan = false;
			ds_work_search_begin(&group->full_search, role, home, false, true);
		}
		/* in turns, so that neither holds up the other */
		if (!ds_work_search_is_done(&group->due_search))
			next = &group->due_search;
		if (!ds_work_search_is_done(&group->full_search) &&
			(next == NULL || group->full_search_next))
			next = &group->full_search;
		group->full_search_next = next == &group->due_search;
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
	*fresh = due || full;
	return next != NULL;
}

void
ds_group_search_return(Oid database, Oid role, const DsWorkSearch *search, bool lost)
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

TimestampTz
ds_hint_next_wake(Oid database, Oid role)
{
	DsGroup    *group;
	TimestampTz next = 0;

	LWLockAcquire(ds_shared->lock, LW_SHARED);
	group = ds_group_get(database, role, false);
	if (group != NULL)
	{
		next = group->next_wake;
		if (group->retry_time != 0 && (next == 0 || group->retry_time < next))
			next = group->retry_time;
	}
	LWLockRelease(ds_shared->lock);
	return next;
}

void
ds_hint_forget_database(Oid database)
{
	ds_shared_lock();
	ds_group_each(forget_work, &database);
	ds_shared_unlock();
}

void
ds_hint_forget_group(const DsGroupKey *key)
{
	DsGroup    *group;

	ds_shared_lock();
	group = ds_group_get(key->database, key->role, false);
	if (group != NULL)
		forget_work(group, &group->key.database);
	ds_shared_unlock();
}

static void
set_rescan(DsGroup *group, void *arg)
{
	if (group->key.database == *(Oid *) arg)
	{
		group->rescan = true;
		ds_group_wake(group, 0);
	}
}

static void
forget_work(DsGroup *group, void *arg)
{
	if (group->key.database == *(Oid *) arg)
	{
		ds_group_drop_hints(group);
		ds_work_search_end(&group->due_search);
		ds_work_search_end(&group->full_search);
		group->rescan = false;
		group->next_wake = 0;
		group->retry_time = 0;
	}
}
