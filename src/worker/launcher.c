/*-------------------------------------------------------------------------
 *
 * launcher.c
 *	  Starts workers for the roles that have work, and janitors that search for
 *	  it.
 *
 * One process per cluster, connected to no database, so that it never blocks
 * dropping one.  It sleeps until there is a hint that no worker takes, or
 * until the next work becomes due.
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
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "base/settings.h"
#include "base/sleep.h"
#include "base/wait_event.h"
#include "commit/durability.h"
#include "commit/wal_flusher.h"
#include "shmem/blocked.h"
#include "shmem/claim.h"
#include "shmem/closed_databases.h"
#include "shmem/group.h"
#include "shmem/hints.h"
#include "shmem/incarnation.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"
#include "shmem/slot.h"
#include "shmem/slot_attach.h"
#include "worker/janitor_schedule.h"
#include "worker/worker.h"

/*
 * The time that a worker may stay although other roles wait: each of these
 * should get its first step within a second.  If very many wait, not less than
 * the minimum, because starting workers has a cost.
 */
#define SLICE_MS				800
#define MIN_SLICE_MS			50
/*
 * The number of hints that keep one worker busy; beyond it another one is
 * started.
 */
#define HINTS_PER_WORKER	200

extern PGDLLEXPORT void ds_launcher_main(Datum arg);

/* A worker started by the launcher whose end was not seen yet. */
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
	int			n_workers;		/* that it already has */
	TimestampTz last_served;
} Candidate;

/* The result of a survey of the groups. */
typedef struct Survey
{
	TimestampTz now;
	TimestampTz next;			/* when to check again */
	int			n_workers;		/* of all groups */
	int			n_starving;		/* candidates without any worker */
	int			n_candidates;
	Candidate  *candidates;		/* those with the fewest workers first */
} Survey;

static List *started = NIL;

static void forget_launcher(int code, Datum arg);
static void reap_workers(void);
static void survey_groups(Survey *survey);
static void survey_group(DsGroup *group, void *arg);
static bool has_much_work(const DsGroup *group);
static int	compare_candidates(const void *a, const void *b);
static bool group_has_starting_worker(const DsGroup *group);
static bool start_worker(const DsGroupKey *key);
static bool role_exists(Oid role);
static TimestampTz make_room(int n_workers, int n_starving);
static int	time_slice(int n_starving);
static bool is_at_work(const DsSlot *slot);
static void ask_to_leave(DsSlot *slot);
static void ignore_hints(void);
static void sleep_until(TimestampTz until);

void
ds_launcher_register(void)
{
	BackgroundWorker worker =
	ds_worker_template("ds_launcher_main", "durable_singleton launcher");

	worker.bgw_restart_time = 5;
	RegisterBackgroundWorker(&worker);
}

void
ds_launcher_main(Datum arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	ds_incarnation_note_first_xid();
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	ds_janitor_schedule_init();
	before_shmem_exit(forget_launcher, (Datum) 0);
	ds_shared_lock();
	ds_shared->launcher_latch = MyLatch;
	ds_shared->launcher_sleeps_until = DT_NOEND;
	ds_janitor_request_visit(InvalidOid, DT_NOBEGIN);
	ds_shared_unlock();
	ds_slot_abandon_starting();
	ds_wal_flusher_reset();
	ds_durability_start();
	pgstat_report_activity(STATE_IDLE, NULL);

	for (;;)
	{
		Survey		survey = {0};

		CHECK_FOR_INTERRUPTS();

		/*
		 * not 0, because then the postmaster would never restart the launcher
		 */
		if (ShutdownRequestPending)
			proc_exit(1);
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}

		reap_workers();
		ds_janitor_schedule_reap();
		survey.next = ds_claim_cancel_again();
		if (ds_enabled)
		{
			TimestampTz next_visit = ds_janitor_schedule_send();
			bool		out = false;

			survey_groups(&survey);
			survey.next = Min(survey.next, next_visit);
			/* max_workers was lowered */
			if (survey.n_workers > ds_max_workers)
				survey.next = Min(survey.next, make_room(0, 0));
			for (int i = 0; i < survey.n_candidates; i++)
			{
				/* the next round gets the slot of the retiring worker */
				if (survey.n_workers >= ds_max_workers)
				{
					survey.next = Min(survey.next, make_room(survey.candidates[i].n_workers,
															 survey.n_starving));
					break;
				}
				if (!start_worker(&survey.candidates[i].key))
				{
					out = true;
					survey.next = Min(survey.next,
									  TimestampTzPlusMilliseconds(survey.now,
																  DS_NO_WORKER_RETRY_MS));
					break;
				}
				survey.n_workers++;
			}
			ds_blocked_workers_are_out(out);
		}
		else
			ignore_hints();
		sleep_until(survey.next);
	}
}

/* Nothing may run: hints need not wake the launcher until the next reload. */
static void
ignore_hints(void)
{
	ds_shared_lock();
	ds_shared->launcher_sleeps_until = DT_NOBEGIN;
	ds_shared_unlock();
}

static void
forget_launcher(int code, Datum arg)
{
	ds_shared_lock();
	ds_shared->launcher_latch = NULL;
	ds_shared_unlock();
	ds_wal_flusher_reset();
}

/* Frees the slots of workers that ended without doing so. */
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

/*
 * Finds the groups that need a worker, and the time of the next check.  Until
 * this time is published, every hint wakes the launcher.
 */
static void
survey_groups(Survey *survey)
{
	static Candidate candidates[DS_MAX_GROUPS];

	survey->candidates = candidates;
	ds_shared_lock();
	survey->now = GetCurrentTimestamp();
	for (int i = 0; i < ds_slots->used; i++)
	{
		if (ds_slots->slot[i].state != DS_SLOT_FREE &&
			ds_slots->slot[i].state != DS_SLOT_CRASHED && !ds_slots->slot[i].foreground)
			survey->n_workers++;
	}
	ds_group_each(survey_group, survey);
	ds_shared->launcher_sleeps_until = survey->next;
	ds_shared_unlock();
	qsort(survey->candidates, survey->n_candidates, sizeof(Candidate),
		  compare_candidates);
}

static void
survey_group(DsGroup *group, void *arg)
{
	Survey	   *survey = arg;
	TimestampTz due;			/* 0: nothing to do */
	Candidate  *candidate;
	bool		needs;

	/* when does the group have work? */
	due = ds_group_has_work(group) ? survey->now : ds_group_next_due(group);
	if (due == DS_NO_TIME)
	{
		if (group->n_workers == 0)
			ds_group_drop(group);
		return;
	}
	due = Max(due, group->not_before);
	if (ds_closed_databases_has(group->key.database))
		return;					/* the process that closed it wakes the
								 * launcher again */
	if (group_has_starting_worker(group))
		return;
	if (due > survey->now)
	{
		survey->next = Min(survey->next, due);
		return;
	}
	if (ds_group_wake_idle_worker(group))
	{
		/* it may just be about to take another hint, and be busy for long */
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

		/* all are busy: has a hint waited for long, or are there many? */
		needs = look <= survey->now || has_much_work(group);
		if (!needs)
			survey->next = Min(survey->next, look);
	}
	if (!needs)
		return;
	/* if it gets none now, hints need not wake the launcher until then */
	survey->next = Min(survey->next,
					   TimestampTzPlusMilliseconds(survey->now,
												   DS_BUSY_CHECK_MS));
	candidate = &survey->candidates[survey->n_candidates++];
	candidate->key = group->key;
	candidate->n_workers = group->n_workers;
	if (group->n_workers == 0)
		survey->n_starving++;
	candidate->last_served = group->last_served;
}

/* Hints that represent more work, to be found by a search, count as many. */
static bool
has_much_work(const DsGroup *group)
{
	int			n = ds_group_n_hints(group);

	return n > group->n_workers * HINTS_PER_WORKER ||
		(n > HINTS_PER_WORKER && ds_group_is_searched(group));
}

/*
 * The group with the fewest workers comes first; of those, the one waiting
 * longest.
 */
static int
compare_candidates(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->n_workers != y->n_workers)
		return x->n_workers < y->n_workers ? -1 : 1;
	if (x->last_served != y->last_served)
		return x->last_served < y->last_served ? -1 : 1;
	return 0;
}

/* A starting worker will look for hints itself. */
static bool
group_has_starting_worker(const DsGroup *group)
{

	for (int i = 0; i < ds_slots->used; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];

		if (slot->state == DS_SLOT_STARTING && slot->role == group->key.role &&
			slot->database == group->key.database)
			return true;
	}
	return false;
}

/* False: no background worker is available at the moment. */
static bool
start_worker(const DsGroupKey *key)
{
	BackgroundWorker worker =
	ds_worker_template("ds_worker_main", "durable_singleton worker");
	DsWorkerOrder order = {.database = key->database,.role = key->role};
	MemoryContext old;
	Started    *s;

	/* a role or database that was dropped, or does not allow connections */
	if (!role_exists(key->role) || !ds_janitor_schedule_is_open(key->database))
	{
		ds_hint_forget_group(key);
		return true;
	}
	order.slot = ds_slot_reserve(key->database, key->role, &order.generation);
	if (order.slot < 0)
		return false;
	memcpy(worker.bgw_extra, &order, sizeof(order));
	s = MemoryContextAlloc(TopMemoryContext, sizeof(Started));
	s->slot = order.slot;
	s->generation = order.generation;
	if (!ds_worker_start(&worker, &s->handle))
	{
		ds_slot_abandon(order.slot, order.generation, false);
		pfree(s);
		return false;
	}
	old = MemoryContextSwitchTo(TopMemoryContext);
	started = lappend(started, s);
	MemoryContextSwitchTo(old);
	return true;
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

/*
 * Called when roles are waiting and all workers are in use.  Asks an idle
 * worker to retire; if there is none, asks the workers of the role with the
 * most workers, provided it has at least two more than the waiting role (which
 * has n_workers), or the waiting role has none.  All workers of that role are
 * asked, because their steps may be long; the first one to retire withdraws
 * the requests to the others (ds_slot_retire).  Returns when to check again.
 */
static TimestampTz
make_room(int n_workers, int n_starving)
{
	TimestampTz now = GetCurrentTimestamp();
	int			slice_ms = time_slice(n_starving);
	TimestampTz next = TimestampTzPlusMilliseconds(now, slice_ms);
	DsSlot	   *idle = NULL;
	int			most = n_workers == 0 ? 1 : n_workers + 2;

	ds_shared_lock();
	for (int i = 0; i < ds_slots->used && idle == NULL; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];
		DsGroup    *group;

		if (!is_at_work(slot) || slot->leave)
			continue;
		group = ds_group_get(slot->database, slot->role, false);
		/* a worker that is still connecting has not used its time slice */
		if (slot->state == DS_SLOT_IDLE &&
			(group == NULL || !ds_group_has_due_work(group, now)))
			idle = slot;
		else if (group != NULL)
			most = Max(most, group->n_workers);
	}
	if (idle != NULL)
		ask_to_leave(idle);
	for (int i = 0; i < ds_slots->used && idle == NULL; i++)
	{
		DsSlot	   *slot = &ds_slots->slot[i];
		DsGroup    *group;

		if (!is_at_work(slot) || slot->leave)
			continue;
		group = ds_group_get(slot->database, slot->role, false);
		if (group == NULL || group->n_workers < most)
			continue;
		/* its time slice is over */
		if (TimestampDifferenceExceeds(slot->attached, now, slice_ms))
			ask_to_leave(slot);
		else
			next = Min(next, TimestampTzPlusMilliseconds(slot->attached,
														 slice_ms + 1));
	}
	ds_shared_unlock();
	return next;
}

/*
 * How long a worker may stay while a role has none, in milliseconds.  The more
 * roles wait, the shorter, so that the last one does not wait for long.
 */
static int
time_slice(int n_starving)
{
	int64		share = SLICE_MS * (int64) ds_max_workers / Max(n_starving, 1);

	return Max(Min(share, SLICE_MS), MIN_SLICE_MS);
}

/* A worker that can be asked to retire. */
static bool
is_at_work(const DsSlot *slot)
{
	return !slot->foreground &&
		(slot->state == DS_SLOT_IDLE || slot->state == DS_SLOT_BUSY);
}

static void
ask_to_leave(DsSlot *slot)
{
	slot->leave = true;
	SetLatch(slot->latch);
}

/* Sleeps, or flushes the WAL, until woken or until that time. */
static void
sleep_until(TimestampTz until)
{
	int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;
	long		timeout = -1;

	while (ds_wal_flusher_flush())
	{
		CHECK_FOR_INTERRUPTS();
		if (MyLatch->is_set || GetCurrentTimestamp() >= until)
			break;
	}
	if (!TIMESTAMP_NOT_FINITE(until))
	{
		events |= WL_TIMEOUT;
		timeout = ds_sleep_time(TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
																until));
	}
	(void) WaitLatch(MyLatch, events, timeout, ds_wait_event(DS_WAIT_LAUNCHER));
	ResetLatch(MyLatch);
}
