/*-------------------------------------------------------------------------
 *
 * run.c
 *	  A run: the results of passes that the next step has to write.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "commit/commit_hints.h"
#include "execution/child.h"
#include "execution/run.h"
#include "shmem/hints.h"

static Jsonb *present_custom_status(const DsRun *run);

DsStepWrite
ds_run_begin_write(DsRun *run)
{
	const DsReplay *replay = run->replay;
	DsStepWrite w = {0};
	ListCell   *cell;

	w.inst = run->inst;
	w.now = GetCurrentTimestamp();
	w.start_clock = run->inst->start_clock ? run->inst->start_clock :
		replay->start_clock;
	w.code = replay->code;
	w.history_length = replay->n_ops;
	w.n_rows = replay->n_rows;
	w.rows = replay->rows;
	w.n_rewound = 0;
	if (replay->rewound != NIL)
	{
		DsRow	   *rewound = palloc(list_length(replay->rewound) * sizeof(DsRow));

		foreach(cell, replay->rewound)
			rewound[w.n_rewound++] = *(DsRow *) lfirst(cell);
		w.rewound = rewound;
	}
	w.rewinding = run->inst->rewinding && replay->still_rewinding;
	w.custom_status = present_custom_status(run);
	w.defaults = replay->defaults.evaluated;
	return w;
}

/*
 * The tasks that the step has to open, a list of DsTask.  Children are started
 * in the current transaction; a child that cannot be started has already
 * ended.
 */
List *
ds_run_begin_tasks(DsRun *run, bool only_children)
{
	DsReplay   *replay = run->replay;
	DsInstance *inst = run->inst;
	List	   *tasks = NIL;
	ListCell   *cell;

	foreach(cell, replay->tasks)
	{
		DsOp	   *op = ds_replay_op(replay, lfirst_int(cell));
		DsTask	   *task = palloc0(sizeof(DsTask));
		DsRow		end;

		CHECK_FOR_INTERRUPTS();
		if (only_children && op->last.kind != DS_OP_CHILD)
			continue;
		task->kind = op->last.kind;
		task->owner = inst->owner;
		task->home = inst->home;
		task->execution_id = inst->execution_id;
		task->seq = op->last.seq;
		task->attempt = op->last.attempt + 1;
		task->instance_id = inst->instance_id;
		task->name = op->last.name;
		if (op->last.kind == DS_OP_CHILD)
		{
			task->first_time = GetCurrentTimestamp();
			if (!ds_child_begin(inst, op, &end))
			{
				ds_replay_add(replay, &end);
				continue;
			}
		}
		else
		{
			task->ready_time = GetCurrentTimestamp();
			task->search_path = op->search_path;
			task->input = op->input;
			task->retry = op->retry;
			ds_commit_hint_task(task);
		}
		tasks = lappend(tasks, task);
	}
	return tasks;
}

/* Updates the memory after a write to the table. */
void
ds_run_written(DsRun *run)
{
	DsInstance *inst = run->inst;
	DsReplay   *replay = run->replay;

	ds_replay_written(replay);
	inst->turn++;
	inst->status = DS_RUNNING;
	inst->history_length = replay->n_stored;
	inst->rewinding = inst->rewinding && replay->still_rewinding;
	inst->start_clock = inst->start_clock ? inst->start_clock :
		replay->start_clock;
	inst->code = replay->code;
	if (replay->custom_status_set)
	{
		if (inst->custom_status != NULL &&
			inst->custom_status != replay->custom_status)
			pfree(inst->custom_status);
		inst->custom_status = replay->custom_status;
	}
	run->lsn = Max(run->lsn, XactLastCommitEnd);
	run->progress = true;
	run->n_steps++;
	if (run->limits->steps_left > 0)
		run->limits->steps_left--;
}

/*
 * Are there results on which an activity may build, or that must be visible
 * while it runs?
 */
bool
ds_run_has_news(const DsRun *run)
{
	const DsReplay *replay = run->replay;
	const Jsonb *old_status = run->inst->custom_status;
	const Jsonb *status = present_custom_status(run);

	if (replay->n_rows > 0 || replay->rewound != NIL || replay->tasks != NIL)
		return true;
	if (replay->defaults.evaluated != NULL)
		return true;
	if (replay->clock_used && run->inst->start_clock == DS_NO_TIME)
		return true;
	if ((old_status == NULL) != (status == NULL))
		return true;
	return status != NULL &&
		(VARSIZE(status) != VARSIZE(old_status) ||
		 memcmp(status, old_status, VARSIZE(status)) != 0);
}

static Jsonb *
present_custom_status(const DsRun *run)
{
	return run->replay->custom_status_set ? run->replay->custom_status :
		run->inst->custom_status;
}

/* Activities of the instance may be executing elsewhere. */
bool
ds_run_has_open_tasks(const DsRun *run)
{
	const DsReplay *replay = run->replay;

	for (int i = 0; i < replay->n_stored; i++)
	{
		const DsOp *op = &replay->ops[i];

		if (op->last.kind == DS_OP_ACTIVITY && op->last.parallel &&
			!ds_op_has_ended(op))
			return true;
	}
	return false;
}

void
ds_run_tell_when_due(const DsInstance *inst, const DsWait *wait)
{
	if (wait->fire_at != DS_NO_TIME)
		ds_hint_wake(MyDatabaseId, inst->owner, wait->fire_at);
}
