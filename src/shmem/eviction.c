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
ds_is_closed(Oid database)
{
	for (int i = 0; i < DS_MAX_CLOSED; i++)
	{
		if (ds_hub->closed[i].database == database)
			return true;
	}
	return false;
}

void
ds_close_database(Oid database)
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
	ds_evict_database(database);
}

void
ds_reopen_database(Oid database)
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
ds_evict_database(Oid database)
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

void
ds_retire_workers(Oid database)
{
	DsSlot	   *slots = ds_hub_slots();

	ds_hub_lock();
	for (int i = 0; i < ds_hub->slots_used; i++)
	{
		DsSlot	   *slot = &slots[i];

		if ((slot->state == DS_SLOT_IDLE || slot->state == DS_SLOT_BUSY) &&
			!slot->foreground && slot->database == database && !slot->leave)
		{
			slot->leave = true;
			SetLatch(slot->latch);
		}
	}
	ds_hub_unlock();
}

bool
ds_is_deserted(Oid database)
{
	DsSlot	   *slots = ds_hub_slots();
	bool		deserted;

	LWLockAcquire(ds_hub->lock, LW_SHARED);
	deserted = !(ds_hub->janitor_database == database &&
				 ds_hub->janitor_pid != 0);
	for (int i = 0; i < ds_hub->slots_used && deserted; i++)
	{
		DsSlot	   *slot = &slots[i];

		if (slot->state != DS_SLOT_FREE && slot->state != DS_SLOT_CRASHED &&
			!slot->foreground && slot->database == database)
			deserted = false;
	}
	LWLockRelease(ds_hub->lock);
	return deserted;
}
