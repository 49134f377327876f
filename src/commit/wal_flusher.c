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

#include "commit/wal_flusher.h"
#include "shmem/shared.h"

void
ds_wal_flusher_request(void)
{
	XLogRecPtr	lsn = XactLastCommitEnd;

	/* one that looks in a moment anyway is not worth a system call */
	if (pg_atomic_read_u32(&ds_shared->flushing) != 0)
	{
		pg_atomic_write_u64(&ds_shared->flush_wanted, lsn);
		return;
	}
	/* of less than a page the next steps' waits are enough */
	if (lsn - lsn % XLOG_BLCKSZ <= GetFlushRecPtr(NULL))
		return;
	pg_atomic_write_u64(&ds_shared->flush_wanted, lsn);
	if (pg_atomic_exchange_u32(&ds_shared->flushing, 1) == 0)
	{
		ds_shared_lock();
		ds_shared_wake_launcher();
		ds_shared_unlock();
	}
}

bool
ds_wal_flusher_flush(void)
{
	XLogRecPtr	wanted = pg_atomic_read_u64(&ds_shared->flush_wanted);

	if (pg_atomic_read_u32(&ds_shared->flushing) == 0)
		return false;
	if (wanted > GetFlushRecPtr(NULL))
	{
		XLogFlush(wanted);
		return true;
	}
	/* who asks from now on wakes us; who has just asked did not */
	pg_atomic_exchange_u32(&ds_shared->flushing, 0);
	if (pg_atomic_read_u64(&ds_shared->flush_wanted) == wanted)
		return false;
	pg_atomic_exchange_u32(&ds_shared->flushing, 1);
	return true;
}

void
ds_wal_flusher_reset(void)
{
	pg_atomic_write_u32(&ds_shared->flushing, 0);
}
