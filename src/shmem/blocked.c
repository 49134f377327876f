/*-------------------------------------------------------------------------
 *
 * blocked.c
 *	  Workers whose step waits for another instance.
 *
 * Such a worker is occupied until the other instance has ended, which needs a
 * worker itself.  If all workers wait, none is left to run the awaited
 * instances, and nothing would continue in any database.  Therefore the last
 * worker must not wait.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/settings.h"
#include "shmem/blocked.h"
#include "shmem/shared.h"
#include "shmem/slot.h"

static bool is_worker(const DsSlot *slot);

bool
ds_blocked_enter(bool own_role, DsBlocked *blocked)
{
	int			n_all = 0;
	int			n_blocked = 0;
	int			n_of_role = 0;
	bool		refused;

	if (ds_my_slot == NULL || ds_my_slot->foreground || !ds_my_slot->executing)
		return true;
	ds_shared_lock();
	ds_my_slot->blocked = true;
	for (int i = 0; i < ds_slots->used; i++)
	{
		const DsSlot *slot = &ds_slots->slot[i];

		if (!is_worker(slot))
			continue;
		n_all++;
		if (!slot->blocked)
			continue;
		n_blocked++;
		if (slot->database == ds_my_slot->database &&
			slot->role == ds_my_slot->role)
			n_of_role++;
	}
	blocked->n_workers = ds_slots->workers_are_out ?
		Min(n_all, ds_max_workers) : ds_max_workers;
	blocked->n_blocked = n_blocked;
	blocked->of_role = n_blocked < blocked->n_workers;
	if (blocked->of_role)
	{
		blocked->n_workers = ds_workers_per_role;
		blocked->n_blocked = n_of_role;
	}
	refused = blocked->n_blocked >= blocked->n_workers &&
		(own_role || !blocked->of_role);
	if (refused)
		ds_my_slot->blocked = false;
	ds_shared_unlock();
	return !refused;
}

void
ds_blocked_leave(void)
{
	if (ds_my_slot == NULL || !ds_my_slot->blocked)
		return;
	ds_shared_lock();
	ds_my_slot->blocked = false;
	ds_shared_unlock();
}

/* Makes the waiting workers check again. */
void
ds_blocked_workers_are_out(bool out)
{
	if (ds_slots->workers_are_out == out)
		return;
	ds_shared_lock();
	ds_slots->workers_are_out = out;
	for (int i = 0; i < ds_slots->used && out; i++)
	{
		if (is_worker(&ds_slots->slot[i]) && ds_slots->slot[i].blocked)
			SetLatch(ds_slots->slot[i].latch);
	}
	ds_shared_unlock();
}

static bool
is_worker(const DsSlot *slot)
{
	return slot->state != DS_SLOT_FREE && slot->state != DS_SLOT_CRASHED &&
		!slot->foreground;
}
