/*-------------------------------------------------------------------------
 *
 * durability.c
 *	  Waits until a commit can no longer be lost.
 *
 * Steps commit asynchronously, and MVCC shows a commit before its WAL is
 * flushed.  Before anything is built on such a row (the next activity, a
 * report that the instance has ended), the WAL of the row's own transaction
 * must be safe.  One flush serves all earlier commits.
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
 * The WAL position at server start.  Lock rules: the shared lock; constant
 * once it is set.
 */
typedef struct ServerStart
{
	XLogRecPtr	lsn;
} ServerStart;

static ServerStart *server_start = NULL;

static bool is_in_commit_log(TransactionId xid);
static XLogRecPtr lsn_of_start(void);

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

	/*
	 * A frozen row keeps its xmin, perhaps from right after its commit. After
	 * 2^31 transactions this number is in the future.  A transaction that is
	 * not in the commit log is safe.  One that is may be a different
	 * transaction, 2^32 later: then the caller waits longer than necessary.
	 */
	LWLockAcquire(XactTruncationLock, LW_SHARED);
	if (is_in_commit_log(xmin))
		lsn = TransactionIdGetCommitLSN(xmin);
	LWLockRelease(XactTruncationLock);
	if (XLogRecPtrIsInvalid(lsn) && ds_standby_wait_is_configured() &&
		SyncRepRequested())
		lsn = lsn_of_start();
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
	 * SET synchronous_commit = off concerns the session's own commits; it
	 * must not weaken what the session is told about others.
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
 * The LSN is that of an own record: at the end of any other record, a session
 * may be waiting for standbys, and no other process may wait there; see
 * standby_wait.c.
 */
void
ds_durability_start(void)
{
	char		content = 0;	/* a record must not be empty */
	XLogRecPtr	lsn;

	ds_shared_lock_to_look();
	lsn = server_start->lsn;
	ds_shared_unlock();
	if (!XLogRecPtrIsInvalid(lsn))
		return;

	XLogBeginInsert();
	XLogRegisterData(&content, sizeof(content));
	lsn = XLogInsert(RM_XLOG_ID, XLOG_NOOP);
	ds_shared_lock();
	if (XLogRecPtrIsInvalid(server_start->lsn))
		server_start->lsn = lsn;
	ds_shared_unlock();
}

/*
 * The commit log keeps LSNs only in memory.  Transactions that committed
 * before the server started are on disk here, but perhaps not on a standby.
 */
static XLogRecPtr
lsn_of_start(void)
{
	XLogRecPtr	lsn;

	ds_durability_start();		/* the launcher may not have started yet */
	ds_shared_lock_to_look();
	lsn = server_start->lsn;
	ds_shared_unlock();
	return lsn;
}

/* The caller holds XactTruncationLock, so that the answer stays valid. */
static bool
is_in_commit_log(TransactionId xid)
{
	TransactionId oldest = TransamVariables->oldestClogXid;

	return xid - oldest < ReadNextTransactionId() - oldest;
}
