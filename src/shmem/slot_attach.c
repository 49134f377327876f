/*-------------------------------------------------------------------------
 *
 * slot_attach.c
 *	  Runners: attaching to a slot, and detaching, in order or in a crash.
 *
 * The launcher reserves a worker's slot; a session takes a slot itself for
 * CALL df_run.  The claim of a runner is in its slot, see claim.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "shmem/counters.h"
#include "shmem/crash_notes.h"
#include "shmem/group.h"
#include "shmem/hints.h"
#include "shmem/shared.h"
#include "shmem/slot.h"
#include "shmem/slot_attach.h"

/* Another process has told this one to exit. */
static volatile sig_atomic_t sent_away = false;

static void detach(int code);
static void leave_group(DsSlot *slot);
static void count_failure(DsSlot *slot);
static void detach_at_exit(int code, Datum arg);
static void register_exit_callback(void);

int
ds_slot_reserve(Oid database, Oid role, uint32 *generation)
{
	DsGroup    *group;
	int			index = -1;

	ds_shared_lock();
	group = ds_group_get(database, role, true);
	if (group != NULL)
		index = ds_slot_find_free();
	if (index >= 0)
	{
		DsSlot	   *slot = &ds_slots->slot[index];

		slot->state = DS_SLOT_STARTING;
		slot->database = database;
		slot->role = role;
		slot->attached = GetCurrentTimestamp();
		*generation = slot->generation;
		group->n_workers++;
	}
	ds_shared_unlock();
	return index;
}

void
ds_slot_abandon(int index, uint32 generation, bool died)
{
	DsSlot	   *slot = &ds_slots->slot[index];

	ds_shared_lock();
	if (slot->state != DS_SLOT_FREE && slot->generation == generation)
	{
		if (died)
			count_failure(slot);
		leave_group(slot);
		ds_slot_free(slot);
	}
	ds_shared_unlock();
}

void
ds_slot_abandon_starting(void)
{

	ds_shared_lock();
	for (int i = 0; i < ds_slots->used; i++)
	{
		if (ds_slots->slot[i].state != DS_SLOT_STARTING)
			continue;
		leave_group(&ds_slots->slot[i]);
		ds_slot_free(&ds_slots->slot[i]);
	}
	ds_shared_unlock();
}

bool
ds_slot_attach(int index, uint32 generation)
{
	DsSlot	   *slot = &ds_slots->slot[index];
	bool		mine;

	ds_shared_lock();
	mine = slot->state == DS_SLOT_STARTING && slot->generation == generation;
	if (mine)
	{
		slot->state = DS_SLOT_IDLE;
		slot->pid = MyProcPid;
		slot->latch = MyLatch;
		ds_my_slot = slot;
		ds_my_crash_note = &ds_crash_notes[index];
	}
	ds_shared_unlock();
	if (mine)
		register_exit_callback();
	return mine;
}

void
ds_slot_attach_foreground(void)
{
	int			index;

	register_exit_callback();
	ds_shared_lock();
	index = ds_slot_find_free();
	if (index >= 0)
	{
		DsSlot	   *slot = &ds_slots->slot[index];

		slot->state = DS_SLOT_IDLE;
		slot->foreground = true;
		slot->pid = MyProcPid;
		slot->latch = MyLatch;
		slot->database = MyDatabaseId;
		slot->role = GetUserId();
		slot->attached = GetCurrentTimestamp();
		ds_my_slot = slot;
		ds_my_crash_note = &ds_crash_notes[index];
	}
	ds_shared_unlock();
	/* there is one for every process that could ask */
	if (index < 0)
		elog(ERROR, "no runner slot is free");
}

void
ds_slot_detach(void)
{
	detach(0);
}

/*
 * The process ends with this exit code; -1: user code has called exit(), which
 * the postmaster may treat as a crash.  If a step has ended its worker, this
 * also counts as a crash, because it would otherwise repeat forever.  A
 * session may end for many reasons.
 */
static void
detach(int code)
{
	DsSlot	   *slot = ds_my_slot;
	bool		crashed;
	DsGroup    *group;
	Oid			database;

	if (slot == NULL)
		return;
	database = slot->database;
	crashed = slot->executing &&
		(code == -1 || (code != 0 && !slot->foreground && !sent_away));
	ds_shared_lock();
	group = ds_group_get(slot->database, slot->role, true);
	/* its work must be found again, and its hints are for other workers */
	if (group != NULL && (!slot->foreground || slot->instance_id[0] != '\0'))
		group->rescan = true;
	if (group != NULL && slot->searching)
		group->searching = false;
	if (!slot->foreground)
	{
		if (!slot->evicted)
			count_failure(slot);
		leave_group(slot);
	}
	if (crashed)
		ds_slot_crash(slot, code == -1);
	else
		ds_slot_free(slot);
	ds_my_slot = NULL;
	ds_my_crash_note = NULL;
	if (group != NULL)
		ds_group_wake(group, DS_NO_TIME);
	ds_shared_wake_launcher();
	ds_shared_unlock();
	/* a janitor counts the crash */
	if (crashed)
		ds_hint_visit(database);
}

void
ds_slot_excuse(void)
{
	if (ds_my_slot == NULL)
		return;
	ds_shared_lock();
	ds_my_slot->evicted = true;
	ds_my_slot->executing = false;
	ds_shared_unlock();
}

bool
ds_slot_retire(bool even_with_work)
{
	DsGroup    *group;
	bool		work;

	ds_shared_lock();
	group = ds_group_get(ds_my_slot->database, ds_my_slot->role, false);
	work = group != NULL && ds_group_has_work(group);
	if (!work || even_with_work)
	{
		if (group != NULL && ds_my_slot->searching)
		{
			group->searching = false;
			group->rescan = true;
		}
		leave_group(ds_my_slot);
		ds_slot_free(ds_my_slot);
		ds_my_slot = NULL;
		ds_my_crash_note = NULL;
		/* one slot is free: no other worker needs to retire now */
		for (int i = 0; i < ds_slots->used; i++)
			ds_slots->slot[i].leave = false;
		ds_shared_wake_launcher();
	}
	ds_shared_unlock();
	return ds_my_slot == NULL;
}

void
ds_slot_has_worked(void)
{
	DsGroup    *group;

	ds_shared_lock();
	group = ds_group_get(ds_my_slot->database, ds_my_slot->role, false);
	if (group != NULL)
	{
		group->failures = 0;
		group->not_before = DS_NO_TIME;
	}
	ds_shared_unlock();
}

bool
ds_slot_take_hint(DsWork *work)
{
	DsGroup    *group;
	int64		latency = -1;
	bool		found = false;

	ds_shared_lock();
	group = ds_group_get(ds_my_slot->database, ds_my_slot->role, false);
	if (group != NULL && ds_group_pop_hint(group, work, &latency))
	{
		found = true;
		ds_my_slot->state = DS_SLOT_BUSY;

		/*
		 * this worker may be away for long: wake another one for the other
		 * hints
		 */
		if (ds_group_has_work(group))
			ds_group_wake(group, DS_NO_TIME);
	}
	ds_shared_unlock();
	if (found && latency != -1)
		ds_counters_observe(DS_LATENCY, latency);
	return found;
}

void
ds_slot_terminate_handler(int signo, siginfo_t *info, void *context)
{
	int			save_errno = errno;

	if (info->si_pid != MyProcPid)
		sent_away = true;
	die(signo);
	errno = save_errno;
}

static void
leave_group(DsSlot *slot)
{
	DsGroup    *group = ds_group_get(slot->database, slot->role, false);

	if (group != NULL && group->n_workers > 0)
	{
		group->n_workers--;
		group->last_served = GetCurrentTimestamp();
	}
}

/*
 * A worker died.  The next one starts immediately, and each further one later,
 * up to a minute, until one has succeeded.
 */
static void
count_failure(DsSlot *slot)
{
	DsGroup    *group = ds_group_get(slot->database, slot->role, false);
	TimestampTz now = GetCurrentTimestamp();

	/* several that die together have one cause */
	if (group == NULL || now < group->not_before)
		return;
	group->failures++;
	if (group->failures > 1)
	{
		int64		delay = INT64CONST(100) << Min(group->failures, 10);

		group->not_before =
			TimestampTzPlusMilliseconds(now, Min(delay, 60000));
	}
}

/*
 * The slot, and with it the claim, is given back after the transaction was
 * aborted, which a before_shmem_exit callback of PostgreSQL does.  Otherwise
 * another runner would be in a step of the instance while the abort of this
 * one still holds its locks.
 */
static void
register_exit_callback(void)
{
	static bool registered = false;

	if (!registered)
	{
		on_shmem_exit(detach_at_exit, (Datum) 0);
		registered = true;
	}
}

static void
detach_at_exit(int code, Datum arg)
{
	detach(code);
}
