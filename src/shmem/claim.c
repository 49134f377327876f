/*-------------------------------------------------------------------------
 *
 * claim.c
 *	  Claims of runners, their steps, and canceling these steps.
 *
 * A claim lives in shared memory and ends with the process that holds it. So
 * it needs no lease and no heartbeat, and no lock on any table is held while
 * user code runs.  It ensures only "one at a time"; the fence ensures "exactly
 * once" (see step.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "shmem/claim.h"
#include "shmem/crash_notes.h"
#include "shmem/shared.h"
#include "shmem/slot.h"

/*
 * ds_claim_cancel_handler has requested a cancel that was not processed yet.
 */
static volatile sig_atomic_t cancel_asked = false;

static bool is_cancelled(DsSlot *slot);
static bool claims(const DsSlot *slot, const DsWork *work);
static void write_note(const DsSlot *slot);
static void unclaim(DsSlot *slot);
static void next_step(DsSlot *slot);
static void forget_cancel(void);

bool
ds_claim_take(const DsWork *work)
{
	DsSlot	   *holder = NULL;

	Assert(ds_my_slot != NULL && ds_my_slot->instance_id[0] == '\0');

	ds_shared_lock();
	for (int i = 0; i < ds_slots->used; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

		if (slot->state >= DS_SLOT_BUSY && slot->database == MyDatabaseId &&
			claims(slot, work))
		{
			holder = slot;
			break;
		}
	}
	if (holder != NULL)
	{
		holder->recheck = true;
		ds_my_slot->state = DS_SLOT_IDLE;
	}
	else
	{
		ds_my_slot->state = DS_SLOT_BUSY;
		ds_my_slot->recheck = false;
		memset(&ds_my_slot->terminated, 0, sizeof(pg_uuid_t));
		strlcpy(ds_my_slot->instance_id, work->instance_id,
				sizeof(ds_my_slot->instance_id));
		ds_my_slot->task_seq = work->seq;
		ds_my_slot->task_execution = work->execution_id;
		next_step(ds_my_slot);
	}
	ds_shared_unlock();
	if (holder == NULL)
		write_note(ds_my_slot);
	return holder == NULL;
}

bool
ds_claim_release_unless_wanted(void)
{
	bool		wanted;

	ds_shared_lock();
	wanted = ds_my_slot->recheck;
	ds_my_slot->recheck = false;
	ds_my_slot->executing = false;
	forget_cancel();
	if (wanted)
		next_step(ds_my_slot);
	else
		unclaim(ds_my_slot);
	ds_shared_unlock();
	return !wanted;
}

bool
ds_claim_release(void)
{
	bool		wanted;

	ds_shared_lock();
	wanted = ds_my_slot->recheck;
	forget_cancel();
	unclaim(ds_my_slot);
	ds_shared_unlock();
	return wanted;
}

void
ds_claim_begin_step(const pg_uuid_t *execution_id, const char *function_name)
{
	DsSlot	   *slot = ds_my_slot;
	bool		terminated;

	ds_shared_lock();
	slot->execution_id = *execution_id;
	strlcpy(slot->function_name, function_name, sizeof(slot->function_name));
	slot->step_start = GetCurrentTimestamp();
	slot->executing = true;
	next_step(slot);
	forget_cancel();
	terminated =
		memcmp(&slot->terminated, execution_id, sizeof(pg_uuid_t)) == 0;
	if (terminated)
		pg_atomic_write_u64(&slot->cancelled_step,
							pg_atomic_read_u64(&slot->step));
	ds_shared_unlock();

	ds_my_crash_note->execution_id = *execution_id;
	strlcpy(ds_my_crash_note->function_name, slot->function_name,
			sizeof(ds_my_crash_note->function_name));
	if (terminated)
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request")));
}

bool
ds_claim_is_own_step(const pg_uuid_t *execution_id)
{
	return ds_my_slot != NULL && ds_my_slot->executing &&
		memcmp(&ds_my_slot->execution_id, execution_id,
			   sizeof(pg_uuid_t)) == 0;
}

bool
ds_claim_is_cancelled(void)
{
	return ds_my_slot != NULL && is_cancelled(ds_my_slot);
}

/*
 * The claim is taken before the row is read, so the runner of the execution is
 * found even before its step begins.
 */
void
ds_claim_cancel_step(Oid database, const char *instance_id,
					 const pg_uuid_t *execution_id)
{

	ds_shared_lock();
	for (int i = 0; i < ds_slots->used; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

		/* a step that ends its own execution needs no cancel */
		if (slot == ds_my_slot || slot->state != DS_SLOT_BUSY ||
			slot->database != database ||
			strcmp(slot->instance_id, instance_id) != 0)
			continue;
		slot->terminated = *execution_id;
		if (slot->executing &&
			memcmp(&slot->execution_id, execution_id, sizeof(pg_uuid_t)) == 0)
		{
			/* the PID is valid: it is cleared under this lock */
			pg_atomic_write_u64(&slot->cancelled_step,
								pg_atomic_read_u64(&slot->step));
			kill(slot->pid, SIGUSR2);
			slot->n_cancels = 1;
			slot->cancel_again_at =
				TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
											DS_CANCEL_AGAIN_MS);
			ds_slots->cancel_again_at = Min(ds_slots->cancel_again_at,
											slot->cancel_again_at);
			ds_shared_wake_launcher();
		}
	}
	ds_shared_unlock();
}

/*
 * A session in CALL df_run belongs to its user: it is canceled repeatedly, but
 * not terminated.
 */
TimestampTz
ds_claim_cancel_again(void)
{
	TimestampTz now;
	TimestampTz next = DT_NOEND;
	DsSlot		ended = {0};

	ds_shared_lock();
	now = GetCurrentTimestamp();
	for (int i = 0; i < ds_slots->used &&
		 ds_slots->cancel_again_at <= now; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

		if (slot->state != DS_SLOT_BUSY || !slot->executing || slot->evicted ||
			!is_cancelled(slot))
			continue;
		if (slot->cancel_again_at <= now)
		{
			if (slot->n_cancels >= DS_MAX_CANCELS && !slot->foreground)
			{
				/* one at a time, so that the log has all of them */
				if (ended.pid != 0)
				{
					next = now;
					continue;
				}
				ended = *slot;
				slot->evicted = true;
				ds_slot_signal(slot, SIGTERM);
				continue;
			}
			kill(slot->pid, SIGUSR2);
			slot->n_cancels++;
			slot->cancel_again_at = TimestampTzPlusMilliseconds(now,
																DS_CANCEL_AGAIN_MS);
		}
		next = Min(next, slot->cancel_again_at);
	}
	if (ds_slots->cancel_again_at <= now)
		ds_slots->cancel_again_at = next;
	next = ds_slots->cancel_again_at;
	ds_shared_unlock();
	if (ended.pid != 0)
		ereport(LOG,
				(errmsg("ending worker with PID %d because its step went on after it had been canceled",
						ended.pid),
				 errdetail("Function %s of instance \"%s\" was terminated and canceled %d times.",
						   ended.function_name, ended.instance_id,
						   DS_MAX_CANCELS),
				 errhint("Raise query_canceled again in the function's exception handlers.")));
	return next;
}

/*
 * A late signal finds another step, or none, and is ignored.  A program that
 * the step waits for is a member of the process group, and gets the signal, as
 * for pg_cancel_backend; this process then gets it twice.
 */
void
ds_claim_cancel_handler(SIGNAL_ARGS)
{
	int			save_errno = errno;

	if (ds_my_slot != NULL && ds_my_slot->executing && ds_claim_is_cancelled())
	{
		cancel_asked = true;
		InterruptPending = true;
		QueryCancelPending = true;
		SetLatch(MyLatch);
#ifdef HAVE_SETSID
		kill(-MyProcPid, SIGINT);
#endif
	}
	errno = save_errno;
}

int
ds_claim_executing_steps(Oid database, DsExecuting **steps)
{
	int			n = 0;

	*steps = palloc(ds_slots->n * sizeof(DsExecuting));
	ds_shared_lock_to_look();
	for (int i = 0; i < ds_slots->used; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

		if (slot->state != DS_SLOT_BUSY || !slot->executing ||
			slot->database != database)
			continue;
		(*steps)[n].execution_id = slot->execution_id;
		strlcpy((*steps)[n].instance_id, slot->instance_id,
				sizeof((*steps)[n].instance_id));
		n++;
	}
	ds_shared_unlock();
	return n;
}

bool
ds_claim_is_executing(Oid database, const pg_uuid_t *execution_id)
{
	bool		executing = false;

	ds_shared_lock_to_look();
	for (int i = 0; i < ds_slots->used && !executing; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

		executing = slot->state == DS_SLOT_BUSY && slot->executing &&
			slot->database == database &&
			memcmp(&slot->execution_id, execution_id, sizeof(pg_uuid_t)) == 0;
	}
	ds_shared_unlock();
	return executing;
}

static bool
is_cancelled(DsSlot *slot)
{
	return pg_atomic_read_u64(&slot->cancelled_step) ==
		pg_atomic_read_u64(&slot->step);
}

/* An instance and each of its tasks have separate claims. */
static bool
claims(const DsSlot *slot, const DsWork *work)
{
	if (slot->task_seq != work->seq)
		return false;
	if (work->seq != 0)
		return memcmp(&slot->task_execution, &work->execution_id,
					  sizeof(pg_uuid_t)) == 0;
	return strcmp(slot->instance_id, work->instance_id) == 0;
}

/* From here until the release, a crash is attributed to the claim. */
static void
write_note(const DsSlot *slot)
{
	DsCrashNote *note = ds_my_crash_note;

	note->seq = slot->task_seq;
	note->task_execution = slot->task_execution;
	note->database = slot->database;
	note->role = slot->role;
	memset(&note->execution_id, 0, sizeof(note->execution_id));
	note->crash_time = DS_NO_TIME;
	note->function_name[0] = '\0';
	strlcpy(note->instance_id, slot->instance_id, sizeof(note->instance_id));
	pg_compiler_barrier();
	note->claimed = true;
}

static void
unclaim(DsSlot *slot)
{
	slot->state = DS_SLOT_IDLE;
	slot->instance_id[0] = '\0';
	slot->task_seq = 0;
	slot->recheck = false;
	slot->executing = false;
	ds_my_crash_note->claimed = false;
}

/* From here on a signal for the previous step is ignored. */
static void
next_step(DsSlot *slot)
{
	pg_atomic_write_u64(&slot->step, pg_atomic_read_u64(&slot->step) + 1);
}

/*
 * A cancel requested for a finished step must not hit the next one.  The lock
 * is held, so a cancel for the next step can only come afterwards.
 */
static void
forget_cancel(void)
{
	if (cancel_asked)
	{
		cancel_asked = false;
		QueryCancelPending = false;
	}
}
