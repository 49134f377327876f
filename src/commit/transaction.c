/*-------------------------------------------------------------------------
 *
 * transaction.c
 *	  The transactions of a runner.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "base/settings.h"
#include "commit/transaction.h"
#include "commit/wal_flusher.h"
#include "store/table.h"

void
ds_transaction_begin(void)
{
	MemoryContext caller = CurrentMemoryContext;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	XactIsoLevel = XACT_READ_COMMITTED;
	XactReadOnly = false;
	XactDeferrable = false;
	ds_table_follow_latest(false);
	MemoryContextSwitchTo(caller);
}

void
ds_transaction_commit(void)
{
	MemoryContext caller = CurrentMemoryContext;
	int			save = synchronous_commit;
	XLogRecPtr	last_commit = XactLastCommitEnd;

	ds_table_follow_latest(false);
	/* durability.c waits for the flush where anything depends on it */
	PG_TRY();
	{
		if (ds_step_commit != DS_STEP_COMMIT_ON)
			synchronous_commit = SYNCHRONOUS_COMMIT_OFF;
		CommitTransactionCommand();
	}
	PG_FINALLY();
	{
		synchronous_commit = save;
	}
	PG_END_TRY();
	if (ds_step_commit == DS_STEP_COMMIT_GROUP &&
		XactLastCommitEnd != last_commit)
		ds_wal_flusher_request();
	MemoryContextSwitchTo(caller);
}

void
ds_transaction_abort(void)
{
	MemoryContext caller = CurrentMemoryContext;

	AbortOutOfAnyTransaction();
	ds_table_follow_latest(false);
	PortalErrorCleanup();
	jit_reset_after_error();
	MemoryContextSwitchTo(caller);
}

ErrorData *
ds_transaction_try(void (*body) (void *), void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		ds_transaction_begin();
		body(arg);
		ds_transaction_commit();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		ds_transaction_abort();
	}
	PG_END_TRY();
	return error;
}

void
ds_transaction_enter_foreground(bool atomic)
{
	MemoryContext caller = CurrentMemoryContext;

	/*
	 * A C procedure that commits inside BEGIN would silently not commit, and
	 * the steps would run in the caller's transaction.  Below another SPI
	 * level the steps could not be aborted without that level's state.
	 */
	if (atomic || SPI_inside_nonatomic_context())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("CALL df_run cannot run inside a transaction block or a function"),
				 errhint("Call it as a separate statement, outside a transaction block.")));

	HoldPinnedPortals();
	ForgetPortalSnapshots();
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
}

void
ds_transaction_leave_foreground(void)
{
	MemoryContext caller = CurrentMemoryContext;

	StartTransactionCommand();
	MemoryContextSwitchTo(caller);
}
