/*-------------------------------------------------------------------------
 *
 * end.c
 *	  The effects of an instance's end on other instances and sessions.
 *
 * A parent learns of its child's end by a row in its own history, written in
 * the child's transaction.  Children are told to end by a message, so no
 * process ever waits for the row of another instance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/jsonb_build.h"
#include "base/no_time.h"
#include "commit/commit_counts.h"
#include "commit/commit_hints.h"
#include "commit/quota.h"
#include "function/failure.h"
#include "instance/end.h"
#include "store/store.h"

#define CHILDREN_BATCH	1000

static void tell_parent(const DsInstance *child, DsStatus status,
						Jsonb *output, Jsonb *failure, bool limit_lock_wait);
static Jsonb *terminated_failure(const DsInstance *child, const Jsonb *reason);
static void end_children(const DsInstance *parent, Jsonb *reason);

void
ds_end_tell(const DsInstance *inst, DsStatus status, Jsonb *output,
			Jsonb *failure, bool limit_lock_wait)
{
	if (inst->parent.instance_id != NULL)
		tell_parent(inst, status, output, failure, limit_lock_wait);
	ds_end_tell_waiters(inst, status);
}

void
ds_end_tell_waiters(const DsInstance *inst, DsStatus status)
{
	ds_quota_ended(inst->owner);
	ds_commit_hint_ended(inst->instance_id);
	ds_commit_counts_add(status == DS_COMPLETED ? DS_INSTANCES_COMPLETED :
						 status == DS_FAILED ? DS_INSTANCES_FAILED :
						 DS_INSTANCES_TERMINATED);
}

void
ds_end_log_failure(const DsInstance *inst, const Jsonb *failure)
{
	char	   *sqlstate = ds_failure_field(failure, "sqlstate");
	char	   *message = ds_failure_field(failure, "message");

	ereport(LOG,
			(errmsg("instance \"%s\" of orchestrator %s failed: %s: %s",
					inst->instance_id, inst->name,
					sqlstate ? sqlstate : "?", message ? message : "?")));
}

void
ds_end_tell_terminated(const DsInstance *inst, Jsonb *reason,
					   bool limit_lock_wait)
{
	ds_commit_hint_cancel(inst->instance_id, &inst->execution_id);
	end_children(inst, reason);
	ds_end_tell(inst, DS_TERMINATED, reason, NULL, limit_lock_wait);
}

bool
ds_end_terminate(const DsInstance *inst, Jsonb *reason, bool limit_lock_wait)
{
	if (!ds_store_terminate(inst, reason, limit_lock_wait))
		return false;
	(void) ds_store_cancel_tasks(&inst->execution_id, limit_lock_wait);
	ds_end_tell_terminated(inst, reason, limit_lock_wait);
	return true;
}

/* The child's row is already locked; the parent's task comes after it. */
static void
tell_parent(const DsInstance *child, DsStatus status, Jsonb *output,
			Jsonb *failure, bool limit_lock_wait)
{
	DsTask	   *task =
	ds_store_end_child_task(&child->parent, limit_lock_wait);
	DsRow		row = {0};

	if (task == NULL)
		return;					/* the parent does not wait for it any more */
	row.seq = task->seq;
	row.attempt = task->attempt;
	row.kind = DS_OP_CHILD;
	row.parallel = true;
	row.name = task->name;
	row.child_id = child->instance_id;
	row.scheduled_time = task->first_time;
	row.event_time = GetCurrentTimestamp();
	if (status == DS_COMPLETED)
	{
		row.outcome = DS_OUTCOME_COMPLETED;
		row.result = output;
	}
	else
	{
		row.outcome = DS_OUTCOME_FAILED;
		if (status == DS_TERMINATED)
			failure = terminated_failure(child, output);
		row.failure = ds_failure_of_task(failure, task->name, task->seq,
										 task->attempt, child->instance_id);
	}
	ds_store_add_row(&task->execution_id, &row);
	ds_commit_hint_ready(child->owner, child->parent.instance_id, DS_NO_TIME);
}

static Jsonb *
terminated_failure(const DsInstance *child, const Jsonb *reason)
{
	ErrorData	error = {0};
	char	   *text = ds_jsonb_to_text(reason);

	error.sqlerrcode = DS_ERRCODE_ENDED;
	error.message = psprintf(_("child instance \"%s\" was terminated"),
							 child->instance_id);
	if (text != NULL)
		error.detail = psprintf(_("The reason was: %s"), text);
	return ds_failure_from_error(&error);
}

/* In batches: a parent may have millions. */
static void
end_children(const DsInstance *parent, Jsonb *reason)
{
	TimestampTz now = GetCurrentTimestamp();
	char		after[DS_MAX_ID_LENGTH + 1] = "";
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(caller, "children to be ended",
											  ALLOCSET_SMALL_SIZES);
	int			n;

	MemoryContextSwitchTo(cxt);
	do
	{
		List	   *children;
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		children = ds_store_send_terminate(parent, reason, now, after,
										   CHILDREN_BATCH);
		foreach(cell, children)
		{
			const DsChild *child = lfirst(cell);

			ds_commit_hint_cancel(child->instance_id, &child->execution_id);
			ds_commit_hint_ready(child->owner, child->instance_id, DS_NO_TIME);
			strlcpy(after, child->instance_id, sizeof(after));
		}
		n = list_length(children);
		MemoryContextReset(cxt);
	} while (n == CHILDREN_BATCH);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(cxt);
}
