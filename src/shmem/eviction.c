/*-------------------------------------------------------------------------
 *
 * eviction.c
 *	  Databases that none of our processes may be in for a while.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "shmem/eviction.h"

bool
ds_eviction_is_closed(Oid database)
{
	for (int i = 0; i < DS_MAX_CLOSED; i++)
	{
		if (ds_shared->closed[i].database == database)
			return true;
	}
	return false;
}

void
ds_eviction_close(Oid database)
{
	ds_shared_lock();
	for (int i = 0; i < DS_MAX_CLOSED; i++)
	{
		if (!OidIsValid(ds_shared->closed[i].database))
		{
			ds_shared->closed[i].database = database;
			ds_shared->closed[i].by = MyProcPid;
			break;
		}
	}
	ds_shared_unlock();
	ds_eviction_evict(database);
}

void
ds_eviction_reopen(Oid database)
{
	ds_shared_lock();
	for (int i = 0; i < DS_MAX_CLOSED; i++)
	{
		DsClosed   *closed = &ds_shared->closed[i];

		if (closed->database == database && closed->by == MyProcPid)
		{
			closed->database = InvalidOid;
			break;
		}
	}
	ds_shared_unlock();
}

void
ds_eviction_evict(Oid database)
{
	DsSlot	   *slots = ds_slots();

	ds_shared_lock();
	for (int i = 0; i < ds_shared->slots_used; i++)
	{
		DsSlot	   *slot = &slots[i];

		if (slot->state != DS_SLOT_FREE && !slot->foreground &&
			slot->database == database && slot->pid != 0)
		{
			slot->evicted = true;
			kill(slot->pid, SIGTERM);
		}
	}
	if (ds_shared->janitor_database == database && ds_shared->janitor_pid != 0)
		kill(ds_shared->janitor_pid, SIGTERM);
	ds_shared_unlock();
}

void
ds_eviction_retire_workers(Oid database)
{
	DsSlot	   *slots = ds_slots();

	ds_shared_lock();
	for (int i = 0; i < ds_shared->slots_used; i++)
	{
		DsSlot	   *slot = &slots[i];

		if ((slot->state == DS_SLOT_IDLE || slot->state == DS_SLOT_BUSY) &&
			!slot->foreground && slot->database == database && !slot->leave)
		{
			slot->leave = true;
			SetLatch(slot->latch);
		}
	}
	ds_shared_unlock();
}

bool
ds_eviction_is_done(Oid database)
{
	DsSlot	   *slots = ds_slots();
	bool		deserted;

	LWLockAcquire(ds_shared->lock, LW_SHARED);
	deserted = !(ds_shared->janitor_database == database &&
				 ds_shared->janitor_pid != 0);
	for (int i = 0; i < ds_shared->slots_used && deserted; i++)
	{
		DsSlot	   *slot = &slots[i];

		if (slot->state != DS_SLOT_FREE && slot->state != DS_SLOT_CRASHED &&
			!slot->foreground && slot->database == database)
			deserted = false;
	}
	LWLockRelease(ds_shared->lock);
	return deserted;
}
