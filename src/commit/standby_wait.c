/*-------------------------------------------------------------------------
 *
 * standby_wait.c
 *	  Waits until synchronous standbys have confirmed WAL.
 *
 * PostgreSQL's wait is designed for the end of a backend's own commit record,
 * which is unique: an assertion forbids equal LSNs in its queue.  Here LSNs
 * are shared: the commit log keeps one LSN for 32 transactions, and many
 * sessions may read the end of one instance.
 *
 * So of the processes that wait for the same LSN and the same kind of
 * confirmation, one leads: it waits in PostgreSQL's queue.  The others follow:
 * they sleep until their leader is done, whether it was confirmed or canceled,
 * and check again.  If necessary, one of them leads next.
 *
 * Checking every few milliseconds what is confirmed would be shorter.  But it
 * would delay each step that waits for the previous one, and a primary whose
 * standby is unavailable overnight would never be idle.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/wait_event.h"

#include "base/compat.h"
#include "commit/standby_wait.h"
#include "shmem/shared.h"

#define NO_MODE		(-1)

/* The wait of a process; protected by ds_shared->lock. */
typedef struct StandbyWait
{
	XLogRecPtr	lsn;			/* InvalidXLogRecPtr if it does not wait */
	int			mode;			/* a SYNC_REP_WAIT_... */
	bool		leads;
} StandbyWait;

/* One for each PGPROC that a backend can have, in their order. */
static StandbyWait *waits = NULL;

static int	wait_mode(void);
static bool is_confirmed(XLogRecPtr lsn, int mode);
static bool may_lead(XLogRecPtr lsn, int mode);
static void lead(XLogRecPtr lsn, int mode);
static void call_followers(void);
static void follow(void);
static bool is_following(void);
pg_noreturn static void give_up(void);

static inline StandbyWait *
my_wait(void)
{
	return &waits[MyProc - ProcGlobal->allProcs];
}

Size
ds_standby_wait_size(void)
{
	return mul_size(MaxBackends, sizeof(StandbyWait));
}

void
ds_standby_wait_startup(void)
{
	bool		found;

	waits = ShmemInitStruct("durable_singleton waits for standbys",
							ds_standby_wait_size(), &found);
	if (!found)
		memset(waits, 0, ds_standby_wait_size());
}

bool
ds_standby_wait_is_configured(void)
{
	return SyncRepStandbyNames != NULL && SyncRepStandbyNames[0] != '\0';
}

void
ds_standby_wait(XLogRecPtr lsn)
{
	int			mode = wait_mode();

	while (mode != NO_MODE && !is_confirmed(lsn, mode))
	{
		if (may_lead(lsn, mode))
			lead(lsn, mode);
		else
			follow();
	}
}

/* The kind of confirmation requested by synchronous_commit. */
static int
wait_mode(void)
{
	if (!SyncRepRequested())
		return NO_MODE;
	switch (synchronous_commit)
	{
		case SYNCHRONOUS_COMMIT_REMOTE_WRITE:
			return SYNC_REP_WAIT_WRITE;
		case SYNCHRONOUS_COMMIT_REMOTE_FLUSH:
			return SYNC_REP_WAIT_FLUSH;
		case SYNCHRONOUS_COMMIT_REMOTE_APPLY:
			return SYNC_REP_WAIT_APPLY;
		default:
			return NO_MODE;
	}
}

/* Also true if no confirmation is needed, according to SyncRepWaitForLSN(). */
static bool
is_confirmed(XLogRecPtr lsn, int mode)
{
	bool		needed;
	bool		confirmed;

	LWLockAcquire(SyncRepLock, LW_SHARED);
#ifdef SYNC_STANDBY_DEFINED

	/*
	 * until the checkpointer has read the setting, this process's value
	 * counts
	 */
	needed = (WalSndCtl->sync_standbys_status & SYNC_STANDBY_INIT) != 0 ?
		(WalSndCtl->sync_standbys_status & SYNC_STANDBY_DEFINED) != 0 :
		ds_standby_wait_is_configured();
#else
	needed = WalSndCtl->sync_standbys_defined;
#endif
	confirmed = lsn <= WalSndCtl->lsn[mode];
	LWLockRelease(SyncRepLock);
	return confirmed || !needed;
}

/*
 * Announces the wait; false if another process leads for the same LSN and
 * mode.
 */
static bool
may_lead(XLogRecPtr lsn, int mode)
{
	StandbyWait wait = {.lsn = lsn,.mode = mode,.leads = true};

	ds_shared_lock();
	for (int i = 0; i < MaxBackends && wait.leads; i++)
		wait.leads = !(waits[i].leads && waits[i].lsn == lsn &&
					   waits[i].mode == mode);
	*my_wait() = wait;
	ds_shared_unlock();
	return wait.leads;
}

/*
 * A commit whose wait is canceled ends with a warning, because it has
 * happened. Here the work that depends on it can still be given up.
 */
static void
lead(XLogRecPtr lsn, int mode)
{
	PG_TRY();
	{
		HOLD_INTERRUPTS();
		SyncRepWaitForLSN(lsn, true);
		RESUME_INTERRUPTS();
	}
	PG_CATCH();
	{
		call_followers();
		PG_RE_THROW();
	}
	PG_END_TRY();
	call_followers();

	/* after the death of the postmaster, nothing else sets this flag */
	if (ProcDiePending)
		InterruptPending = true;
	CHECK_FOR_INTERRUPTS();
	if (!is_confirmed(lsn, mode))
		give_up();
}

/* The leader is done: wakes its followers, which have no leader any more. */
static void
call_followers(void)
{
	StandbyWait *mine = my_wait();

	ds_shared_lock();
	for (int i = 0; i < MaxBackends; i++)
	{
		if (waits[i].lsn == mine->lsn && waits[i].mode == mine->mode &&
			!waits[i].leads)
		{
			waits[i].lsn = InvalidXLogRecPtr;
			SetLatch(&ProcGlobal->allProcs[i].procLatch);
		}
	}
	mine->lsn = InvalidXLogRecPtr;
	mine->leads = false;
	ds_shared_unlock();
}

/*
 * Sleeps until the leader is done.  On cancel, raises the same error as a
 * leader would.  Other interrupts leave the wait entry behind; it is cleared
 * when the leader is done or when this process waits again.  The only effect
 * is a spurious latch set.
 */
static void
follow(void)
{
	for (;;)
	{
		ResetLatch(MyLatch);
		if (!is_following())
			return;
		if (QueryCancelPending)
		{
			QueryCancelPending = false;
			ereport(WARNING,
					(errmsg("canceling wait for synchronous replication due to user request"),
					 errdetail("The transaction has already committed locally, but might not have been replicated to the standby.")));
			give_up();
		}
		HOLD_CANCEL_INTERRUPTS();
		CHECK_FOR_INTERRUPTS();
		RESUME_CANCEL_INTERRUPTS();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1,
						 WAIT_EVENT_SYNC_REP);
	}
}

static bool
is_following(void)
{
	bool		following;

	LWLockAcquire(ds_shared->lock, LW_SHARED);
	following = !XLogRecPtrIsInvalid(my_wait()->lsn);
	LWLockRelease(ds_shared->lock);
	return following;
}

static void
give_up(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_QUERY_CANCELED),
			 errmsg("canceling statement due to user request"),
			 errdetail("Synchronous standbys have not yet confirmed the commits that it depends on.")));
}
