/*-------------------------------------------------------------------------
 *
 * eviction.c
 *	  Sends the extension's processes away from a database.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"

#include "shmem/closed_databases.h"
#include "shmem/eviction.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"
#include "shmem/slot.h"

void
ds_eviction_close(Oid database)
{
	ds_shared_lock();
	ds_closed_databases_add(database);
	ds_shared_unlock();
	ds_eviction_evict(database);
}

void
ds_eviction_reopen(Oid database)
{
	ds_shared_lock();
	ds_closed_databases_remove(database);
	ds_shared_unlock();
}

void
ds_eviction_evict(Oid database)
{
	pid_t		janitor;

	ds_shared_lock();
	for (int i = 0; i < ds_slots->used; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

		if (slot->state != DS_SLOT_FREE && !slot->foreground &&
			slot->database == database && slot->pid != 0)
		{
			slot->evicted = true;
			ds_slot_signal(slot, SIGTERM);
		}
	}
	if (ds_janitor_is_in(database, &janitor))
		kill(janitor, SIGTERM);
	ds_shared_unlock();
}

void
ds_eviction_retire_workers(Oid database)
{
	ds_shared_lock();
	for (int i = 0; i < ds_slots->used; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

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
	pid_t		janitor;
	bool		done;

	ds_shared_lock_to_look();
	done = !ds_janitor_is_in(database, &janitor);
	for (int i = 0; i < ds_slots->used && done; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

		if (slot->state != DS_SLOT_FREE && slot->state != DS_SLOT_CRASHED &&
			!slot->foreground && slot->database == database)
			done = false;
	}
	ds_shared_unlock();
	return done;
}
