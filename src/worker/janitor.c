/*-------------------------------------------------------------------------
 *
 * janitor.c
 *	  A short visit to one database.
 *
 * The launcher cannot see into databases, and workers see no role's work but
 * their own.  So at the start of the server, after CREATE EXTENSION and every
 * rescan_interval a janitor connects as the bootstrap superuser, runs no
 * user code, tells shared memory which roles have work and when, and leaves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "commit/commit_hints.h"
#include "commit/transaction.h"
#include "function/failure.h"
#include "instance/end.h"
#include "instance/home.h"
#include "instance/purge.h"
#include "shmem/crashed_slots.h"
#include "shmem/eviction.h"
#include "shmem/hints.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"
#include "store/catalog.h"
#include "store/store.h"
#include "store/table.h"
#include "store/version.h"
#include "worker/crashes.h"

#define OWNERLESS_BATCH	1000
#define PURGE_BATCH		1000
#define LOCK_TIMEOUT	"1s"

PG_FUNCTION_INFO_V1(ds_request_visit);

extern PGDLLEXPORT void ds_janitor_main(Datum arg);

/* Our transactions; to connect was one, too. */
static int	n_transactions = 1;
static bool left_nothing = false;
static char extension_version[DS_MAX_VERSION] = "";

static void leave_at_exit(int code, Datum arg);
static void count_transaction(XactEvent event, void *arg);
static void visit(void);
static void send_workers_away(void);
static void fail_all_ownerless(void);
static bool fail_ownerless(void);
static void purge_expired(void);

void
ds_janitor_main(Datum arg)
{
	Oid			database = DatumGetObjectId(arg);

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();

	if (!ds_janitor_enter(database))
		proc_exit(0);
	before_shmem_exit(leave_at_exit, (Datum) 0);
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	RegisterXactCallback(count_transaction, NULL);
	pgstat_report_activity(STATE_RUNNING, "durable_singleton: looking for work");
	visit();
	proc_exit(0);
}

static void
leave_at_exit(int code, Datum arg)
{
	ds_janitor_leave(left_nothing && code == 0, n_transactions);
}

static void
count_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		n_transactions++;
}

static void
visit(void)
{
	List	   *work;
	ListCell   *cell;
	TimestampTz now = GetCurrentTimestamp();
	bool		counted;

	MemoryContextSwitchTo(TopMemoryContext);
	/* other databases wait for us */
	SetConfigOption("lock_timeout", LOCK_TIMEOUT, PGC_SUSET, PGC_S_OVERRIDE);
	ds_transaction_begin();
	if (ds_catalog(true) == NULL)
	{
		ds_transaction_commit();
		ds_crashed_slots_forget(MyDatabaseId);
		ds_janitor_report(DS_FOUND_NOTHING, extension_version);
		return;
	}
	ds_extension_version(extension_version);
	if (!ds_tables_fit())
	{
		ds_transaction_commit();
		send_workers_away();
		ds_janitor_report(DS_FOUND_OTHER_VERSION, extension_version);
		return;
	}
	ds_transaction_commit();
	/* nobody may run these before */
	counted = ds_crashes_count();
	ds_transaction_begin();
	if (!ds_enabled || !ds_home_settle())
	{
		ds_transaction_commit();
		send_workers_away();
		ds_janitor_report(ds_enabled ? DS_FOUND_AWAY : DS_FOUND_HOME, extension_version);
		return;
	}
	work = ds_store_owners_with_work();
	foreach(cell, work)
	{
		DsOwnerWork *w = lfirst(cell);

		if (w->due <= now)
			ds_hint_rescan(MyDatabaseId, w->owner);
		else if (!TIMESTAMP_NOT_FINITE(w->due))
			ds_hint_wake(MyDatabaseId, w->owner, w->due);
	}
	/* if not, this visit is to be made again soon */
	if (counted)
		ds_janitor_report(DS_FOUND_HOME, extension_version);

	/*
	 * Last, whatever may be locked in there: the work has been found.  It is
	 * seldom worth a transaction of its own.
	 */
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		ds_transaction_commit();
		ds_transaction_begin();
	}
	ds_store_drop_orphaned_messages();
	if (ds_janitor_seeks_ownerless())
		fail_all_ownerless();
	ds_transaction_commit();
	ds_janitor_sought_ownerless();
	purge_expired();
	left_nothing = ds_retention < 0;
}

/* Those that came before: new ones see for themselves. */
static void
send_workers_away(void)
{
	ds_eviction_retire_workers(MyDatabaseId);
	ds_hint_forget_database(MyDatabaseId);
}

/* What ended longer than durable_singleton.retention ago, batch by batch. */
static void
purge_expired(void)
{
	MemoryContext cxt;
	char		after[DS_MAX_ID_LENGTH + 1] = "";
	TimestampTz before;
	List	   *ids;

	if (ds_retention < 0)
		return;
	before = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										 -ds_retention * INT64CONST(1000));
	cxt = AllocSetContextCreate(CurrentMemoryContext, "retention",
								ALLOCSET_DEFAULT_SIZES);
	do
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(cxt);
		MemoryContextSwitchTo(cxt);
		ds_transaction_begin();
		ids = ds_store_find_expired(before, after, PURGE_BATCH);
		if (ids != NIL)
			strlcpy(after, llast(ids), sizeof(after));
		(void) ds_purge_families(ids, true);
		ds_transaction_commit();
	} while (ids != NIL);
	MemoryContextSwitchTo(MemoryContextGetParent(cxt));
	MemoryContextDelete(cxt);
}

/* A batch in a transaction; the last one is left to the caller to commit. */
static void
fail_all_ownerless(void)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(caller, "ownerless instances",
											  ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(cxt);
	while (fail_ownerless())
	{
		ds_transaction_commit();
		MemoryContextReset(cxt);
		ds_transaction_begin();
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
}

/*
 * Their owner was dropped: nobody can run them any more.  True: there may be
 * more of them.
 */
static bool
fail_ownerless(void)
{
	ErrorData	error = {0};
	List	   *ids = ds_store_find_ownerless(OWNERLESS_BATCH);
	ListCell   *cell;

	CHECK_FOR_INTERRUPTS();
	ds_store_delete_ownerless_tasks();
	if (ids == NIL)
		return false;
	error.sqlerrcode = ERRCODE_UNDEFINED_OBJECT;
	error.message = _("the role that owns the instance does not exist any more");
	foreach(cell, ids)
	{
		DsInstance *inst = ds_store_load(lfirst(cell));

		if (inst != NULL &&
			ds_store_fail(inst, ds_failure_from_error(&error), false))
			ds_end_tell_waiters(inst, DS_FAILED);
	}
	return true;
}

/* durable_singleton.request_visit(): also from CREATE EXTENSION */
PGDLLEXPORT Datum
ds_request_visit(PG_FUNCTION_ARGS)
{
	if (ds_shared_is_there())
		ds_commit_hint_visit(MyDatabaseId);
	PG_RETURN_VOID();
}
