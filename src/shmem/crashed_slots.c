/*-------------------------------------------------------------------------
 *
 * crashed_slots.c
 *	  The slots of runners that have crashed.
 *
 * They keep their claims, so that their work does not run again before
 * crashes.c has counted the crash: otherwise an instance that crashes its
 * runner could be faster than the counting.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "shmem/crash_notes.h"
#include "shmem/crashed_slots.h"
#include "shmem/hints.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"
#include "shmem/slot.h"

/* By then the WAL writer has flushed in any case. */
#define CAUTION_MS	60000

/* 0: not cautious; constant after the set-up */
static TimestampTz *cautious_until = NULL;

static void restore_crashes(void);

int
ds_crashed_slots_find(Oid database, DsCrash **crashes)
{
	int			n = 0;

	*crashes = palloc(ds_slots->n * sizeof(DsCrash));
	ds_shared_lock_to_look();
	for (int i = 0; i < ds_slots->used; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];
		DsCrash    *crash = &(*crashes)[n];

		if (slot->state != DS_SLOT_CRASHED || slot->database != database)
			continue;
		crash->slot = i;
		crash->generation = slot->generation;
		crash->role = slot->role;
		memset(&crash->work, 0, sizeof(crash->work));
		crash->work.seq = slot->task_seq;
		if (slot->task_seq != 0)
			crash->work.execution_id = slot->task_execution;
		strlcpy(crash->work.instance_id, slot->instance_id,
				sizeof(crash->work.instance_id));
		crash->execution_id = slot->execution_id;
		crash->crash_time = slot->crash_time;
		crash->left = slot->left;
		strlcpy(crash->function_name, slot->function_name,
				sizeof(crash->function_name));
		n++;
	}
	ds_shared_unlock();
	return n;
}

void
ds_crashed_slots_counted(Oid database, const DsCrash *crash)
{
	DsSlot	   *slot = &ds_slots->slot[crash->slot];
	bool		counted;

	ds_shared_lock();
	counted = slot->state == DS_SLOT_CRASHED &&
		slot->generation == crash->generation;
	if (counted)
		ds_slot_free(slot);
	ds_shared_unlock();
	/* a process that found it ready meanwhile relied on this one */
	if (counted)
		ds_hint_ready(database, crash->role, &crash->work);
}

void
ds_crashed_slots_forget(Oid database)
{

	ds_shared_lock();
	for (int i = 0; i < ds_slots->used; i++)
	{
		if (ds_slots->slot[i].state == DS_SLOT_CRASHED &&
			ds_slots->slot[i].database == database)
			ds_slot_free(&ds_slots->slot[i]);
	}
	ds_shared_unlock();
}

bool
ds_crashed_slots_is_cautious(void)
{
	return *cautious_until != 0 && GetCurrentTimestamp() < *cautious_until;
}

Size
ds_crashed_slots_size(void)
{
	return sizeof(TimestampTz);
}

void
ds_crashed_slots_startup(void)
{
	bool		found;

	cautious_until = ShmemInitStruct("durable_singleton crashed slots",
									 ds_crashed_slots_size(), &found);
	if (!found)
	{
		*cautious_until = 0;
		restore_crashes();
	}
}

/* No other process exists yet. */
static void
restore_crashes(void)
{
	int			n = ds_crash_notes_startup(ds_slots->n);

	for (int i = 0; i < n; i++)
	{
		const DsCrashNote *note = &ds_crash_notes[i];
		DsSlot	   *slot = &ds_slots->slot[i];

		slot->state = DS_SLOT_CRASHED;
		slot->database = note->database;
		slot->role = note->role;
		slot->crash_time = note->crash_time;
		slot->execution_id = note->execution_id;
		strlcpy(slot->instance_id, note->instance_id,
				sizeof(slot->instance_id));
		slot->task_seq = note->seq;
		slot->task_execution = note->task_execution;
		strlcpy(slot->function_name, note->function_name,
				sizeof(slot->function_name));
		/* even if the database is gone: then they are dropped */
		ds_janitor_request_visit(note->database, DT_NOBEGIN);
	}
	ds_slots->used = n;
	if (n > 0)
		*cautious_until =
			TimestampTzPlusMilliseconds(GetCurrentTimestamp(), CAUTION_MS);
}
