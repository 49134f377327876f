/*-------------------------------------------------------------------------
 *
 * commit_hints.c
 *	  Notifications of other processes after the commit of a transaction.
 *
 * They are sent when the locks are released, see at_commit.c; at that point
 * the callback only takes an LWLock and sets latches.  A transaction that
 * starts a million instances must not remember a million hints: above a limit,
 * one "search for the role's work" replaces them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/twophase.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "commit/commit_hints.h"
#include "commit/quota.h"
#include "commit/subxact_stack.h"
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

typedef struct Cancel
{
	DsSubxactEntry subxact;		/* must be first */
	char	   *instance_id;	/* in TopTransactionContext */
	pg_uuid_t	execution_id;
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
	int			n_visit;
	Oid			visit[MAX_VISITS];
	bool		visit_all;
	SubTransactionId evict;		/* 0: no */
} Pending;

/* In TopTransactionContext; NULL if the transaction has nothing to send. */
static Pending *pending = NULL;

static DsSubxactStack cancels = {.entry_size = sizeof(Cancel)};

/* Lock rules: the shared lock. */
static bool *prepared_work = NULL;

static DsWork *add_ready(Oid owner, const char *instance_id, TimestampTz at);
static Pending *get_pending(void);
static void tell(const Pending *p);
static void forget(void);

Size
ds_commit_hint_size(void)
{
	return sizeof(bool);
}

void
ds_commit_hint_startup(void)
{
	bool		found;

	prepared_work = ShmemInitStruct("durable_singleton prepared work",
									ds_commit_hint_size(), &found);
	/* prepared transactions may have survived a restart */
	if (!found)
		*prepared_work = max_prepared_xacts > 0;
}

bool
ds_commit_hint_has_prepared(void)
{
	bool		has;

	ds_shared_lock_to_look();
	has = *prepared_work;
	ds_shared_unlock();
	return has;
}

void
ds_commit_hint_ready(Oid owner, const char *instance_id, TimestampTz at)
{
	add_ready(owner, instance_id, at);
}

void
ds_commit_hint_started(const DsStart *start)
{
	DsWork	   *work = add_ready(start->owner, start->instance_id,
								 start->ready_time);

	if (work != NULL)
		work->tid = start->tid;
}

void
ds_commit_hint_task(const DsTask *task)
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
ds_commit_hint_rescan(Oid owner)
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

/* NULL: a search will find it. */
static DsWork *
add_ready(Oid owner, const char *instance_id, TimestampTz at)
{
	Pending    *p = get_pending();
	Ready	   *r;

	if (p->n_ready == MAX_READY)
	{
		ds_commit_hint_rescan(owner);
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
ds_commit_hint_cancel(const char *instance_id, const pg_uuid_t *execution_id)
{
	Cancel	   *cancel;

	(void) get_pending();
	cancel = ds_subxact_stack_push(&cancels);
	cancel->execution_id = *execution_id;
	cancel->instance_id = MemoryContextStrdup(TopTransactionContext,
											  instance_id);
}

void
ds_commit_hint_ended(const char *instance_id)
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
ds_commit_hint_visit(Oid database)
{
	Pending    *p = get_pending();

	if (OidIsValid(database) && p->n_visit < MAX_VISITS)
		p->visit[p->n_visit++] = database;
	else
		p->visit_all = true;
}

void
ds_commit_hint_evict(void)
{
	get_pending()->evict = GetCurrentSubTransactionId();
}

static Pending *
get_pending(void)
{
	if (pending == NULL)
		pending =
			MemoryContextAllocZero(TopTransactionContext, sizeof(Pending));
	return pending;
}

void
ds_commit_hint_at_commit(void)
{
	if (pending != NULL)
		pending->committed = true;
}

/*
 * There is no callback at COMMIT PREPARED: utility_hook.c requests a rescan.
 */
void
ds_commit_hint_at_prepare(void)
{
	if (pending == NULL)
		return;
	forget();
	ds_shared_lock();
	*prepared_work = true;
	ds_shared_unlock();
}

void
ds_commit_hint_at_abort(void)
{
	forget();
}

void
ds_commit_hint_at_subxact_commit(SubTransactionId subid,
								 SubTransactionId parent)
{
	if (pending == NULL)
		return;
	ds_subxact_stack_commit(&cancels, subid, parent);
	if (pending->evict >= subid)
		pending->evict = parent;
}

void
ds_commit_hint_at_subxact_abort(SubTransactionId subid)
{
	if (pending == NULL)
		return;
	while (ds_subxact_stack_pop(&cancels, subid) != NULL)
		;
	if (pending->evict >= subid)
		pending->evict = InvalidSubTransactionId;
}

void
ds_commit_hint_send(void)
{
	if (pending == NULL || !pending->committed)
		return;
	tell(pending);
	forget();
}

static void
forget(void)
{
	pending = NULL;
	if (cancels.n > 0)
		ds_subxact_stack_clear(&cancels);
}

static void
tell(const Pending *p)
{
	TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < cancels.n; i++)
	{
		const Cancel *cancel = ds_subxact_stack_at(&cancels, i);

		ds_claim_cancel_step(MyDatabaseId, cancel->instance_id,
							 &cancel->execution_id);
	}
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
