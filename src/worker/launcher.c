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

#include "base/settings.h"
#include "base/sleep.h"
#include "base/wait_event.h"
#include "commit/durability.h"
#include "commit/wal_flusher.h"
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
 * A worker may stay so long even if other roles wait: each shall get its first
 * step within a second.  If very many wait, not less than that: to start
 * workers is not for nothing.
 */
#define TURN_MS				800
#define MIN_TURN_MS			50
/* So many hints keep one worker busy; for more there is another one. */
#define HINTS_PER_WORKER	200

extern PGDLLEXPORT void ds_launcher_main(Datum arg);

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
	int			n_workers;		/* that it has already */
	TimestampTz last_served;
} Candidate;

/* What a look at the groups finds. */
typedef struct Survey
{
	TimestampTz now;
	TimestampTz next;			/* when to look again */
	int			n_workers;		/* of all groups */
	int			n_starving;		/* candidates without any worker */
	int			n_candidates;
	Candidate  *candidates;		/* the neediest first */
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
		/* not 0: the postmaster would never start us again */
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

			survey_groups(&survey);
			survey.next = Min(survey.next, next_visit);
			/* max_workers was lowered */
			if (survey.n_workers > ds_max_workers)
				survey.next = Min(survey.next, make_room(0, 0));
			for (int i = 0; i < survey.n_candidates; i++)
			{
				/* the next round has the place that is given up */
				if (survey.n_workers >= ds_max_workers)
				{
					survey.next = Min(survey.next, make_room(survey.candidates[i].n_workers,
															 survey.n_starving));
					break;
				}
				if (!start_worker(&survey.candidates[i].key))
				{
					survey.next = Min(survey.next,
									  TimestampTzPlusMilliseconds(survey.now,
																  DS_NO_WORKER_RETRY_MS));
					break;
				}
				survey.n_workers++;
			}
		}
		else
			ignore_hints();
		sleep_until(survey.next);
	}
}

/* Nothing may run: whoever has a hint need not wake us until the next reload. */
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

/*
 * Which groups need a worker, and when is the next look?  Until that time is
 * published, everybody with a hint wakes us.
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

	/* when does the group have something to do? */
	due = ds_group_has_work(group) ? survey->now : ds_group_next_due(group);
	if (due == 0)
	{
		if (group->n_workers == 0)
			ds_group_drop(group);
		return;
	}
	due = Max(due, group->not_before);
	if (ds_closed_databases_has(group->key.database))
		return;					/* whoever closed it wakes us again */
	if (group_has_starting_worker(group))
		return;
	if (due > survey->now)
	{
		survey->next = Min(survey->next, due);
		return;
	}
	if (ds_group_wake_idle_worker(group))
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
		needs = look <= survey->now || has_much_work(group);
		if (!needs)
			survey->next = Min(survey->next, look);
	}
	if (!needs)
		return;
	/* if it does not get one now, hints need not wake us until then */
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

/* Hints that stand for more, which a search will find, are many. */
static bool
has_much_work(const DsGroup *group)
{
	int			n = ds_group_n_hints(group);

	return n > group->n_workers * HINTS_PER_WORKER ||
		(n > HINTS_PER_WORKER && ds_group_is_searched(group));
}

/* Who has the fewest workers first; of those, who has waited longest. */
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

/* It will look around when it is up. */
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

/* False: no background worker can be had just now. */
static bool
start_worker(const DsGroupKey *key)
{
	BackgroundWorker worker =
	ds_worker_template("ds_worker_main", "durable_singleton worker");
	DsWorkerOrder order = {.database = key->database,.role = key->role};
	MemoryContext old;
	Started    *s;

	/* what was dropped, or lets nobody in, has no work */
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
 * Roles wait and all workers are taken: one shall go.  An idle one at best; else
 * one of the role that has the most, if it has two more than the neediest,
 * which has n_workers, or if that has none at all.  All of that role's are asked, because their steps may
 * be long, and whoever goes first takes the others' orders back
 * (ds_slot_retire).  Returns when to look again.
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
		/* one that is still connecting has not had its turn yet */
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
		/* it has its turn, and no more */
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
 * How long a worker may stay when a role has none, in milliseconds.  The more
 * roles wait, the shorter, so that the last of them has not to wait for long.
 */
static int
time_slice(int n_starving)
{
	int64		share = TURN_MS * (int64) ds_max_workers / Max(n_starving, 1);

	return Max(Min(share, TURN_MS), MIN_TURN_MS);
}

/* A worker that can be asked to go. */
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
