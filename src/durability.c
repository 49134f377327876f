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
#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/lwlock.h"
#include "utils/guc.h"

#include "durability.h"
#include "hub.h"

static bool standbys_are_named(void);
static XLogRecPtr lsn_before_start(TransactionId xid);
static TransactionId oldest_clog_xid(void);
static void wait_for_standbys(XLogRecPtr lsn);
static bool is_confirmed(XLogRecPtr lsn);

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
	if (XLogRecPtrIsInvalid(lsn) && standbys_are_named() && SyncRepRequested())
		lsn = lsn_before_start(xmin);
	return lsn;
}

void
ds_wait_durable(XLogRecPtr lsn)
{
	if (XLogRecPtrIsInvalid(lsn) || RecoveryInProgress())
		return;
	XLogFlush(lsn);
	wait_for_standbys(lsn);
}

void
ds_wait_durable_to_tell(TransactionId xmin)
{
	int			guc_level = 0;

	/*
	 * What a session is told does not become less true by its SET
	 * synchronous_commit = off, which is about its own commits.
	 */
	if (standbys_are_named() && !SyncRepRequested())
	{
		guc_level = NewGUCNestLevel();
		(void) set_config_option("synchronous_commit",
								 GetConfigOptionResetString("synchronous_commit"),
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	}
	ds_wait_durable(ds_commit_lsn_of(xmin));
	if (guc_level > 0)
		AtEOXact_GUC(false, guc_level);
}

void
ds_durability_start(void)
{
	TransactionId xid = ReadNextTransactionId();
	XLogRecPtr	lsn = GetFlushRecPtr(NULL);

	ds_hub_lock();
	if (XLogRecPtrIsInvalid(ds_hub->start_lsn))
	{
		ds_hub->start_xid = xid;
		ds_hub->start_lsn = lsn;
	}
	ds_hub_unlock();
}

static bool
standbys_are_named(void)
{
	return SyncRepStandbyNames != NULL && SyncRepStandbyNames[0] != '\0';
}

/*
 * The commit log remembers LSNs in memory only.  What had committed before the
 * server started is on disk here, but maybe nowhere else.
 */
static XLogRecPtr
lsn_before_start(TransactionId xid)
{
	XLogRecPtr	lsn;
	TransactionId start;

	LWLockAcquire(ds_hub->lock, LW_SHARED);
	lsn = ds_hub->start_lsn;
	start = ds_hub->start_xid;
	LWLockRelease(ds_hub->lock);
	if (XLogRecPtrIsInvalid(lsn))
		return GetFlushRecPtr(NULL);	/* the launcher is not up yet */
	return TransactionIdPrecedes(xid, start) ? lsn : InvalidXLogRecPtr;
}

/*
 * A commit that is cancelled while it waits ends with a warning, because it
 * has happened.  What is to be built upon it can still be given up.
 */
static void
wait_for_standbys(XLogRecPtr lsn)
{
	HOLD_INTERRUPTS();
	SyncRepWaitForLSN(lsn, true);
	RESUME_INTERRUPTS();
	/* if the postmaster died, nobody else says that there is an interrupt */
	if (ProcDiePending)
		InterruptPending = true;
	CHECK_FOR_INTERRUPTS();
	if (!is_confirmed(lsn))
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request"),
				 errdetail("Synchronous standbys have not yet confirmed what it would report or build upon.")));
}

static bool
is_confirmed(XLogRecPtr lsn)
{
	int			mode;
	bool		confirmed;

	switch (synchronous_commit)
	{
		case SYNCHRONOUS_COMMIT_REMOTE_WRITE:
			mode = SYNC_REP_WAIT_WRITE;
			break;
		case SYNCHRONOUS_COMMIT_REMOTE_FLUSH:
			mode = SYNC_REP_WAIT_FLUSH;
			break;
		case SYNCHRONOUS_COMMIT_REMOTE_APPLY:
			mode = SYNC_REP_WAIT_APPLY;
			break;
		default:
			return true;
	}
	if (!SyncRepRequested())
		return true;
	LWLockAcquire(SyncRepLock, LW_SHARED);
#ifdef SYNC_STANDBY_DEFINED
	confirmed = (WalSndCtl->sync_standbys_status & SYNC_STANDBY_DEFINED) == 0;
#else
	confirmed = !WalSndCtl->sync_standbys_defined;
#endif
	confirmed = confirmed || lsn <= WalSndCtl->lsn[mode];
	LWLockRelease(SyncRepLock);
	return confirmed;
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
