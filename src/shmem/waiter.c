/*-------------------------------------------------------------------------
 *
 * waiter.c
 *	  Sessions that wait for the end of instances.
 *
 * A waiter publishes 64 bits of the hashes of its ids; the process that ends
 * an instance sets the latches of the waiters whose bit is on.  A false alarm
 * costs one look at the table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/shmem.h"

#include "shmem/shared.h"
#include "shmem/waiter.h"

typedef struct Waiter
{
	bool		in_use;
	Oid			database;
	uint64		mask;			/* bits of the hashes of the ids */
	Latch	   *latch;
	int			pid;
	Oid			role;
	bool		called_off;		/* by another session of the role */
} Waiter;

/* Lock rules: the shared lock. */
typedef struct Waiters
{
	int			n;
	int			n_used;
	Waiter		waiter[FLEXIBLE_ARRAY_MEMBER];
} Waiters;

static Waiters *waiters = NULL;
static Waiter *my_waiter = NULL;

static uint64 id_bit(const char *instance_id);
static void wake(Oid database, uint64 mask);
static void leave_at_exit(int code, Datum arg);

/* Every backend may wait, including one that is a runner. */
Size
ds_waiter_size(void)
{
	return add_size(offsetof(Waiters, waiter),
					mul_size(MaxBackends, sizeof(Waiter)));
}

void
ds_waiter_startup(void)
{
	bool		found;

	waiters = ShmemInitStruct("durable_singleton waiters", ds_waiter_size(),
							  &found);
	if (found)
		return;
	memset(waiters, 0, ds_waiter_size());
	waiters->n = MaxBackends;
}

void
ds_waiter_enter(int n, char **instance_ids)
{
	static bool registered = false;
	uint64		mask = 0;

	if (!registered)
	{
		before_shmem_exit(leave_at_exit, (Datum) 0);
		registered = true;
	}
	for (int i = 0; i < n; i++)
		mask |= id_bit(instance_ids[i]);

	/* after an error, an earlier wait may not have been left */
	ds_waiter_leave();
	ds_shared_lock();
	for (int i = 0; i < waiters->n; i++)
	{
		if (!waiters->waiter[i].in_use)
		{
			my_waiter = &waiters->waiter[i];
			my_waiter->in_use = true;
			my_waiter->database = MyDatabaseId;
			my_waiter->mask = mask;
			my_waiter->latch = MyLatch;
			my_waiter->pid = MyProcPid;
			my_waiter->role = GetUserId();
			my_waiter->called_off = false;
			waiters->n_used++;
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
	waiters->n_used--;
	ds_shared_unlock();
	my_waiter = NULL;
}

bool
ds_waiter_call_off(int pid)
{
	bool		found = false;

	ds_shared_lock();
	for (int i = 0; i < waiters->n && !found; i++)
	{
		Waiter	   *waiter = &waiters->waiter[i];

		if (waiter->in_use && waiter->pid == pid &&
			waiter->role == GetUserId())
		{
			waiter->called_off = found = true;
			SetLatch(waiter->latch);
		}
	}
	ds_shared_unlock();
	return found;
}

/* The process that sets it also sets the latch: a later look sees it. */
bool
ds_waiter_called_off(void)
{
	return my_waiter->called_off;
}

void
ds_waiter_wake(Oid database, const char *instance_id)
{
	wake(database, id_bit(instance_id));
}

void
ds_waiter_wake_all(Oid database)
{
	wake(database, PG_UINT64_MAX);
}

int
ds_waiter_count(Oid database)
{
	int			n = 0;

	for (int i = 0, left = waiters->n_used; left > 0 && i < waiters->n; i++)
	{
		if (!waiters->waiter[i].in_use)
			continue;
		left--;
		if (waiters->waiter[i].database == database)
			n++;
	}
	return n;
}

static void
wake(Oid database, uint64 mask)
{
	int			left;

	ds_shared_lock_to_look();
	left = waiters->n_used;
	for (int i = 0; left > 0 && i < waiters->n; i++)
	{
		if (!waiters->waiter[i].in_use)
			continue;
		left--;
		if (waiters->waiter[i].database == database &&
			(waiters->waiter[i].mask & mask) != 0)
			SetLatch(waiters->waiter[i].latch);
	}
	ds_shared_unlock();
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
