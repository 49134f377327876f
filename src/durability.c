/*-------------------------------------------------------------------------
 *
 * durability.c
 *	  Waiting until a commit cannot be lost any more.
 *
 * Steps commit asynchronously, and MVCC shows a commit before its WAL is
 * flushed.  Before anything is built on such a row (the next activity, a
 * report that the instance has ended) the WAL of the row's own transaction
 * must be safe.  One flush serves all that came before it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "replication/syncrep.h"
#include "storage/lwlock.h"

#include "durability.h"

static TransactionId oldest_clog_xid(void);

XLogRecPtr
ds_commit_lsn_of(TransactionId xmin)
{
	XLogRecPtr	lsn = InvalidXLogRecPtr;

	if (!TransactionIdIsNormal(xmin) || RecoveryInProgress())
		return InvalidXLogRecPtr;

	/* a frozen row's xmin may be gone from the commit log, and is long safe */
	LWLockAcquire(XactTruncationLock, LW_SHARED);
	if (!TransactionIdPrecedes(xmin, oldest_clog_xid()))
		lsn = TransactionIdGetCommitLSN(xmin);
	LWLockRelease(XactTruncationLock);
	return lsn;
}

void
ds_wait_durable(XLogRecPtr lsn)
{
	if (XLogRecPtrIsInvalid(lsn) || RecoveryInProgress())
		return;
	XLogFlush(lsn);
	HOLD_INTERRUPTS();
	SyncRepWaitForLSN(lsn, true);
	RESUME_INTERRUPTS();
}

static TransactionId
oldest_clog_xid(void)
{
#if PG_VERSION_NUM >= 170000
	return TransamVariables->oldestClogXid;
#else
	return ShmemVariableCache->oldestClogXid;
#endif
}
