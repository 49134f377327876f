/*-------------------------------------------------------------------------
 *
 * janitor_schedule.c
 *	  Decides which databases a janitor visits, and when.  Part of the
 *	  launcher.
 *
 * All of them when the server has started; those with the extension every
 * rescan_interval, if anything has happened in them; and any database on
 * request. One janitor runs at a time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "base/settings.h"
#include "commit/quota.h"
#include "shmem/closed_databases.h"
#include "shmem/counters.h"
#include "shmem/crashed_slots.h"
#include "shmem/hints.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"
#include "store/catalog.h"
#include "store/version.h"
#include "worker/database_idle.h"
#include "worker/janitor_schedule.h"
#include "worker/worker.h"

/*
 * A janitor that could not finish its visit is sent again after this time, ...
 */
#define VISIT_RETRY_MS		2000
/* ... and less and less often if it keeps failing. */
#define MAX_VISIT_RETRY_MS	60000

/* The state of a database at the last visit. */
typedef struct KnownDatabase
{
	Oid			oid;			/* hash key */
	bool		present;		/* found in the last scan of pg_database */
	bool		has_extension;
	bool		told_version;
	bool		told_paused;
	uint32		all_visits;		/* n_all_visits at the last complete visit */
	DsDatabaseIdle idle;		/* since the last visit */
} KnownDatabase;

static HTAB *known_databases;
static List *visits = NIL;		/* OIDs of databases to visit */
static List *failed_visits = NIL;	/* OIDs of databases to visit again */
static TimestampTz retry_visits = 0;
static BackgroundWorkerHandle *janitor = NULL;
static uint32 visited_in;		/* n_all_visits when the janitor was sent */
static int64 visited_after;		/* the database's transactions at that time */
static TimestampTz next_rescan = DS_NO_TIME;
static TimestampTz next_request = DT_NOEND; /* the next request to take */

/*
 * Counts how often all databases were to be visited, for example since a role
 * was dropped.  Only then must a janitor search for instances whose owner was
 * dropped, which reads all instances.
 */
static uint32 n_all_visits = 0;

static void note_failure(Oid database);
static void note_report(const DsJanitorReport *report);
static void tell(KnownDatabase *known, DsFinding finding, const char *version);
static char *database_name(Oid database);
static void plan_visits(void);
static void scan_databases(bool still_ones);
static void forget_dropped_statistics(void);
static bool start_janitor(void);

void
ds_janitor_schedule_init(void)
{
	HASHCTL		info = {.keysize = sizeof(Oid),.entrysize = sizeof(KnownDatabase)};

	known_databases = hash_create("durable_singleton databases", 64, &info,
								  HASH_ELEM | HASH_BLOBS);
}

void
ds_janitor_schedule_reap(void)
{
	pid_t		pid;
	DsJanitorReport report;
	bool		closed;

	if (janitor == NULL ||
		GetBackgroundWorkerPid(janitor, &pid) != BGWH_STOPPED)
		return;
	pfree(janitor);
	janitor = NULL;

	report = ds_janitor_take_report();
	ds_shared_lock_to_look();
	closed = ds_closed_databases_has(report.database);
	ds_shared_unlock();

	if (report.done)
		note_report(&report);
	else if (closed)
		return;
	else if (ds_janitor_schedule_is_open(report.database))
		note_failure(report.database);
	else
		ds_crashed_slots_forget(report.database);
}

/* A lock may be held for long. */
static void
note_failure(Oid database)
{
	static Oid	last_failed = InvalidOid;
	static int	n_failures = 0;

	MemoryContextSwitchTo(TopMemoryContext);
	failed_visits = list_append_unique_oid(failed_visits, database);
	n_failures = database == last_failed ? n_failures + 1 : 0;
	last_failed = database;
	retry_visits =
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
									Min(VISIT_RETRY_MS << Min(n_failures, 10),
										MAX_VISIT_RETRY_MS));
}

static void
note_report(const DsJanitorReport *report)
{
	KnownDatabase *known;
	bool		old;

	known = hash_search(known_databases, &report->database, HASH_ENTER, &old);
	if (!old)
		memset((char *) known + sizeof(Oid), 0, sizeof(*known) - sizeof(Oid));
	known->present = true;
	known->has_extension = report->finding != DS_FOUND_NOTHING;
	if (report->sought_ownerless)
		known->all_visits = visited_in;
	if (report->left_nothing)
		ds_database_idle_begin(&known->idle,
							   visited_after + report->n_transactions);
	else
		known->idle.known = false;
	tell(known, report->finding, report->version);
}

/* Logs, once, why orchestrations of a database do not run, or only in part. */
static void
tell(KnownDatabase *known, DsFinding finding, const char *version)
{
	bool		waits = finding == DS_FOUND_OTHER_VERSION;
	bool		paused = finding == DS_FOUND_AWAY;
	bool		differs = finding != DS_FOUND_NOTHING &&
	strcmp(version, ds_version_library()) != 0;

	if (waits && !differs && !known->told_version)
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("orchestrations in database \"%s\" wait: the tables of extension \"%s\" have been altered",
						database_name(known->oid), DS_EXTENSION_NAME),
				 errhint("Undo the ALTER TABLE.")));
	else if (differs && !known->told_version)
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 waits ?
				 errmsg("orchestrations in database \"%s\" wait because their tables do not match the version of the library",
						database_name(known->oid)) :
				 errmsg("version of extension \"%s\" in database \"%s\" does not match its library",
						DS_EXTENSION_NAME, database_name(known->oid)),
				 errdetail("The extension has version %s there, the library has version %s.",
						   version, ds_version_library()),
				 ds_version_errhint(version)));
	known->told_version = waits || differs;

	if (paused && !known->told_paused)
		ereport(WARNING,
				(errmsg("orchestrations in database \"%s\" are paused",
						database_name(known->oid)),
				 errdetail("The database was restored or copied from another one, where they may still run."),
				 errhint("Run SELECT df_adopt_database() in it to run them here.")));
	known->told_paused = paused;
}

TimestampTz
ds_janitor_schedule_send(void)
{
	TimestampTz next = DT_NOEND;

	plan_visits();
	if (visits != NIL && janitor == NULL && !start_janitor())
		next = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										   DS_NO_WORKER_RETRY_MS);
	next = Min(next, next_request);
	if (next_rescan != DS_NO_TIME)
		next = Min(next, next_rescan);
	if (failed_visits != NIL)
		next = Min(next, retry_visits);
	return next;
}

bool
ds_janitor_schedule_is_open(Oid database)
{
	MemoryContext old = CurrentMemoryContext;
	HeapTuple	tuple;
	bool		open = false;

	StartTransactionCommand();
	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
	if (HeapTupleIsValid(tuple))
	{
		open = ((Form_pg_database) GETSTRUCT(tuple))->datallowconn;
		ReleaseSysCache(tuple);
	}
	CommitTransactionCommand();
	MemoryContextSwitchTo(old);
	return open;
}

static char *
database_name(Oid database)
{
	MemoryContext caller = CurrentMemoryContext;
	char	   *name;

	StartTransactionCommand();
	name = get_database_name(database);
	name = MemoryContextStrdup(caller, name ? name : "?");
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
	return name;
}

static void
plan_visits(void)
{
	TimestampTz now = GetCurrentTimestamp();
	Oid			requested[DS_MAX_VISITS];
	int			n;
	bool		all;

	n = ds_janitor_take_requests(now, requested, &all, &next_request);
	if (all)
		n_all_visits++;
	MemoryContextSwitchTo(TopMemoryContext);
	for (int i = 0; i < n; i++)
		visits = list_append_unique_oid(visits, requested[i]);
	if (failed_visits != NIL && now >= retry_visits)
	{
		visits = list_concat_unique_oid(visits, failed_visits);
		list_free(failed_visits);
		failed_visits = NIL;
	}
	if (ds_rescan_interval == 0)
		next_rescan = DS_NO_TIME;
	else if (next_rescan == DS_NO_TIME ||
			 next_rescan > TimestampTzPlusMilliseconds(now, ds_rescan_interval * INT64CONST(1000)))
		next_rescan = TimestampTzPlusMilliseconds(now, ds_rescan_interval * INT64CONST(1000));
	if (all || (next_rescan != DS_NO_TIME && now >= next_rescan))
	{
		scan_databases(all);
		forget_dropped_statistics();
		if (ds_rescan_interval > 0)
			next_rescan = TimestampTzPlusMilliseconds(now, ds_rescan_interval * INT64CONST(1000));
	}
}

/*
 * Schedules visits to all databases that have the extension, or might.  Those
 * known to be without it are skipped: CREATE EXTENSION requests a visit.
 * still_ones: also idle databases.
 */
static void
scan_databases(bool still_ones)
{
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;
	HASH_SEQ_STATUS seq;
	KnownDatabase *known;
	List	   *found = NIL;
	ListCell   *cell;
	MemoryContext old = CurrentMemoryContext;

	hash_seq_init(&seq, known_databases);
	while ((known = hash_seq_search(&seq)) != NULL)
		known->present = false;

	StartTransactionCommand();
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database db = (Form_pg_database) GETSTRUCT(tuple);
		MemoryContext in_transaction;

		known = hash_search(known_databases, &db->oid, HASH_FIND, NULL);
		if (known != NULL)
			known->present = true;
		if (!db->datallowconn ||
			(known != NULL && !known->has_extension) ||
			(known != NULL && !still_ones &&
			 ds_database_idle_check(&known->idle, db->oid)))
			continue;
		in_transaction = MemoryContextSwitchTo(TopMemoryContext);
		found = lappend_oid(found, db->oid);
		MemoryContextSwitchTo(in_transaction);
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(TopMemoryContext);
	foreach(cell, found)
		visits = list_append_unique_oid(visits, lfirst_oid(cell));
	list_free(found);
	MemoryContextSwitchTo(old);

	hash_seq_init(&seq, known_databases);
	while ((known = hash_seq_search(&seq)) != NULL)
	{
		if (!known->present)
		{
			ds_hint_forget_database(known->oid);
			ds_quota_forget_database(known->oid);
			hash_search(known_databases, &known->oid, HASH_REMOVE, NULL);
		}
	}
}

/*
 * Includes databases that no janitor has visited.  A database that has
 * statistics but is not in the catalog afterwards has been dropped: nothing
 * can be counted for a database before it exists.
 */
static void
forget_dropped_statistics(void)
{
	MemoryContext old = CurrentMemoryContext;
	Oid		   *databases;
	int			n = ds_counters_databases(&databases);

	StartTransactionCommand();
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(databases[i])))
			ds_counters_forget(databases[i]);
	}
	CommitTransactionCommand();
	MemoryContextSwitchTo(old);
	pfree(databases);
}

static bool
start_janitor(void)
{
	BackgroundWorker worker =
	ds_worker_template("ds_janitor_main", "durable_singleton janitor");
	Oid			database = linitial_oid(visits);
	KnownDatabase *known = hash_search(known_databases, &database, HASH_FIND,
									   NULL);

	visited_in = n_all_visits;
	visited_after = ds_database_idle_n_ended(database);
	ds_janitor_order(database,
					 known == NULL || known->all_visits != n_all_visits);

	worker.bgw_main_arg = ObjectIdGetDatum(database);
	if (!ds_worker_start(&worker, &janitor))
		return false;
	visits = list_delete_first(visits);
	return true;
}
