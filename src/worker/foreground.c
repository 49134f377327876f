/*-------------------------------------------------------------------------
 *
 * foreground.c
 *	  CALL df_run: runs the caller's own instances in the caller's session.
 *
 * For tests, for schedulers, and for databases whose workers are switched off
 * or paused.  It is a runner like a worker, with the same claims and fences,
 * so both may run at the same time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "replication/walsender.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "commit/transaction.h"
#include "execution/runner.h"
#include "function/trust.h"
#include "shmem/claim.h"
#include "shmem/crash_notes.h"
#include "shmem/shared.h"
#include "shmem/slot_attach.h"
#include "store/catalog.h"
#include "store/work_search.h"
#include "worker/crashes.h"

PG_FUNCTION_INFO_V1(ds_run);

static void leave(void);
static void run_all(DsRunLimits *limits);
static bool run_batch(List *batch, DsRunLimits *limits);
static void check_identity(void);

/* CALL df_run(max_steps) */
PGDLLEXPORT Datum
ds_run(PG_FUNCTION_ARGS)
{
	bool		atomic = !(fcinfo->context && IsA(fcinfo->context, CallContext) &&
						   !castNode(CallContext, fcinfo->context)->atomic);
	DsRunLimits limits = {.any_home = true,.steps_left = -1};
	MemoryContext caller = CurrentMemoryContext;

	ds_shared_require();
	if (!PG_ARGISNULL(0))
	{
		limits.steps_left = PG_GETARG_INT32(0);
		if (limits.steps_left < 0)
			ereport(ERROR,
					(errcode(DS_ERRCODE_BAD_ARGUMENT),
					 errmsg("max_steps must not be negative"),
					 errhint("Omit it to run until nothing is ready.")));
	}
	PreventCommandIfReadOnly("df_run()");
	/* a walsender uses SIGUSR2 for another purpose */
	if (am_walsender)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("CALL df_run is not possible over a replication connection")));
	check_identity();
	ds_trust_begin();
	ds_catalog(false);
	ds_transaction_enter_foreground(atomic);

	PG_TRY();
	{
		ds_slot_attach_foreground();
		pqsignal(SIGUSR2, ds_claim_cancel_handler);
		pqsignal(SIGQUIT, ds_crash_notes_session_handler);
		/* if workers are switched off, no janitor counts them */
		(void) ds_crashes_count();
		run_all(&limits);
	}
	PG_CATCH();
	{
		/* an error must be handled inside a transaction */
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		leave();
		ds_transaction_abort();
		ds_transaction_leave_foreground();
		ReThrowError(error);
	}
	PG_END_TRY();
	leave();
	ds_transaction_leave_foreground();
	PG_RETURN_VOID();
}

/* The session is no longer a runner. */
static void
leave(void)
{
	pqsignal(SIGUSR2, SIG_IGN);
	pqsignal(SIGQUIT, quickdie);
	ds_slot_detach();
}

/* Repeatedly runs everything that is ready, until nothing is. */
static void
run_all(DsRunLimits *limits)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "df_run",
											  ALLOCSET_DEFAULT_SIZES);
	bool		progress = true;

	while (progress && limits->steps_left != 0)
	{
		DsWorkSearch search;

		progress = false;
		ds_work_search_begin(&search, GetUserId(), 0, true, true);
		do
		{
			List	   *batch;

			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(cxt);
			MemoryContextSwitchTo(cxt);
			ds_transaction_begin();
			batch = ds_work_search_next(&search);
			ds_transaction_commit();
			progress |= run_batch(batch, limits);
		} while (!ds_work_search_is_done(&search) && limits->steps_left != 0);
	}
	MemoryContextSwitchTo(MemoryContextGetParent(cxt));
	MemoryContextDelete(cxt);
}

/* True if one of them made progress. */
static bool
run_batch(List *batch, DsRunLimits *limits)
{
	ListCell   *cell;
	bool		progress = false;

	foreach(cell, batch)
	{
		DsRunResult result;

		CHECK_FOR_INTERRUPTS();
		if (limits->steps_left == 0)
			break;
		result = ds_runner_run(lfirst(cell), limits);
		if (result == DS_RUN_PROGRESS || result == DS_RUN_UNFINISHED)
			progress = true;
	}
	return progress;
}

/*
 * Under SET ROLE or SET SESSION AUTHORIZATION a step could RESET it, and run
 * with the privileges of the original role.
 */
static void
check_identity(void)
{
	Oid			user = GetUserId();

	if (user != GetSessionUserId() || user != GetAuthenticatedUserId())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("CALL df_run must be called by the role that logged in"),
				 errdetail("The current role is \"%s\", the session's is \"%s\".",
						   GetUserNameFromId(user, false),
						   GetUserNameFromId(GetAuthenticatedUserId(), false)),
				 errhint("Connect as the role whose instances should run.")));
}
