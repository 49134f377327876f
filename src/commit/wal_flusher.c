/*-------------------------------------------------------------------------
 *
 * wal_flusher.c
 *	  The launcher's second job: flushing the WAL behind the workers.
 *
 * Steps commit asynchronously, thousands per second.  PostgreSQL's WAL writer
 * lags behind by design, and before version 17 every asynchronous commit that
 * finds the flush more than a page behind wakes it with a signal, which costs
 * more than everything else in a small step.  So while workers commit, the
 * launcher flushes without a pause, whenever a page is full.  This keeps the
 * distance short, and makes the result of an activity durable while its worker
 * runs other instances: when the next activity of the same instance is due,
 * usually nothing is left to wait for.
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
	pg_atomic_uint64 wanted;	/* the LSN to flush up to */
	pg_atomic_uint32 flushing;	/* the launcher checks in a moment anyway */
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

	/* a launcher that checks in a moment anyway needs no system call */
	if (pg_atomic_read_u32(&flusher->flushing) != 0)
	{
		pg_atomic_write_u64(&flusher->wanted, lsn);
		return;
	}
	/* less than a page is flushed by the waits of the next steps */
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
	/* later requests wake the launcher; a request made just now did not */
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
