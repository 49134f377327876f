/*-------------------------------------------------------------------------
 *
 * janitor.c
 *	  A short visit to one database.
 *
 * The launcher cannot look into databases, and workers see only the work of
 * their own role.  So at server start, after CREATE EXTENSION and every
 * rescan_interval a janitor connects as the bootstrap superuser, runs no user
 * code, writes to shared memory which roles have work and when, and exits.
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
#include "instance/home.h"
#include "shmem/crashed_slots.h"
#include "shmem/eviction.h"
#include "shmem/hints.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"
#include "store/catalog.h"
#include "store/store.h"
#include "store/table.h"
#include "store/version.h"
#include "worker/chores.h"
#include "worker/crashes.h"

#define LOCK_TIMEOUT	"1s"

PG_FUNCTION_INFO_V1(ds_request_visit);

extern PGDLLEXPORT void ds_janitor_main(Datum arg);

/* The janitor's own transactions; connecting was one, too. */
static int	n_transactions = 1;
static bool left_nothing = false;
static char extension_version[DS_MAX_VERSION] = "";

static void leave_at_exit(int code, Datum arg);
static void count_transaction(XactEvent event, void *arg);
static void visit(void);
static void send_workers_away(void);

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
	bool		done;
	bool		sought_ownerless;

	MemoryContextSwitchTo(TopMemoryContext);
	/* other databases wait for the janitor */
	SetConfigOption("lock_timeout", LOCK_TIMEOUT, PGC_SUSET, PGC_S_OVERRIDE);
	ds_transaction_begin();
	if (ds_catalog(true) == NULL)
	{
		ds_transaction_commit();
		ds_crashed_slots_forget(MyDatabaseId);
		ds_janitor_report(DS_FOUND_NOTHING, extension_version);
		return;
	}
	ds_version_extension(extension_version);
	if (!ds_table_all_fit())
	{
		ds_transaction_commit();
		send_workers_away();
		ds_janitor_report(DS_FOUND_OTHER_VERSION, extension_version);
		return;
	}
	ds_transaction_commit();
	/* crashed instances must not run before they are counted */
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
	/* otherwise this visit must be repeated soon */
	if (counted)
		ds_janitor_report(DS_FOUND_HOME, extension_version);

	ds_transaction_commit();

	/*
	 * Last, because of possible locks: the ready work has already been found.
	 */
	done = ds_chores_do(ds_janitor_seeks_ownerless(), &sought_ownerless);
	if (sought_ownerless)
		ds_janitor_sought_ownerless();
	if (!done)
		ds_hint_visit(MyDatabaseId);
	left_nothing = done && ds_retention < 0;
}

/* Only workers that exist now: new ones check for themselves. */
static void
send_workers_away(void)
{
	ds_eviction_retire_workers(MyDatabaseId);
	ds_hint_forget_database(MyDatabaseId);
}

/* durable_singleton.request_visit(): also called by CREATE EXTENSION */
PGDLLEXPORT Datum
ds_request_visit(PG_FUNCTION_ARGS)
{
	if (ds_shared_is_there())
		ds_commit_hint_visit(MyDatabaseId);
	PG_RETURN_VOID();
}
