/*-------------------------------------------------------------------------
 *
 * hints.c
 *	  Tells workers that there may be work.
 *
 * A hint says "instance x of role r in database d may be ready".  It is pushed
 * after the commit that made the instance ready (commit_hints.c), and wakes an
 * idle worker of the role, or the launcher if there is none.  If there is no
 * room for a hint, the group's rescan flag is set instead.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/no_time.h"
#include "shmem/counters.h"
#include "shmem/hints.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"

/* When to check again for a role for which there was no room. */
#define NO_ROOM_RETRY_MS	1000

static bool push(Oid database, Oid role, const DsWork *work, DsHintPlace place);
static void visit_soon(Oid database);
static void set_rescan(DsGroup *group, void *arg);
static void forget_work(DsGroup *group, void *arg);

bool
ds_hint_ready(Oid database, Oid role, const DsWork *work)
{
	return push(database, role, work, DS_HINT_NEW);
}

void
ds_hint_first(Oid database, Oid role, const DsWork *work)
{
	(void) push(database, role, work, DS_HINT_FIRST);
}

void
ds_hint_yielded(Oid database, Oid role, const DsWork *work)
{
	(void) push(database, role, work, DS_HINT_YIELDED);
}

static bool
push(Oid database, Oid role, const DsWork *work, DsHintPlace place)
{
	DsGroup    *group;
	bool		kept;

	ds_shared_lock();
	group = ds_group_get_for_work(database, role);
	if (group == NULL)
	{
		/* no room for the role: the janitor will find its work */
		visit_soon(database);
		ds_shared_unlock();
		ds_counters_add(DS_HINTS_LOST, 1);
		return false;
	}
	kept = ds_group_push_hint(group, work, place);
	if (!kept)
		group->rescan = true;
	ds_group_wake(group, DS_NO_TIME);
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
	if (group != NULL &&
		(group->next_wake == DS_NO_TIME || at < group->next_wake))
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
	if (group != NULL &&
		(group->retry_time == DS_NO_TIME || at < group->retry_time))
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

/*
 * Not immediately: a janitor that finds no room for a role asks for the next
 * visit.
 */
static void
visit_soon(Oid database)
{
	ds_janitor_request_visit(database,
							 TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
														 NO_ROOM_RETRY_MS));
}

bool
ds_hint_has_work(Oid database, Oid role)
{
	DsGroup    *group;
	bool		result = false;

	ds_shared_lock_to_look();
	group = ds_group_get(database, role, false);
	if (group != NULL)
		result = ds_group_has_due_work(group, GetCurrentTimestamp());
	ds_shared_unlock();
	return result;
}

TimestampTz
ds_hint_next_wake(Oid database, Oid role)
{
	DsGroup    *group;
	TimestampTz next = DS_NO_TIME;

	ds_shared_lock_to_look();
	group = ds_group_get(database, role, false);
	if (group != NULL)
		next = ds_group_next_due(group);
	ds_shared_unlock();
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
		ds_group_forget_work(group);
	ds_shared_unlock();
}

static void
set_rescan(DsGroup *group, void *arg)
{
	if (group->key.database == *(Oid *) arg)
	{
		group->rescan = true;
		ds_group_wake(group, DS_NO_TIME);
	}
}

static void
forget_work(DsGroup *group, void *arg)
{
	if (group->key.database == *(Oid *) arg)
		ds_group_forget_work(group);
}
