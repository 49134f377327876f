/*-------------------------------------------------------------------------
 *
 * at_commit.c
 *	  What has to be told to others once the transaction has committed.
 *
 * The transaction callback for COMMIT comes before the transaction's
 * invalidation messages are sent: a worker that we wake there would run a
 * function that the same transaction replaced in its old form.  So the hints
 * go out when the transaction has released its locks.
 *
 * That is after the point of no return, where an error would be a PANIC.  So
 * everything is allocated when it is asked for, and the callback only takes
 * an LWLock and sets latches.  A transaction that starts a million instances
 * must not remember a million hints: above a limit one "search for the role's
 * work" takes their place.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/twophase.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "commit/at_commit.h"
#include "commit/quota.h"
#include "shmem/claim.h"
#include "shmem/eviction.h"
#include "shmem/hints.h"
#include "shmem/shared.h"
#include "shmem/waiter.h"

#define MAX_READY	64
#define MAX_ENDED	64
#define MAX_OWNERS	16
#define MAX_VISITS	8

typedef struct Ready
{
	Oid			owner;
	TimestampTz at;
	DsWork	   *work;
} Ready;

/* Belongs to a subtransaction until that commits into its parent. */
typedef struct Cancel
{
	char	   *instance_id;
	pg_uuid_t	execution_id;
	SubTransactionId subid;
} Cancel;

typedef struct Pending
{
	bool		committed;
	int			n_ready;
	Ready		ready[MAX_READY];
	int			n_rescan;
	Oid			rescan[MAX_OWNERS];
	bool		rescan_database;
	int			n_ended;
	char	   *ended[MAX_ENDED];
	bool		ended_any;
	int			n_cancel;
	int			max_cancel;
	Cancel	   *cancel;			/* in the order of their subtransactions */
	int			n_visit;
	Oid			visit[MAX_VISITS];
	bool		visit_all;
	SubTransactionId evict;		/* 0: no */
} Pending;

/* In TopTransactionContext; NULL if the transaction has nothing to tell. */
static Pending *pending = NULL;

/* Lock rules: the shared lock. */
static bool *prepared_work = NULL;

static DsWork *add_ready(Oid owner, const char *instance_id, TimestampTz at);
static Pending *get_pending(void);
static void at_transaction_end(XactEvent event, void *arg);
static void at_subtransaction_end(SubXactEvent event, SubTransactionId subid,
								  SubTransactionId parent, void *arg);
static void at_release(ResourceReleasePhase phase, bool is_commit,
					   bool is_top_level, void *arg);
static void tell(const Pending *p);

void
ds_at_commit_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
	RegisterResourceReleaseCallback(at_release, NULL);
}

Size
ds_at_commit_size(void)
{
	return sizeof(bool);
}

void
ds_at_commit_startup(void)
{
	bool		found;

	prepared_work = ShmemInitStruct("durable_singleton prepared work",
									ds_at_commit_size(), &found);
	/* prepared transactions may have survived a restart */
	if (!found)
		*prepared_work = max_prepared_xacts > 0;
}

bool
ds_at_commit_has_prepared(void)
{
	bool		has;

	ds_shared_lock_to_look();
	has = *prepared_work;
	ds_shared_unlock();
	return has;
}

void
ds_at_commit_ready(Oid owner, const char *instance_id, TimestampTz at)
{
	add_ready(owner, instance_id, at);
}

void
ds_at_commit_started(const DsStart *start)
{
	DsWork	   *work = add_ready(start->owner, start->instance_id,
								 start->ready_time);

	if (work != NULL)
		work->tid = start->tid;
}

void
ds_at_commit_task(const DsTask *task)
{
	DsWork	   *work = add_ready(task->owner, task->instance_id,
								 task->ready_time);

	if (work != NULL)
	{
		work->execution_id = task->execution_id;
		work->seq = task->seq;
	}
}

void
ds_at_commit_rescan(Oid owner)
{
	Pending    *p = get_pending();

	for (int i = 0; i < p->n_rescan; i++)
	{
		if (p->rescan[i] == owner)
			return;
	}
	if (p->n_rescan < MAX_OWNERS)
		p->rescan[p->n_rescan++] = owner;
	else
		p->rescan_database = true;
}

/* NULL: it will be searched for. */
static DsWork *
add_ready(Oid owner, const char *instance_id, TimestampTz at)
{
	Pending    *p = get_pending();
	Ready	   *r;

	if (p->n_ready == MAX_READY)
	{
		ds_at_commit_rescan(owner);
		return NULL;
	}
	r = &p->ready[p->n_ready];
	r->owner = owner;
	r->at = at;
	r->work = MemoryContextAllocZero(TopTransactionContext, sizeof(DsWork));
	strlcpy(r->work->instance_id, instance_id, sizeof(r->work->instance_id));
	p->n_ready++;
	return r->work;
}

void
ds_at_commit_cancel(const char *instance_id, const pg_uuid_t *execution_id)
{
	Pending    *p = get_pending();

	if (p->n_cancel == p->max_cancel)
	{
		int			max = Max(16, p->max_cancel * 2);

		if (p->cancel == NULL)
			p->cancel = MemoryContextAllocHuge(TopTransactionContext,
											   max * sizeof(Cancel));
		else
			p->cancel = repalloc_huge(p->cancel, max * sizeof(Cancel));
		p->max_cancel = max;
	}
	p->cancel[p->n_cancel].instance_id =
		MemoryContextStrdup(TopTransactionContext, instance_id);
	p->cancel[p->n_cancel].execution_id = *execution_id;
	p->cancel[p->n_cancel].subid = GetCurrentSubTransactionId();
	p->n_cancel++;
}

void
ds_at_commit_ended(const char *instance_id)
{
	Pending    *p = get_pending();

	if (p->n_ended < MAX_ENDED)
	{
		p->ended[p->n_ended] = MemoryContextStrdup(TopTransactionContext,
												   instance_id);
		p->n_ended++;
	}
	else
		p->ended_any = true;
}

void
ds_at_commit_visit(Oid database)
{
	Pending    *p = get_pending();

	if (OidIsValid(database) && p->n_visit < MAX_VISITS)
		p->visit[p->n_visit++] = database;
	else
		p->visit_all = true;
}

void
ds_at_commit_evict(void)
{
	get_pending()->evict = GetCurrentSubTransactionId();
}

static Pending *
get_pending(void)
{
	if (pending == NULL)
		pending = MemoryContextAllocZero(TopTransactionContext, sizeof(Pending));
	return pending;
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	Pending    *p = pending;

	if (p == NULL)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
			p->committed = true;
			break;
		case XACT_EVENT_PREPARE:

			/*
			 * No callback comes at COMMIT PREPARED; utility_hook.c asks for a
			 * rescan then.
			 */
			pending = NULL;
			ds_shared_lock();
			*prepared_work = true;
			ds_shared_unlock();
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
			pending = NULL;
			break;
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			break;
	}
}

/*
 * What belongs to the subtransaction, or to one within it, stands at the end
 * of the array.
 */
static void
at_subtransaction_end(SubXactEvent event, SubTransactionId subid,
					  SubTransactionId parent, void *arg)
{
	Pending    *p = pending;

	if (p == NULL)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		while (p->n_cancel > 0 && p->cancel[p->n_cancel - 1].subid >= subid)
			p->n_cancel--;
		if (p->evict >= subid)
			p->evict = InvalidSubTransactionId;
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int i = p->n_cancel - 1; i >= 0 && p->cancel[i].subid >= subid; i--)
			p->cancel[i].subid = parent;
		if (p->evict >= subid)
			p->evict = parent;
	}
}

/* Called for every resource owner; the first after the locks are gone counts. */
static void
at_release(ResourceReleasePhase phase, bool is_commit, bool is_top_level,
		   void *arg)
{
	Pending    *p = pending;

	if (p == NULL || !p->committed || !is_commit || !is_top_level ||
		phase != RESOURCE_RELEASE_AFTER_LOCKS)
		return;
	pending = NULL;
	tell(p);
}

static void
tell(const Pending *p)
{
	TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < p->n_cancel; i++)
		ds_claim_cancel_step(MyDatabaseId, p->cancel[i].instance_id,
							 &p->cancel[i].execution_id);
	for (int i = 0; i < p->n_ready; i++)
	{
		const Ready *r = &p->ready[i];

		if (r->at <= now)
			ds_hint_ready(MyDatabaseId, r->owner, r->work);
		else
			ds_hint_wake(MyDatabaseId, r->owner, r->at);
	}
	for (int i = 0; i < p->n_rescan; i++)
		ds_hint_rescan(MyDatabaseId, p->rescan[i]);
	if (p->rescan_database)
		ds_hint_rescan_database(MyDatabaseId);
	for (int i = 0; i < p->n_ended; i++)
		ds_waiter_wake(MyDatabaseId, p->ended[i]);
	if (p->ended_any)
		ds_waiter_wake_all(MyDatabaseId);
	if (p->evict != InvalidSubTransactionId)
	{
		ds_eviction_evict(MyDatabaseId);
		ds_quota_forget_database(MyDatabaseId);
	}
	for (int i = 0; i < p->n_visit; i++)
		ds_hint_visit(p->visit[i]);
	if (p->visit_all)
		ds_hint_visit(InvalidOid);
}
