/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  A background worker: runs the instances of one role in one database.
 *
 * It connects as that role and keeps it for life, so that no plan, interpreter
 * or cache ever crosses a privilege boundary.  The launcher starts it on
 * demand; it takes hints from its group's queue until there have been none for
 * worker_idle_timeout.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/no_time.h"
#include "base/settings.h"
#include "base/sleep.h"
#include "base/wait_event.h"
#include "commit/transaction.h"
#include "execution/run_cache.h"
#include "execution/runner.h"
#include "function/fresh_worker.h"
#include "function/trust.h"
#include "instance/home.h"
#include "shmem/claim.h"
#include "shmem/closed_databases.h"
#include "shmem/crash_notes.h"
#include "shmem/group_search.h"
#include "shmem/hints.h"
#include "shmem/shared.h"
#include "shmem/slot.h"
#include "shmem/slot_attach.h"
#include "store/catalog.h"
#include "store/store.h"
#include "store/table.h"
#include "store/work_search.h"
#include "worker/worker.h"

#define RETRY_MS		1000

extern PGDLLEXPORT void ds_worker_main(Datum arg);

static void handle_terminate(void);
static void attach_and_connect(void);
static void check_identity(void);
static bool may_work_here(void);
static void forget_my_group(void);
static void work(void);
static bool go_on_searching(bool *searched);
static bool search_for_work(DsWorkSearch *search);
static bool rest(TimestampTz idle_since);
static void run_hint(const DsWork *work);
static bool others_wait(void);
static bool must_stop(void);
static bool must_leave(void);
static long time_to_sleep(TimestampTz idle_since);

BackgroundWorker
ds_worker_template(const char *function, const char *type)
{
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, DS_LIBRARY, sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, function, sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_type, type, sizeof(worker.bgw_type));
	strlcpy(worker.bgw_name, type, sizeof(worker.bgw_name));
	return worker;
}

bool
ds_worker_start(BackgroundWorker *worker, BackgroundWorkerHandle **handle)
{
	static bool told = false;
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	bool		done;

	worker->bgw_notify_pid = MyProcPid;
	done = RegisterDynamicBackgroundWorker(worker, handle);
	MemoryContextSwitchTo(old);
	if (!done && !told)
		ereport(WARNING,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("out of background worker slots for orchestrations"),
				 errhint("You might need to increase max_worker_processes.")));
	told = !done;
	return done;
}

void
ds_worker_main(Datum arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	handle_terminate();
	pqsignal(SIGQUIT, ds_crash_notes_worker_handler);
	pqsignal(SIGUSR2, ds_claim_cancel_handler);
	BackgroundWorkerUnblockSignals();

	attach_and_connect();
	if (!may_work_here())
	{
		forget_my_group();
		ds_slot_retire(true);
		proc_exit(0);
	}
	work();
	proc_exit(0);
}

/* Like die(), but it knows the sender of the signal. */
static void
handle_terminate(void)
{
	struct sigaction action = {0};

	action.sa_sigaction = ds_slot_terminate_handler;
	action.sa_flags = SA_SIGINFO | SA_RESTART;
	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
}

static void
attach_and_connect(void)
{
	DsWorkerOrder order;
	bool		closed;

	memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof(order));

	/*
	 * first, so that a command that drops the database can send this worker
	 * away
	 */
	if (!ds_slot_attach(order.slot, order.generation))
		proc_exit(0);
	ds_shared_lock_to_look();
	closed = ds_closed_databases_has(order.database);
	ds_shared_unlock();
	if (closed)
	{
		ds_slot_retire(true);
		proc_exit(0);
	}

	BackgroundWorkerInitializeConnectionByOid(order.database, order.role,
											  BGWORKER_BYPASS_ROLELOGINCHECK);

	/*
	 * ALTER ROLE ... SET role = ... would switch to another role; steps run
	 * only as the owner.
	 */
	ds_transaction_begin();

	/*
	 * as in a session of the role: these libraries may restrict or audit its
	 * actions
	 */
	process_session_preload_libraries();
	SetConfigOption("role", "none", PGC_SUSET, PGC_S_OVERRIDE);
	/* it would end the worker; statement_timeout limits a step */
	if (DS_COMPAT_HAS_TRANSACTION_TIMEOUT)
		SetConfigOption("transaction_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	ds_trust_begin();
	ds_transaction_commit();
	check_identity();
}

/*
 * Whatever user code did, the next step runs as the role of the slot: a worker
 * with any other identity would be dangerous.
 */
static void
check_identity(void)
{
	Oid			role = ds_my_slot->role;

	if (GetUserId() != role || GetSessionUserId() != role ||
		GetAuthenticatedUserId() != role)
		ereport(FATAL,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("worker for role with OID %u runs as another role",
						role)));
}

/*
 * Hints would start workers in vain again and again.  A janitor finds the
 * cause, or the work if the cause is gone.
 */
static void
forget_my_group(void)
{
	DsGroupKey	key = {.database = MyDatabaseId,.role = ds_my_slot->role};

	ds_hint_forget_group(&key);
	if (ds_enabled)
		ds_hint_visit(MyDatabaseId);
}

/*
 * Is the extension installed, in a known version, at home, and allowed to run?
 */
static bool
may_work_here(void)
{
	bool		may;

	ds_transaction_begin();
	may = ds_enabled && ds_catalog(true) != NULL && ds_table_all_fit() &&
		ds_home_is_here();
	ds_transaction_commit();
	return may;
}

static void
work(void)
{
	MemoryContext cxt = AllocSetContextCreate(TopMemoryContext,
											  "durable_singleton worker",
											  ALLOCSET_DEFAULT_SIZES);
	TimestampTz idle_since = GetCurrentTimestamp();
	DsWork		next;

	for (;;)
	{
		bool		searched;

		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		/* asked to retire, or sent away between two steps */
		if (ProcDiePending || must_leave())
		{
			ds_slot_retire(true);
			return;
		}
		/* a cancel that came too late is ignored */
		QueryCancelPending = false;
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(cxt);
		MemoryContextSwitchTo(cxt);

		check_identity();
		if (!go_on_searching(&searched))
		{
			forget_my_group();
			ds_slot_retire(true);
			return;
		}
		if (ds_slot_take_hint(&next))
		{
			run_hint(&next);
			ds_slot_has_worked();
			idle_since = GetCurrentTimestamp();
		}
		else if (!searched && !rest(idle_since))
			return;
	}
}

/*
 * Runs a batch of the group's search, if there is one and no other worker has
 * it. False: a search must begin, and this worker may not work here.
 */
static bool
go_on_searching(bool *searched)
{
	DsWorkSearch search;
	Oid			role = ds_my_slot->role;
	bool		begun;
	bool		kept;

	*searched = ds_group_search_take(MyDatabaseId, role, ds_home_stamp(),
									 &search, &begun);
	if (!*searched)
		return true;
	if (begun && !may_work_here())
		return false;
	kept = search_for_work(&search);
	ds_group_search_return(MyDatabaseId, role, &search, !kept);
	return true;
}

/*
 * Sleeps because there is no work.  False: after so long that the worker has
 * retired.
 */
static bool
rest(TimestampTz idle_since)
{
	long		timeout;

	ds_run_cache_clear();
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
	timeout = time_to_sleep(idle_since);
	/* exit, unless work has arrived */
	if (timeout == 0 && ds_slot_retire(false))
		return false;
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 timeout, ds_wait_event(DS_WAIT_WORKER));
	ResetLatch(MyLatch);
	return true;
}

static void
run_hint(const DsWork *work)
{
	DsRunLimits limits = {.steps_left = -1,.leave = must_stop,.yield = others_wait};
	char		activity[DS_MAX_ID_LENGTH + 64];

	/* only the id: payloads are confidential */
	snprintf(activity, sizeof(activity), "durable_singleton: %s",
			 work->instance_id);
	pgstat_report_activity(STATE_RUNNING, activity);

	switch (ds_runner_run(work, &limits))
	{
		case DS_RUN_NOT_READY:
		case DS_RUN_PROGRESS:
		case DS_RUN_UNFINISHED:
			break;
		case DS_RUN_TROUBLE:
			ds_hint_retry(MyDatabaseId, GetUserId(),
						  TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													  RETRY_MS));
			break;
	}
	pgstat_report_stat(false);
}

/*
 * Finds the next batch of the role's work in the tables, and sends hints.
 * False: there was no room for all of them.
 */
static bool
search_for_work(DsWorkSearch *search)
{
	TimestampTz next = DS_NO_TIME;
	List	   *found;
	ListCell   *cell;
	bool		kept = true;

	ds_transaction_begin();
	found = ds_work_search_next(search);
	if (ds_work_search_is_done(search))
		next = ds_store_next_wake(search->owner, search->begun);
	ds_transaction_commit();

	foreach(cell, found)
		kept &= ds_hint_ready(MyDatabaseId, search->owner, lfirst(cell));
	if (next != DS_NO_TIME)
		ds_hint_wake(MyDatabaseId, search->owner, next);
	return kept;
}

static bool
others_wait(void)
{
	return ds_hint_has_work(MyDatabaseId, GetUserId());
}

static bool
must_stop(void)
{
	return ConfigReloadPending || must_leave();
}

static bool
must_leave(void)
{
	return ds_my_slot->leave || ds_fresh_worker_is_spent() || !ds_enabled ||
		(ds_worker_max_lifetime > 0 &&
		 TimestampDifferenceExceeds(ds_my_slot->attached, GetCurrentTimestamp(),
									ds_worker_max_lifetime * 1000));
}

/* Milliseconds; 0: it is time to retire. */
static long
time_to_sleep(TimestampTz idle_since)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz until = TimestampTzPlusMilliseconds(idle_since,
													ds_worker_idle_timeout);
	TimestampTz next = ds_hint_next_wake(MyDatabaseId, GetUserId());

	if (until <= now)
		return 0;
	if (next != DS_NO_TIME && next < until)
		until = next;

	/*
	 * a due time in the past is searched for immediately, but not in a hot
	 * loop
	 */
	return Max(ds_sleep_time(TimestampDifferenceMilliseconds(now, until)), 1);
}
