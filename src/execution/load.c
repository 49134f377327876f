/*-------------------------------------------------------------------------
 *
 * load.c
 *	  Loads an instance for its runner: from the tables, or from the run cache.
 *
 * The instance's row is read without a statement, which leaves no lock, so
 * that the first pass may follow in the same transaction.  Any statement
 * leaves a lock, and user code must not run with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "commit/durability.h"
#include "commit/transaction.h"
#include "execution/load.h"
#include "execution/run_cache.h"
#include "execution/wait.h"
#include "function/user_code.h"
#include "instance/end.h"
#include "instance/home.h"
#include "shmem/hints.h"
#include "store/store.h"

static bool is_runnable(DsRun *run, DsInstance *inst);
static bool load_history(DsRun *run, DsInstance *inst);

bool
ds_load_cached_run(DsRun *run, const char *instance_id, MemoryContext *cxt)
{
	DsRun		cached;

	if (!ds_run_cache_take(instance_id, &cached))
		return false;
	MemoryContextSwitchTo(cached.cxt);
	MemoryContextDelete(*cxt);
	run->cxt = *cxt = cached.cxt;
	ds_user_code_forget();
	ds_transaction_begin();
	/* messages to a child are not in its row */
	if (!ds_store_is_unchanged(cached.inst) ||
		(cached.inst->parent.instance_id != NULL &&
		 ds_store_has_messages(cached.inst)))
	{
		ds_transaction_commit();
		MemoryContextReset(cached.cxt);
		return false;
	}
	cached.limits = run->limits;
	/* reading it from the cache has cost nothing */
	cached.n_loaded = cached.n_steps = 0;
	cached.progress = false;
	cached.in_transaction = true;
	*run = cached;
	return true;
}

bool
ds_load_run(DsRun *run, const DsWork *work)
{
	DsInstance *inst;
	bool		ready = false;

	/* left by the previous execution of a series */
	ds_user_code_forget();
	run->in_transaction = false;
	ds_transaction_begin();
	inst = ds_store_load_at(work->instance_id, &work->tid);
	if (inst != NULL && is_runnable(run, inst))
	{
		bool		look = true;

		/* for a task that is not awaited, the history need not be read */
		if (inst->wait.kind == DS_OP_TASKS &&
			(inst->wait.fire_at == DS_NO_TIME ||
			 inst->wait.fire_at > GetCurrentTimestamp()))
			look = ds_store_wait_may_be_over(work->instance_id, true);
		if (!look)
			ds_run_tell_when_due(inst, &inst->wait);
		else if (load_history(run, inst))
		{
			if (inst->wait.kind == DS_OP_TASKS)
				ready = true;	/* check_wait looks at it */
			else if (inst->wait.kind != DS_OP_NONE)
			{
				ready = ds_wait_check(run, &inst->wait);
				if (!ready)
					ds_run_tell_when_due(inst, &inst->wait);
			}
			else if (inst->ready_time <= GetCurrentTimestamp())
			{
				ready = true;
				run->in_transaction = inst->parent.instance_id == NULL;
			}
			else
				ds_hint_wake(MyDatabaseId, inst->owner, inst->ready_time);
		}
	}
	if (!run->in_transaction)
		ds_transaction_commit();
	return ready;
}

/* May this runner run it?  If it was told to end, it ends now. */
static bool
is_runnable(DsRun *run, DsInstance *inst)
{
	Jsonb	   *reason = NULL;

	if (!ds_status_is_active(inst->status))
		return false;
	run->owner = inst->owner;
	if (inst->owner != GetUserId() ||
		(!run->limits->any_home && inst->home != ds_home_stamp()))
		return false;
	if (inst->parent.instance_id != NULL &&
		ds_store_find_terminate(inst, &reason))
	{
		run->progress = ds_end_terminate(inst, reason, true);
		return false;
	}
	return inst->status != DS_SUSPENDED;
}

static bool
load_history(DsRun *run, DsInstance *inst)
{
	DsOp	   *ops = NULL;
	int			n_ops = 0;

	if (inst->history_length > 0 || inst->has_notes)
		ops = ds_store_load_history(inst, &n_ops);
	if (inst->wait.kind == DS_OP_TASKS)
		ds_store_load_wait_tasks(inst);
	/* it has continued between the two reads: its runner sends a hint */
	if (n_ops != inst->history_length)
	{
		ereport(LOG,
				(errmsg("history of instance \"%s\" has %d operations instead of %d; the instance is skipped for now",
						inst->instance_id, n_ops, inst->history_length)));
		return false;
	}
	run->inst = inst;
	run->replay = ds_replay_create(run->cxt, inst, ops, n_ops);
	run->n_loaded = n_ops;
	run->n_steps = 0;
	run->lsn = ds_durability_lsn_of(inst->xmin);
	for (int i = 0; i < n_ops; i++)
	{
		/* written by others, perhaps after the instance's row */
		if (ops[i].last.parallel && ds_op_has_ended(&ops[i]))
			run->lsn = Max(run->lsn, ds_durability_lsn_of(ops[i].last.xmin));
	}
	if (inst->turn == 0)
		ds_wait_for_invalidations(inst->xmin);
	return true;
}
