/*-------------------------------------------------------------------------
 *
 * child.c
 *	  Starts the child instances of an orchestrator.
 *
 * A child is an instance like any other, with the same owner; its row names
 * the task of the parent that it stands for.  If it cannot be started (its id
 * is taken, the function is missing), this is a result for the parent, not an
 * error of the step.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/jsonb_build.h"
#include "base/no_time.h"
#include "commit/commit_counts.h"
#include "commit/commit_hints.h"
#include "commit/quota.h"
#include "execution/child.h"
#include "function/failure.h"
#include "instance/access.h"
#include "instance/start.h"
#include "shmem/claim.h"
#include "store/store.h"

static bool go_on(const DsInstance *parent, const DsOp *op, DsRow *end,
				  bool *goes_on);
static bool start_child(DsStart *start);
static Jsonb *prepare(DsStart *start, const DsInstance *parent, const DsOp *op);
static Jsonb *conflict(const DsOp *op);

bool
ds_child_begin(const DsInstance *parent, const DsOp *op, DsRow *end)
{
	DsStart		start = {0};
	Jsonb	   *failure;
	bool		goes_on = false;

	*end = op->last;
	end->attempt = op->last.attempt + 1;
	end->outcome = DS_OUTCOME_FAILED;
	end->input = end->result = end->failure = NULL;
	end->scheduled_time = end->event_time = GetCurrentTimestamp();

	if (op->last.attempt > 0 && go_on(parent, op, end, &goes_on))
		return goes_on;

	failure = prepare(&start, parent, op);
	if (failure == NULL && !start_child(&start))
		failure = conflict(op);
	if (failure == NULL)
		return true;
	end->failure = ds_failure_of_task(failure, op->last.name, op->last.seq,
									  end->attempt, op->last.child_id);
	return false;
}

/*
 * After a rewind: the child still exists, and continues, or has completed.
 * False: it must be started again.
 */
static bool
go_on(const DsInstance *parent, const DsOp *op, DsRow *end, bool *goes_on)
{
	for (;;)
	{
		DsInstance *child = ds_store_load(op->last.child_id);

		CHECK_FOR_INTERRUPTS();
		if (child == NULL || child->parent.instance_id == NULL ||
			memcmp(&child->parent.execution_id, &parent->execution_id,
				   sizeof(pg_uuid_t)) != 0 ||
			child->parent.seq != op->last.seq ||
			child->status == DS_TERMINATED)
			return false;
		if (child->status == DS_COMPLETED)
		{
			/* it was rewound separately, and succeeded */
			end->outcome = DS_OUTCOME_COMPLETED;
			end->result = child->output;
			*goes_on = false;
			return true;
		}
		*goes_on = true;
		/* locked, it can end only after its parent is seen to wait for it */
		if (ds_status_is_active(child->status) && ds_store_lock_active(child))
			return true;
		if (child->status == DS_FAILED && ds_store_rewind(child, true))
		{
			ds_quota_take(child->owner, false);
			ds_commit_counts_add(DS_INSTANCES_REWOUND);
			ds_store_add_note(child, DS_NOTE_REWOUND,
							  ds_jsonb_from_string(_("the parent was rewound")));
			ds_commit_hint_ready(child->owner, child->instance_id, DS_NO_TIME);
			return true;
		}
		/* it has just continued: check again */
	}
}

/*
 * A parent that was replaced has told its children to end, which they do in
 * their own steps.  The new execution may be faster, and request the id of one
 * that still exists: then it is ended here, immediately.
 */
static bool
start_child(DsStart *start)
{
	while (!ds_start(start, DS_ON_CONFLICT_SKIP, ds_start_any_ended))
	{
		DsInstance *present = ds_store_load(start->instance_id);
		Jsonb	   *reason = NULL;

		CHECK_FOR_INTERRUPTS();
		if (present == NULL || !ds_status_is_active(present->status))
			continue;			/* it has just ended: check again */
		if (present->parent.instance_id == NULL ||
			!ds_store_find_terminate(present, &reason))
			return false;
		/* the past execution shows the reason */
		present->output = reason;
		if (ds_start_over(start, present))
			break;
	}
	return true;
}

/*
 * The error of the preparation, or NULL.  It only reads, so the subtransaction
 * has no transaction id.
 */
static Jsonb *
prepare(DsStart *start, const DsInstance *parent, const DsOp *op)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Jsonb	   *volatile failure = NULL;

	start->name = op->last.name;
	start->instance_id = op->last.child_id;
	start->input = op->input;
	start->parent.instance_id = parent->instance_id;
	start->parent.run_id = parent->run_id;
	start->parent.execution_id = parent->execution_id;
	start->parent.seq = op->last.seq;

	BeginInternalSubTransaction("df_sub_orchestrator");
	PG_TRY();
	{
		DsInstance *present;

		MemoryContextSwitchTo(caller);
		ds_start_prepare(start, op->search_path, 0);
		present = ds_store_load(start->instance_id);
		if (present != NULL)
			ds_access_check_owner(present);
		if (present == NULL || !ds_status_is_active(present->status))
			ds_quota_check(start->owner);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (ds_claim_is_cancelled() || ds_failure_is_cancel(error))
			ReThrowError(error);
		failure = ds_failure_from_error(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return failure;
}

static Jsonb *
conflict(const DsOp *op)
{
	ErrorData	error = {0};

	error.sqlerrcode = DS_ERRCODE_CONFLICT;
	error.message = psprintf(_("An instance with ID \"%s\" already exists."),
							 op->last.child_id);
	error.hint = _("Let the child have an id of its own, or wait until the instance has ended.");
	return ds_failure_from_error(&error);
}
