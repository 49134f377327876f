/*-------------------------------------------------------------------------
 *
 * hub.c
 *	  Shared memory: set-up, the queues of hints, databases kept empty.
 *
 * A hint says "instance x of role r in database d may be ready".  It is
 * pushed after the commit that made it ready (commit_hints.c), wakes an idle
 * worker of that role, or the launcher if there is none.  When there is no
 * room for a hint the group's rescan flag takes its place.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/twophase.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "hub.h"
#include "settings.h"

#define NO_HINT		(-1)

DsHub	   *ds_hub = NULL;
static HTAB *groups = NULL;

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

static void request_shmem(void);
static void startup_shmem(void);
static Size hub_size(void);
static void set_rescan(DsGroup *group, void *arg);
static void forget_work(DsGroup *group, void *arg);

void
ds_hub_init(void)
{
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

bool
ds_hub_is_there(void)
{
	return ds_hub != NULL;
}

void
ds_hub_require(void)
{
	if (ds_hub == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("durable_singleton must be loaded via shared_preload_libraries"),
				 errhint("Add durable_singleton to shared_preload_libraries in postgresql.conf and restart the server.")));
}

DsSlot *
ds_hub_slots(void)
{
	return (DsSlot *) ((char *) ds_hub + MAXALIGN(sizeof(DsHub)));
}

DsWaiter *
ds_hub_waiters(void)
{
	return (DsWaiter *) ((char *) ds_hub_slots() +
						 MAXALIGN(mul_size(ds_hub->n_slots, sizeof(DsSlot))));
}

DsGroup *
ds_hub_group(Oid database, Oid role, bool create)
{
	DsGroupKey	key = {.database = database,.role = role};
	DsGroup    *group;
	bool		found;

	group = hash_search(groups, &key, create ? HASH_ENTER_NULL : HASH_FIND,
						&found);
	if (group != NULL && !found)
	{
		memset((char *) group + sizeof(key), 0, sizeof(*group) - sizeof(key));
		group->first_hint = group->last_hint = NO_HINT;
	}
	return group;
}

void
ds_hub_drop_group(DsGroup *group)
{
	ds_hub_drop_hints(group);
	hash_search(groups, &group->key, HASH_REMOVE, NULL);
}

void
ds_hub_each_group(void (*function) (DsGroup *group, void *arg), void *arg)
{
	HASH_SEQ_STATUS scan;
	DsGroup    *group;

	hash_seq_init(&scan, groups);
	while ((group = hash_seq_search(&scan)) != NULL)
		function(group, arg);
}

void
ds_hub_drop_hints(DsGroup *group)
{
	while (group->first_hint != NO_HINT)
	{
		int			i = group->first_hint;

		group->first_hint = ds_hub->hints[i].next;
		ds_hub->hints[i].next = ds_hub->free_hint;
		ds_hub->free_hint = i;
	}
	group->last_hint = NO_HINT;
	group->n_hints = 0;
}

void
ds_hub_wake_launcher(void)
{
	if (ds_hub->launcher_latch != NULL)
		SetLatch(ds_hub->launcher_latch);
}

bool
ds_hub_wake_idle_worker(DsGroup *group)
{
	DsSlot	   *slots = ds_hub_slots();
	bool		found = false;

	for (int i = 0; group->n_workers > 0 && i < ds_hub->slots_used; i++)
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
ds_hub_wake_group(DsGroup *group, TimestampTz at)
{
	if (ds_hub_wake_idle_worker(group) ||
		group->n_workers >= ds_workers_per_role)
		return;
	if (group->n_workers > 0 && at == 0)
		at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										 DS_BUSY_CHECK_MS);
	if (at < ds_hub->launcher_sleeps_until)
		ds_hub_wake_launcher();
}

bool
ds_hub_hint_ready(Oid database, Oid role, const char *instance_id)
{
	DsGroup    *group;
	bool		kept = false;

	ds_hub_lock();
	group = ds_hub_group(database, role, true);
	if (group == NULL)
	{
		/* no room for the role: the janitor will find it work */
		ds_hub_unlock();
		ds_hub_request_visit(database);
		return false;
	}
	if (group->n_hints < DS_MAX_HINTS_OF_GROUP && ds_hub->free_hint != NO_HINT)
	{
		int			i = ds_hub->free_hint;
		DsHint	   *hint = &ds_hub->hints[i];

		ds_hub->free_hint = hint->next;
		hint->next = NO_HINT;
		strlcpy(hint->instance_id, instance_id, sizeof(hint->instance_id));
		if (group->first_hint == NO_HINT)
			group->first_hint = i;
		else
			ds_hub->hints[group->last_hint].next = i;
		group->last_hint = i;
		group->n_hints++;
		kept = true;
	}
	else
		group->rescan = true;
	ds_hub_wake_group(group, 0);
	ds_hub_unlock();
	return kept;
}

void
ds_hub_hint_wake(Oid database, Oid role, TimestampTz at)
{
	DsGroup    *group;

	ds_hub_lock();
	group = ds_hub_group(database, role, true);
	if (group != NULL && (group->next_wake == 0 || at < group->next_wake))
	{
		group->next_wake = at;
		ds_hub_wake_group(group, at);
	}
	ds_hub_unlock();
	if (group == NULL)
		ds_hub_request_visit(database);
}

void
ds_hub_hint_rescan(Oid database, Oid role)
{
	DsGroup    *group;

	ds_hub_lock();
	group = ds_hub_group(database, role, true);
	if (group != NULL)
		set_rescan(group, &database);
	ds_hub_unlock();
	if (group == NULL)
		ds_hub_request_visit(database);
}

void
ds_hub_hint_rescan_database(Oid database)
{
	ds_hub_lock();
	ds_hub_each_group(set_rescan, &database);
	ds_hub_unlock();
	ds_hub_request_visit(database);
}

void
ds_hub_hint_retry(Oid database, Oid role, TimestampTz at)
{
	DsGroup    *group;

	ds_hub_lock();
	group = ds_hub_group(database, role, true);
	if (group != NULL && (group->retry_time == 0 || at < group->retry_time))
	{
		group->retry_time = at;
		ds_hub_wake_group(group, at);
	}
	ds_hub_unlock();
}

void
ds_hub_request_visit(Oid database)
{
	ds_hub_lock();
	if (!OidIsValid(database))
		ds_hub->visit_all = true;
	else
	{
		int			i;

		for (i = 0; i < ds_hub->n_visits; i++)
		{
			if (ds_hub->visits[i] == database)
				break;
		}
		if (i == DS_MAX_VISITS)
			ds_hub->visit_all = true;
		else if (i == ds_hub->n_visits)
			ds_hub->visits[ds_hub->n_visits++] = database;
	}
	ds_hub_wake_launcher();
	ds_hub_unlock();
}

bool
ds_hub_pop_hint(DsGroup *group, char *instance_id)
{
	int			i = group->first_hint;
	DsHint	   *hint;

	if (i == NO_HINT)
		return false;
	hint = &ds_hub->hints[i];
	strlcpy(instance_id, hint->instance_id, DS_MAX_ID_LENGTH + 1);
	group->first_hint = hint->next;
	if (group->first_hint == NO_HINT)
		group->last_hint = NO_HINT;
	group->n_hints--;
	hint->next = ds_hub->free_hint;
	ds_hub->free_hint = i;
	group->last_pop = GetCurrentTimestamp();
	return true;
}

bool
ds_hub_has_work(Oid database, Oid role)
{
	DsGroup    *group;
	bool		result = false;

	LWLockAcquire(ds_hub->lock, LW_SHARED);
	group = ds_hub_group(database, role, false);
	if (group != NULL)
		result = group->n_hints > 0 || group->rescan ||
			(group->next_wake != 0 &&
			 group->next_wake <= GetCurrentTimestamp());
	LWLockRelease(ds_hub->lock);
	return result;
}

DsSearch
ds_hub_take_search(Oid database, Oid role)
{
	TimestampTz now = GetCurrentTimestamp();
	DsSearch	search = DS_SEARCH_NOTHING;
	DsGroup    *group;

	ds_hub_lock();
	group = ds_hub_group(database, role, false);
	if (group != NULL)
	{
		if (group->retry_time != 0 && group->retry_time <= now)
		{
			group->retry_time = 0;
			group->rescan = true;
		}
		/* there is room for what will be found */
		if (group->rescan && group->n_hints < DS_MAX_HINTS_OF_GROUP / 2)
			search = DS_SEARCH_ALL;
		else if (group->next_wake != 0 && group->next_wake <= now)
			search = DS_SEARCH_DUE;
		if (search != DS_SEARCH_NOTHING)
			group->next_wake = 0;
		if (search == DS_SEARCH_ALL)
			group->rescan = false;
	}
	ds_hub_unlock();
	return search;
}

TimestampTz
ds_hub_next_wake(Oid database, Oid role)
{
	DsGroup    *group;
	TimestampTz next = 0;

	LWLockAcquire(ds_hub->lock, LW_SHARED);
	group = ds_hub_group(database, role, false);
	if (group != NULL)
	{
		next = group->next_wake;
		if (group->retry_time != 0 && (next == 0 || group->retry_time < next))
			next = group->retry_time;
	}
	LWLockRelease(ds_hub->lock);
	return next;
}

void
ds_hub_forget_database(Oid database)
{
	ds_hub_lock();
	ds_hub_each_group(forget_work, &database);
	ds_hub_unlock();
}

void
ds_hub_forget_group(const DsGroupKey *key)
{
	DsGroup    *group;

	ds_hub_lock();
	group = ds_hub_group(key->database, key->role, false);
	if (group != NULL)
		forget_work(group, &group->key.database);
	ds_hub_unlock();
}

bool
ds_hub_is_closed(Oid database)
{
	for (int i = 0; i < DS_MAX_CLOSED; i++)
	{
		if (ds_hub->closed[i].database == database)
			return true;
	}
	return false;
}

void
ds_hub_close_database(Oid database)
{
	ds_hub_lock();
	for (int i = 0; i < DS_MAX_CLOSED; i++)
	{
		if (!OidIsValid(ds_hub->closed[i].database))
		{
			ds_hub->closed[i].database = database;
			ds_hub->closed[i].by = MyProcPid;
			break;
		}
	}
	ds_hub_unlock();
	ds_hub_evict(database);
}

void
ds_hub_reopen_database(Oid database)
{
	ds_hub_lock();
	for (int i = 0; i < DS_MAX_CLOSED; i++)
	{
		DsClosed   *closed = &ds_hub->closed[i];

		if (closed->database == database && closed->by == MyProcPid)
		{
			closed->database = InvalidOid;
			break;
		}
	}
	ds_hub_unlock();
}

void
ds_hub_evict(Oid database)
{
	DsSlot	   *slots = ds_hub_slots();

	ds_hub_lock();
	for (int i = 0; i < ds_hub->slots_used; i++)
	{
		DsSlot	   *slot = &slots[i];

		if (slot->state != DS_SLOT_FREE && !slot->foreground &&
			slot->database == database && slot->pid != 0)
		{
			slot->evicted = true;
			kill(slot->pid, SIGTERM);
		}
	}
	if (ds_hub->janitor_database == database && ds_hub->janitor_pid != 0)
		kill(ds_hub->janitor_pid, SIGTERM);
	ds_hub_unlock();
}

bool
ds_hub_is_deserted(Oid database)
{
	DsSlot	   *slots = ds_hub_slots();
	bool		deserted;

	LWLockAcquire(ds_hub->lock, LW_SHARED);
	deserted = !(ds_hub->janitor_database == database &&
				 ds_hub->janitor_pid != 0);
	for (int i = 0; i < ds_hub->slots_used && deserted; i++)
	{
		DsSlot	   *slot = &slots[i];

		if (slot->state != DS_SLOT_FREE && !slot->foreground &&
			slot->database == database)
			deserted = false;
	}
	LWLockRelease(ds_hub->lock);
	return deserted;
}

static void
set_rescan(DsGroup *group, void *arg)
{
	if (group->key.database == *(Oid *) arg)
	{
		group->rescan = true;
		ds_hub_wake_group(group, 0);
	}
}

static void
forget_work(DsGroup *group, void *arg)
{
	if (group->key.database == *(Oid *) arg)
	{
		ds_hub_drop_hints(group);
		group->rescan = false;
		group->next_wake = 0;
		group->retry_time = 0;
	}
}

static Size
hub_size(void)
{
	Size		size = MAXALIGN(sizeof(DsHub));

	/* every backend may be an executor and a waiter at once */
	size = add_size(size, MAXALIGN(mul_size(MaxBackends, sizeof(DsSlot))));
	size = add_size(size, MAXALIGN(mul_size(MaxBackends, sizeof(DsWaiter))));
	return size;
}

static void
request_shmem(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	RequestAddinShmemSpace(hub_size());
	RequestAddinShmemSpace(hash_estimate_size(DS_MAX_GROUPS, sizeof(DsGroup)));
	RequestNamedLWLockTranche("durable_singleton", 1);
}

static void
startup_shmem(void)
{
	HASHCTL		info = {.keysize = sizeof(DsGroupKey),.entrysize = sizeof(DsGroup)};
	bool		found;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	ds_hub = ShmemInitStruct("durable_singleton", hub_size(), &found);
	if (!found)
	{
		memset(ds_hub, 0, hub_size());
		ds_hub->lock = &GetNamedLWLockTranche("durable_singleton")->lock;
		ds_hub->n_slots = MaxBackends;
		ds_hub->visit_all = true;
		/* prepared transactions may have survived a restart */
		ds_hub->prepared_work = max_prepared_xacts > 0;
		for (int i = 0; i < DS_MAX_HINTS; i++)
			ds_hub->hints[i].next = i + 1 < DS_MAX_HINTS ? i + 1 : NO_HINT;
		for (int i = 0; i < ds_hub->n_slots; i++)
		{
			/* no step is number 0: it would count as cancelled */
			pg_atomic_init_u64(&ds_hub_slots()[i].step, 1);
			pg_atomic_init_u64(&ds_hub_slots()[i].cancelled_step, 0);
		}
	}
	groups = ShmemInitHash("durable_singleton groups", DS_MAX_GROUPS,
						   DS_MAX_GROUPS, &info, HASH_ELEM | HASH_BLOBS);
	LWLockRelease(AddinShmemInitLock);
}
