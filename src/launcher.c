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

#include "eviction.h"
#include "flusher.h"
#include "hints.h"
#include "http_fate.h"
#include "hub.h"
#include "settings.h"
#include "slot.h"
#include "visits.h"
#include "worker.h"

/* A worker may stay so long even if other roles wait. */
#define ROTATION_MS			1000
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
} Survey;

static List *started = NIL;

static void forget_launcher(int code, Datum arg);
static void reap_workers(void);
static void survey_groups(Survey *survey);
static void survey_group(DsGroup *group, void *arg);
static int	compare_candidates(const void *a, const void *b);
static bool group_has_starting_worker(const DsGroup *group);
static bool start_worker(const DsGroupKey *key);
static bool role_exists(Oid role);
static TimestampTz make_room(bool starving);
static void ignore_hints(void);
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
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	ds_http_fate_note_first_xid();
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	ds_visits_init();
	before_shmem_exit(forget_launcher, (Datum) 0);
	ds_hub_lock();
	ds_hub->launcher_latch = MyLatch;
	ds_hub->launcher_sleeps_until = DT_NOEND;
	ds_hub->visit_all = true;
	ds_hub_unlock();
	ds_slot_abandon_starting();
	ds_flusher_reset();
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
		ds_visits_reap();
		survey.next = DT_NOEND;
		if (ds_enabled)
		{
			TimestampTz next_visit = ds_visits_send();

			survey_groups(&survey);
			survey.next = Min(survey.next, next_visit);
			for (int i = 0; i < survey.n_candidates; i++)
			{
				/* the next round has the place that is given up */
				if (survey.n_workers >= ds_max_workers)
				{
					survey.next = Min(survey.next,
									  make_room(survey.candidates[i].starving));
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
	ds_hub_lock();
	ds_hub->launcher_sleeps_until = DT_NOBEGIN;
	ds_hub_unlock();
}

static void
forget_launcher(int code, Datum arg)
{
	ds_hub_lock();
	ds_hub->launcher_latch = NULL;
	ds_hub_unlock();
	ds_flusher_reset();
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
	/* groups may be a few more than DS_MAX_GROUPS, but not twice as many */
	static Candidate candidates[2 * DS_MAX_GROUPS];
	DsSlot	   *slots = ds_hub_slots();

	survey->candidates = candidates;
	ds_hub_lock();
	survey->now = GetCurrentTimestamp();
	for (int i = 0; i < ds_hub->slots_used; i++)
	{
		if (slots[i].state != DS_SLOT_FREE &&
			slots[i].state != DS_SLOT_CRASHED && !slots[i].foreground)
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
	if (ds_group_has_work(group))
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
			ds_group_n_hints(group) > group->n_workers * HINTS_PER_WORKER;
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

/* False: no background worker can be had just now. */
static bool
start_worker(const DsGroupKey *key)
{
	BackgroundWorker worker =
	ds_background_worker("ds_worker_main", "durable_singleton worker");
	DsWorkerOrder order = {.database = key->database,.role = key->role};
	MemoryContext old;
	Started    *s;

	/* what was dropped, or lets nobody in, has no work */
	if (!role_exists(key->role) || !ds_database_is_open(key->database))
	{
		ds_forget_group(key);
		return true;
	}
	order.slot = ds_slot_reserve(key->database, key->role, &order.generation);
	if (order.slot < 0)
		return false;
	memcpy(worker.bgw_extra, &order, sizeof(order));
	s = MemoryContextAlloc(TopMemoryContext, sizeof(Started));
	s->slot = order.slot;
	s->generation = order.generation;
	if (!ds_start_background(&worker, &s->handle))
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
 * Roles wait and all workers are taken: one shall go, an idle one at best,
 * else, if a role has none at all, one of the role that has the most, after its
 * step.  If that step takes long, another one is asked.  Returns when to look
 * again.
 */
static TimestampTz
make_room(bool starving)
{
	DsSlot	   *slots = ds_hub_slots();
	TimestampTz now = GetCurrentTimestamp();
	DsSlot	   *chosen = NULL;
	int			chosen_rank = -1;
	bool		on_its_way = false;
	TimestampTz next = TimestampTzPlusMilliseconds(now, ROTATION_MS);

	ds_hub_lock();
	for (int i = 0; i < ds_hub->slots_used; i++)
	{
		DsSlot	   *slot = &slots[i];
		DsGroup    *group;
		bool		idle;
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
		/* one that is still connecting has not had its turn yet */
		idle = slot->state == DS_SLOT_IDLE &&
			(group == NULL || !ds_group_has_due_work(group, now));
		if (idle)
			rank += ds_hub->n_slots;
		else if (!starving)
			continue;
		else if (!TimestampDifferenceExceeds(slot->attached, now, ROTATION_MS))
		{
			/* it has its second, and no more */
			next = Min(next, TimestampTzPlusMilliseconds(slot->attached,
														 ROTATION_MS + 1));
			continue;
		}
		if (rank > chosen_rank)
		{
			chosen = slot;
			chosen_rank = rank;
		}
	}
	if (chosen != NULL && (!on_its_way || chosen_rank >= ds_hub->n_slots))
	{
		chosen->leave = true;
		chosen->leave_since = now;
		SetLatch(chosen->latch);
	}
	ds_hub_unlock();
	return next;
}

/* Sleeps, or flushes the WAL, until woken or until that time. */
static void
sleep_until(TimestampTz until)
{
	int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;
	long		timeout = -1;

	while (ds_flush_behind())
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
	(void) WaitLatch(MyLatch, events, timeout, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}
