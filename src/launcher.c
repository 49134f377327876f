/*-------------------------------------------------------------------------
 *
 * launcher.c
 *	  Starts workers for the roles that have work, and janitors that look for
 *	  it.
 *
 * One process a cluster, connected to no database, so that it never stands in
 * the way of dropping one.  It sleeps until somebody hints at work that no
 * worker takes, or until the next time that something is due.
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
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "eviction.h"
#include "hints.h"
#include "hub.h"
#include "settings.h"
#include "slot.h"
#include "worker.h"

/* When no background worker can be had, try again then. */
#define NO_WORKER_RETRY_MS	1000
/* A janitor that could not finish its visit is sent again after that, ... */
#define VISIT_RETRY_MS		2000
/* ... and if it fails time after time, ever more seldom. */
#define MAX_VISIT_RETRY_MS	60000
/* A worker may stay so long even if other roles wait. */
#define ROTATION_MS			1000
/* So many hints keep one worker busy; for more there is another one. */
#define HINTS_PER_WORKER	200

extern PGDLLEXPORT void ds_launcher_main(Datum arg);

/* A database as the last janitor found it. */
typedef struct KnownDatabase
{
	Oid			oid;			/* hash key */
	bool		present;		/* seen in the last scan of pg_database */
	bool		has_extension;
	bool		told_paused;
} KnownDatabase;

/* A worker we started and whose end we have not seen. */
typedef struct Started
{
	BackgroundWorkerHandle *handle;
	int			slot;
	uint32		generation;
} Started;

/* A group that needs a worker. */
typedef struct Candidate
{
	DsGroupKey	key;
	bool		starving;		/* it has none at all */
	TimestampTz last_served;
} Candidate;

/* What a look at the groups finds. */
typedef struct Survey
{
	TimestampTz now;
	TimestampTz next;			/* when to look again */
	int			n_workers;		/* of all groups */
	int			n_candidates;
	Candidate  *candidates;		/* the neediest first */
	int			n_starving;
} Survey;

static HTAB *known_databases;
static List *visits = NIL;		/* oids of databases to visit */
static List *started = NIL;
static List *failed_visits = NIL;	/* oids of databases to visit again */
static TimestampTz retry_visits = 0;
static BackgroundWorkerHandle *janitor = NULL;
static TimestampTz next_rescan = 0;
static bool told_no_worker = false;

static void forget_launcher(int code, Datum arg);
static void reap_workers(void);
static void reap_janitor(void);
static char *database_name(Oid database);
static void take_visit_requests(void);
static void scan_databases(void);
static void start_janitor(void);
static void survey_groups(Survey *survey);
static void survey_group(DsGroup *group, void *arg);
static int	compare_candidates(const void *a, const void *b);
static bool group_has_starting_worker(const DsGroup *group);
static void start_worker(const DsGroupKey *key);
static bool role_exists(Oid role);
static bool database_is_open(Oid database);
static void make_room(void);
static bool start_background(BackgroundWorker *worker,
							 BackgroundWorkerHandle **handle);
static void sleep_until(TimestampTz until);

void
ds_launcher_register(void)
{
	BackgroundWorker worker =
	ds_background_worker("ds_launcher_main", "durable_singleton launcher");

	worker.bgw_restart_time = 5;
	RegisterBackgroundWorker(&worker);
}

void
ds_launcher_main(Datum arg)
{
	HASHCTL		info = {.keysize = sizeof(Oid),.entrysize = sizeof(KnownDatabase)};

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	known_databases = hash_create("durable_singleton databases", 64, &info,
								  HASH_ELEM | HASH_BLOBS);
	before_shmem_exit(forget_launcher, (Datum) 0);
	ds_hub_lock();
	ds_hub->launcher_latch = MyLatch;
	ds_hub->launcher_sleeps_until = DT_NOEND;
	ds_hub->visit_all = true;
	ds_hub_unlock();
	ds_slot_abandon_starting();
	pgstat_report_activity(STATE_IDLE, NULL);

	for (;;)
	{
		Survey		survey = {0};

		CHECK_FOR_INTERRUPTS();
		/* not 0: the postmaster would never start us again */
		if (ShutdownRequestPending)
			proc_exit(1);
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}

		reap_workers();
		reap_janitor();
		survey.next = DT_NOEND;
		if (ds_enabled)
		{
			take_visit_requests();
			if (visits != NIL && janitor == NULL)
				start_janitor();
			survey_groups(&survey);
			for (int i = 0; i < survey.n_candidates; i++)
			{
				if (survey.n_workers >= ds_max_workers)
					break;
				start_worker(&survey.candidates[i].key);
				survey.n_workers++;
			}
			if (survey.n_starving > 0 && survey.n_workers >= ds_max_workers)
			{
				make_room();
				survey.next = Min(survey.next,
								  TimestampTzPlusMilliseconds(survey.now,
															  ROTATION_MS));
			}
			if (told_no_worker)
				survey.next = Min(survey.next,
								  TimestampTzPlusMilliseconds(survey.now,
															  NO_WORKER_RETRY_MS));
			if (next_rescan != 0)
				survey.next = Min(survey.next, next_rescan);
			if (failed_visits != NIL)
				survey.next = Min(survey.next, retry_visits);
		}
		sleep_until(survey.next);
	}
}

static void
forget_launcher(int code, Datum arg)
{
	ds_hub_lock();
	ds_hub->launcher_latch = NULL;
	ds_hub_unlock();
}

/* Slots of workers that ended without giving them back are free again. */
static void
reap_workers(void)
{
	ListCell   *cell;

	foreach(cell, started)
	{
		Started    *s = lfirst(cell);
		pid_t		pid;

		if (GetBackgroundWorkerPid(s->handle, &pid) != BGWH_STOPPED)
			continue;
		ds_slot_abandon(s->slot, s->generation, true);
		pfree(s->handle);
		pfree(s);
		started = foreach_delete_current(started, cell);
	}
}

static void
reap_janitor(void)
{
	static Oid	last_failed = InvalidOid;
	static int	n_failures = 0;
	pid_t		pid;
	Oid			database;
	bool		done;
	bool		found;
	bool		may_run;
	bool		closed;

	if (janitor == NULL ||
		GetBackgroundWorkerPid(janitor, &pid) != BGWH_STOPPED)
		return;
	pfree(janitor);
	janitor = NULL;

	ds_hub_lock();
	database = ds_hub->janitor_database;
	done = ds_hub->janitor_done;
	found = ds_hub->janitor_found_extension;
	may_run = ds_hub->janitor_may_run;
	closed = ds_is_closed(database);
	ds_hub->janitor_database = InvalidOid;
	ds_hub_unlock();

	if (!done && !closed && database_is_open(database))
	{
		/* a lock that somebody holds for long, perhaps */
		MemoryContextSwitchTo(TopMemoryContext);
		failed_visits = list_append_unique_oid(failed_visits, database);
		n_failures = database == last_failed ? n_failures + 1 : 0;
		last_failed = database;
		retry_visits =
			TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										Min(VISIT_RETRY_MS << Min(n_failures, 10),
											MAX_VISIT_RETRY_MS));
	}
	if (done)
	{
		KnownDatabase *known;
		bool		old;

		known = hash_search(known_databases, &database, HASH_ENTER, &old);
		if (!old)
			memset((char *) known + sizeof(Oid), 0, sizeof(*known) - sizeof(Oid));
		known->present = true;
		known->has_extension = found;
		if (found && !may_run && !known->told_paused)
			ereport(WARNING,
					(errmsg("orchestrations in database \"%s\" are paused",
							database_name(database)),
					 errdetail("The database was restored or copied from another one, where they may still run."),
					 errhint("Run SELECT df_adopt_database() in it to run them here.")));
		known->told_paused = found && !may_run;
	}
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
take_visit_requests(void)
{
	TimestampTz now = GetCurrentTimestamp();
	Oid			requested[DS_MAX_VISITS];
	int			n;
	bool		all;

	ds_hub_lock();
	n = ds_hub->n_visits;
	memcpy(requested, ds_hub->visits, n * sizeof(Oid));
	all = ds_hub->visit_all;
	ds_hub->n_visits = 0;
	ds_hub->visit_all = false;
	ds_hub_unlock();

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
		next_rescan = 0;
	else if (next_rescan == 0 ||
			 next_rescan > TimestampTzPlusMilliseconds(now, ds_rescan_interval * INT64CONST(1000)))
		next_rescan = TimestampTzPlusMilliseconds(now, ds_rescan_interval * INT64CONST(1000));
	if (all || (next_rescan != 0 && now >= next_rescan))
	{
		scan_databases();
		if (ds_rescan_interval > 0)
			next_rescan = TimestampTzPlusMilliseconds(now, ds_rescan_interval * INT64CONST(1000));
	}
}

/*
 * All databases that have the extension, or might, are to be visited.  Those
 * known to be without it are left alone: CREATE EXTENSION asks for a visit.
 */
static void
scan_databases(void)
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
		if (!db->datallowconn || db->datistemplate ||
			(known != NULL && !known->has_extension))
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
			ds_forget_database(known->oid);
			hash_search(known_databases, &known->oid, HASH_REMOVE, NULL);
		}
	}
}

static void
start_janitor(void)
{
	BackgroundWorker worker =
	ds_background_worker("ds_janitor_main", "durable_singleton janitor");
	Oid			database = linitial_oid(visits);

	ds_hub_lock();
	ds_hub->janitor_database = database;
	ds_hub->janitor_pid = 0;
	ds_hub->janitor_done = false;
	ds_hub_unlock();

	worker.bgw_main_arg = ObjectIdGetDatum(database);
	if (start_background(&worker, &janitor))
		visits = list_delete_first(visits);
}

/*
 * Which groups need a worker, and when is the next look?  Until that time is
 * published, everybody with a hint wakes us.
 */
static void
survey_groups(Survey *survey)
{
	/* groups may be a few more than DS_MAX_GROUPS, but not twice as many */
	static Candidate candidates[2 * DS_MAX_GROUPS];
	DsSlot	   *slots = ds_hub_slots();

	survey->candidates = candidates;
	ds_hub_lock();
	survey->now = GetCurrentTimestamp();
	for (int i = 0; i < ds_hub->slots_used; i++)
	{
		if (slots[i].state != DS_SLOT_FREE && !slots[i].foreground)
			survey->n_workers++;
	}
	ds_hub_each_group(survey_group, survey);
	ds_hub->launcher_sleeps_until = survey->next;
	ds_hub_unlock();
	qsort(survey->candidates, survey->n_candidates, sizeof(Candidate),
		  compare_candidates);
}

static void
survey_group(DsGroup *group, void *arg)
{
	Survey	   *survey = arg;
	TimestampTz due = 0;		/* 0: nothing to do */
	Candidate  *candidate;
	bool		needs;

	/* when does the group have something to do? */
	if (group->n_hints > 0 || group->rescan)
		due = survey->now;
	else
	{
		due = group->next_wake;
		if (group->retry_time != 0 && (due == 0 || group->retry_time < due))
			due = group->retry_time;
	}
	if (due == 0)
	{
		if (group->n_workers == 0)
			ds_hub_drop_group(group);
		return;
	}
	due = Max(due, group->not_before);
	if (ds_is_closed(group->key.database))
		return;					/* whoever closed it wakes us again */
	if (group_has_starting_worker(group))
		return;
	if (due > survey->now)
	{
		survey->next = Min(survey->next, due);
		return;
	}
	if (ds_wake_idle_worker(group))
	{
		/* it may just be about to take another hint, and be away for long */
		survey->next = Min(survey->next,
						   TimestampTzPlusMilliseconds(survey->now,
													   DS_BUSY_CHECK_MS));
		return;
	}

	if (group->n_workers == 0)
		needs = true;
	else if (group->n_workers >= ds_workers_per_role)
		needs = false;
	else
	{
		TimestampTz look = TimestampTzPlusMilliseconds(group->last_pop,
													   DS_BUSY_CHECK_MS);

		/* all are busy: has a hint lain there for long, or are there many? */
		needs = look <= survey->now ||
			group->n_hints > group->n_workers * HINTS_PER_WORKER;
		if (!needs)
			survey->next = Min(survey->next, look);
	}
	if (!needs)
		return;
	/* if it does not get one now, hints need not wake us until then */
	survey->next = Min(survey->next,
					   TimestampTzPlusMilliseconds(survey->now,
												   DS_BUSY_CHECK_MS));
	if (group->n_workers == 0)
		survey->n_starving++;
	candidate = &survey->candidates[survey->n_candidates++];
	candidate->key = group->key;
	candidate->starving = group->n_workers == 0;
	candidate->last_served = group->last_served;
}

/* Roles without any worker first; of those, who has waited longest. */
static int
compare_candidates(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->starving != y->starving)
		return x->starving ? -1 : 1;
	if (x->last_served != y->last_served)
		return x->last_served < y->last_served ? -1 : 1;
	return 0;
}

/* It will look around when it is up. */
static bool
group_has_starting_worker(const DsGroup *group)
{
	DsSlot	   *slots = ds_hub_slots();

	for (int i = 0; i < ds_hub->slots_used; i++)
	{
		DsSlot	   *slot = &slots[i];

		if (slot->state == DS_SLOT_STARTING && slot->role == group->key.role &&
			slot->database == group->key.database)
			return true;
	}
	return false;
}

static void
start_worker(const DsGroupKey *key)
{
	BackgroundWorker worker =
	ds_background_worker("ds_worker_main", "durable_singleton worker");
	DsWorkerOrder order = {.database = key->database,.role = key->role};
	Started    *s;

	/* what was dropped, or lets nobody in, has no work */
	if (!role_exists(key->role) || !database_is_open(key->database))
	{
		ds_forget_group(key);
		return;
	}
	order.slot = ds_slot_reserve(key->database, key->role, &order.generation);
	if (order.slot < 0)
		return;
	memcpy(worker.bgw_extra, &order, sizeof(order));
	s = MemoryContextAlloc(TopMemoryContext, sizeof(Started));
	s->slot = order.slot;
	s->generation = order.generation;
	if (start_background(&worker, &s->handle))
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		started = lappend(started, s);
		MemoryContextSwitchTo(old);
	}
	else
	{
		ds_slot_abandon(order.slot, order.generation, false);
		pfree(s);
	}
}

static bool
role_exists(Oid role)
{
	MemoryContext old = CurrentMemoryContext;
	bool		found;

	StartTransactionCommand();
	found = SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role));
	CommitTransactionCommand();
	MemoryContextSwitchTo(old);
	return found;
}

/* It exists, and workers may connect to it. */
static bool
database_is_open(Oid database)
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

/*
 * Roles wait and all workers are taken: one shall go, an idle one at best,
 * else, after its step, one of the role that has the most.  If that step takes
 * long, another one is asked.
 */
static void
make_room(void)
{
	DsSlot	   *slots = ds_hub_slots();
	TimestampTz now = GetCurrentTimestamp();
	DsSlot	   *chosen = NULL;
	int			chosen_rank = -1;
	bool		on_its_way = false;

	ds_hub_lock();
	for (int i = 0; i < ds_hub->slots_used; i++)
	{
		DsSlot	   *slot = &slots[i];
		DsGroup    *group;
		int			rank;

		if (slot->foreground ||
			(slot->state != DS_SLOT_IDLE && slot->state != DS_SLOT_BUSY))
			continue;
		if (slot->leave)
		{
			if (!TimestampDifferenceExceeds(slot->leave_since, now, ROTATION_MS))
				on_its_way = true;
			continue;
		}
		group = ds_hub_group(slot->database, slot->role, false);
		rank = group ? group->n_workers : 0;
		if (slot->state == DS_SLOT_IDLE)
			rank += ds_hub->n_slots;
		else if (!TimestampDifferenceExceeds(slot->attached, now, ROTATION_MS))
			continue;
		if (rank > chosen_rank)
		{
			chosen = slot;
			chosen_rank = rank;
		}
	}
	if (chosen != NULL && (!on_its_way || chosen->state == DS_SLOT_IDLE))
	{
		chosen->leave = true;
		chosen->leave_since = now;
		SetLatch(chosen->latch);
	}
	ds_hub_unlock();
}

static bool
start_background(BackgroundWorker *worker, BackgroundWorkerHandle **handle)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	bool		done;

	worker->bgw_notify_pid = MyProcPid;
	done = RegisterDynamicBackgroundWorker(worker, handle);
	MemoryContextSwitchTo(old);
	if (!done && !told_no_worker)
		ereport(WARNING,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("out of background worker slots for orchestrations"),
				 errhint("You might need to increase max_worker_processes.")));
	told_no_worker = !done;
	return done;
}

static void
sleep_until(TimestampTz until)
{
	int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;
	long		timeout = -1;

	if (!TIMESTAMP_NOT_FINITE(until))
	{
		events |= WL_TIMEOUT;
		timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), until);
	}
	(void) WaitLatch(MyLatch, events, timeout, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}
