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
#include "access/xloginsert.h"
#include "catalog/pg_control.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"

#include "base/compat.h"
#include "commit/durability.h"
#include "commit/standby_wait.h"
#include "shmem/shared.h"

/*
 * What the server began with.  Lock rules: the shared lock; constant once it
 * is set.
 */
typedef struct ServerStart
{
	TransactionId xid;			/* the next one then, */
	XLogRecPtr	lsn;			/* and the end of the WAL */
} ServerStart;

static ServerStart *server_start = NULL;

static XLogRecPtr lsn_before_start(TransactionId xid);
static TransactionId oldest_clog_xid(void);

Size
ds_durability_size(void)
{
	return sizeof(ServerStart);
}

void
ds_durability_startup(void)
{
	bool		found;

	server_start = ShmemInitStruct("durable_singleton server start",
								   ds_durability_size(), &found);
	if (!found)
		memset(server_start, 0, ds_durability_size());
}

XLogRecPtr
ds_durability_lsn_of(TransactionId xmin)
{
	XLogRecPtr	lsn = InvalidXLogRecPtr;

	if (!TransactionIdIsNormal(xmin) || RecoveryInProgress())
		return InvalidXLogRecPtr;

	/* a frozen row's xmin may be gone from the commit log, and is long safe */
	LWLockAcquire(XactTruncationLock, LW_SHARED);
	if (!TransactionIdPrecedes(xmin, oldest_clog_xid()))
		lsn = TransactionIdGetCommitLSN(xmin);
	LWLockRelease(XactTruncationLock);
	if (XLogRecPtrIsInvalid(lsn) && ds_standby_wait_is_configured() && SyncRepRequested())
		lsn = lsn_before_start(xmin);
	return lsn;
}

void
ds_durability_wait(XLogRecPtr lsn)
{
	if (XLogRecPtrIsInvalid(lsn) || RecoveryInProgress())
		return;
	XLogFlush(lsn);
	ds_standby_wait(lsn);
}

void
ds_durability_wait_to_tell(TransactionId xmin)
{
	int			guc_level = 0;

	/*
	 * What a session is told does not become less true by its SET
	 * synchronous_commit = off, which is about its own commits.
	 */
	if (ds_standby_wait_is_configured() && !SyncRepRequested())
	{
		guc_level = NewGUCNestLevel();
		(void) set_config_option("synchronous_commit",
								 GetConfigOptionResetString("synchronous_commit"),
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	}
	ds_durability_wait(ds_durability_lsn_of(xmin));
	if (guc_level > 0)
		AtEOXact_GUC(false, guc_level);
}

/*
 * The LSN is that of a record of our own: a session may be waiting for standbys
 * at the end of any other, where nobody else may stand; see standby_wait.c.
 */
void
ds_durability_start(void)
{
	TransactionId xid;
	XLogRecPtr	lsn;

	ds_shared_lock_to_look();
	lsn = server_start->lsn;
	ds_shared_unlock();
	if (!XLogRecPtrIsInvalid(lsn))
		return;

	xid = ReadNextTransactionId();
	XLogBeginInsert();
	XLogRegisterData((char *) &xid, sizeof(xid));	/* must have something */
	lsn = XLogInsert(RM_XLOG_ID, XLOG_NOOP);
	ds_shared_lock();
	if (XLogRecPtrIsInvalid(server_start->lsn))
	{
		server_start->xid = xid;
		server_start->lsn = lsn;
	}
	ds_shared_unlock();
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

	ds_durability_start();		/* the launcher may not be up yet */
	ds_shared_lock_to_look();
	lsn = server_start->lsn;
	start = server_start->xid;
	ds_shared_unlock();
	return TransactionIdPrecedes(xid, start) ? lsn : InvalidXLogRecPtr;
}

static TransactionId
oldest_clog_xid(void)
{
	return TransamVariables->oldestClogXid;
}
