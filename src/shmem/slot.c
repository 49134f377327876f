/*-------------------------------------------------------------------------
 *
 * slot.c
 *	  The slots of runners: one for every process that can be a runner.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "shmem/crash_notes.h"
#include "shmem/slot.h"

DsSlots    *ds_slots = NULL;
DsSlot	   *ds_my_slot = NULL;

/* Every backend may be a runner. */
Size
ds_slot_size(void)
{
	return add_size(offsetof(DsSlots, slot),
					mul_size(MaxBackends, sizeof(DsSlot)));
}

void
ds_slot_startup(void)
{
	bool		found;

	ds_slots = ShmemInitStruct("durable_singleton slots", ds_slot_size(),
							   &found);
	if (found)
		return;
	memset(ds_slots, 0, ds_slot_size());
	ds_slots->n = MaxBackends;
	ds_slots->cancel_again_at = DT_NOEND;
	for (int i = 0; i < ds_slots->n; i++)
	{
		/* no step has number 0: it would count as canceled */
		pg_atomic_init_u64(&ds_slots->slot[i].step, 1);
		pg_atomic_init_u64(&ds_slots->slot[i].cancelled_step, 0);
	}
}

/* The PID is valid: it is cleared under the lock. */
void
ds_slot_signal(const DsSlot *slot, int signo)
{
	kill(slot->pid, signo);
#ifdef HAVE_SETSID
	kill(-slot->pid, signo);
#endif
}

int
ds_slot_find_free(void)
{
	for (int i = 0; i < ds_slots->n; i++)
	{
		if (ds_slots->slot[i].state == DS_SLOT_FREE)
		{
			ds_slots->used = Max(ds_slots->used, i + 1);
			return i;
		}
	}
	return -1;
}

/*
 * The step counters continue: a late signal must not hit the next user's step.
 */
void
ds_slot_free(DsSlot *slot)
{
	slot->state = DS_SLOT_FREE;
	slot->generation++;
	slot->foreground = false;
	slot->leave = false;
	slot->evicted = false;
	slot->recheck = false;
	slot->executing = false;
	slot->blocked = false;
	slot->searching = false;
	slot->pid = 0;
	slot->latch = NULL;
	slot->left = false;
	slot->instance_id[0] = '\0';
	slot->task_seq = 0;
	ds_crash_notes[ds_slot_index(slot)].claimed = false;
	while (ds_slots->used > 0 &&
		   ds_slots->slot[ds_slots->used - 1].state == DS_SLOT_FREE)
		ds_slots->used--;
}

/*
 * The claim stays, without a process.  If the postmaster is about to discard
 * shared memory, the note must record it.
 */
void
ds_slot_crash(DsSlot *slot, bool keep_note)
{
	DsCrashNote *note = &ds_crash_notes[ds_slot_index(slot)];

	slot->state = DS_SLOT_CRASHED;
	slot->generation++;
	slot->executing = false;
	slot->searching = false;
	slot->pid = 0;
	slot->latch = NULL;
	slot->left = true;
	slot->crash_time = GetCurrentTimestamp();
	if (keep_note)
		note->crash_time = slot->crash_time;
	else
		note->claimed = false;
}
