/*-------------------------------------------------------------------------
 *
 * wal_flusher.c
 *	  The launcher's second job: flushing the WAL behind the workers.
 *
 * Steps commit asynchronously, thousands a second.  PostgreSQL's WAL writer
 * lags behind by design, and before version 17 every asynchronous commit that
 * finds the flush more than a page behind wakes it with a signal, which costs
 * more than all else in a small step.  So while workers commit, the launcher
 * flushes without a pause, once a page has come together.  That keeps the
 * distance short, and makes the result of an activity durable while its worker
 * runs other instances: by the time the next activity of the same one is due,
 * there is nothing to wait for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#include "commit/wal_flusher.h"
#include "shmem/shared.h"

/* Lock rules: none, these are atomics. */
typedef struct Flusher
{
	pg_atomic_uint64 wanted;	/* up to where */
	pg_atomic_uint32 flushing;	/* the launcher looks in a moment anyway */
} Flusher;

static Flusher *flusher = NULL;

Size
ds_wal_flusher_size(void)
{
	return sizeof(Flusher);
}

void
ds_wal_flusher_startup(void)
{
	bool		found;

	flusher = ShmemInitStruct("durable_singleton flusher",
							  ds_wal_flusher_size(), &found);
	if (found)
		return;
	pg_atomic_init_u64(&flusher->wanted, InvalidXLogRecPtr);
	pg_atomic_init_u32(&flusher->flushing, 0);
}

void
ds_wal_flusher_request(void)
{
	XLogRecPtr	lsn = XactLastCommitEnd;

	/* one that looks in a moment anyway is not worth a system call */
	if (pg_atomic_read_u32(&flusher->flushing) != 0)
	{
		pg_atomic_write_u64(&flusher->wanted, lsn);
		return;
	}
	/* of less than a page the next steps' waits are enough */
	if (lsn - lsn % XLOG_BLCKSZ <= GetFlushRecPtr(NULL))
		return;
	pg_atomic_write_u64(&flusher->wanted, lsn);
	if (pg_atomic_exchange_u32(&flusher->flushing, 1) == 0)
	{
		ds_shared_lock();
		ds_shared_wake_launcher();
		ds_shared_unlock();
	}
}

bool
ds_wal_flusher_flush(void)
{
	XLogRecPtr	wanted = pg_atomic_read_u64(&flusher->wanted);

	if (pg_atomic_read_u32(&flusher->flushing) == 0)
		return false;
	if (wanted > GetFlushRecPtr(NULL))
	{
		XLogFlush(wanted);
		return true;
	}
	/* who asks from now on wakes us; who has just asked did not */
	pg_atomic_exchange_u32(&flusher->flushing, 0);
	if (pg_atomic_read_u64(&flusher->wanted) == wanted)
		return false;
	pg_atomic_exchange_u32(&flusher->flushing, 1);
	return true;
}

void
ds_wal_flusher_reset(void)
{
	pg_atomic_write_u32(&flusher->flushing, 0);
}
