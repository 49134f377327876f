/*-------------------------------------------------------------------------
 *
 * waiter.c
 *	  Sessions that wait for the end of instances.
 *
 * A waiter publishes 64 bits of the hashes of the ids it waits for; whoever
 * ends an instance sets the latches of those whose bit is on.  A false alarm
 * costs a look at the table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"

#include "shmem/shared.h"
#include "shmem/waiter.h"

static DsWaiter *my_waiter = NULL;

static uint64 id_bit(const char *instance_id);
static void wake(Oid database, uint64 mask);
static void leave_at_exit(int code, Datum arg);

void
ds_waiter_enter(int n, char **instance_ids)
{
	static bool registered = false;
	DsWaiter   *waiters = ds_waiters();
	uint64		mask = 0;

	if (!registered)
	{
		before_shmem_exit(leave_at_exit, (Datum) 0);
		registered = true;
	}
	for (int i = 0; i < n; i++)
		mask |= id_bit(instance_ids[i]);

	/* an error may have kept an earlier wait from leaving */
	ds_waiter_leave();
	ds_shared_lock();
	for (int i = 0; i < ds_shared->n_slots; i++)
	{
		if (!waiters[i].in_use)
		{
			my_waiter = &waiters[i];
			my_waiter->in_use = true;
			my_waiter->database = MyDatabaseId;
			my_waiter->mask = mask;
			my_waiter->latch = MyLatch;
			my_waiter->pid = MyProcPid;
			my_waiter->role = GetUserId();
			my_waiter->called_off = false;
			ds_shared->n_waiters++;
			break;
		}
	}
	ds_shared_unlock();
	/* there is one for every process that could ask */
	if (my_waiter == NULL)
		elog(ERROR, "no waiter slot is free");
}

void
ds_waiter_leave(void)
{
	if (my_waiter == NULL)
		return;
	ds_shared_lock();
	my_waiter->in_use = false;
	ds_shared->n_waiters--;
	ds_shared_unlock();
	my_waiter = NULL;
}

bool
ds_waiter_call_off(int pid)
{
	DsWaiter   *waiters = ds_waiters();
	bool		found = false;

	ds_shared_lock();
	for (int i = 0; i < ds_shared->n_slots && !found; i++)
	{
		DsWaiter   *waiter = &waiters[i];

		if (waiter->in_use && waiter->pid == pid && waiter->role == GetUserId())
		{
			waiter->called_off = found = true;
			SetLatch(waiter->latch);
		}
	}
	ds_shared_unlock();
	return found;
}

/* Whoever sets it sets the latch, too: a later look sees it. */
bool
ds_waiter_called_off(void)
{
	return my_waiter->called_off;
}

void
ds_waiters_wake(Oid database, const char *instance_id)
{
	wake(database, id_bit(instance_id));
}

void
ds_waiters_wake_all(Oid database)
{
	wake(database, PG_UINT64_MAX);
}

static void
wake(Oid database, uint64 mask)
{
	DsWaiter   *waiters = ds_waiters();
	int			left;

	LWLockAcquire(ds_shared->lock, LW_SHARED);
	left = ds_shared->n_waiters;
	for (int i = 0; left > 0 && i < ds_shared->n_slots; i++)
	{
		if (!waiters[i].in_use)
			continue;
		left--;
		if (waiters[i].database == database && (waiters[i].mask & mask) != 0)
			SetLatch(waiters[i].latch);
	}
	LWLockRelease(ds_shared->lock);
}

static uint64
id_bit(const char *instance_id)
{
	return UINT64CONST(1) <<
		(hash_bytes((const unsigned char *) instance_id,
					strlen(instance_id)) & 63);
}

static void
leave_at_exit(int code, Datum arg)
{
	ds_waiter_leave();
}
