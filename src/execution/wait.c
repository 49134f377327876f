/*-------------------------------------------------------------------------
 *
 * wait.c
 *	  Checks whether an instance's wait is over.
 *
 * Timers and events are ended here, by the instance itself.  The ends of
 * activities and children that run as tasks are rows of history written by
 * other processes.
 *
 * If the instance waits for all of many tasks, only one is watched, and its
 * end makes the instance check again (see also TASK_HAS_ENDED in
 * statement_texts.c): ten thousand tasks wake it a few times, not ten thousand
 * times.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "base/jsonb_build.h"
#include "base/no_time.h"
#include "commit/durability.h"
#include "execution/wait.h"
#include "store/store.h"

static bool check_retry(DsRun *run, const DsWait *wait);
static bool check_timer(DsRun *run, const DsWait *wait);
static bool check_event(DsRun *run, const DsWait *wait);
static bool check_all(DsRun *run, DsWait *wait);
static bool check_any(DsRun *run, DsWait *wait);
static void apply_awaited(DsRun *run, const DsWait *wait);
static void apply_all(DsRun *run);
static bool is_ended_by_others(const DsReplay *replay, int seq);
static void apply_ends(DsRun *run, int n_open, const int *open);
static bool find_event(DsRun *run, const char *name, TimestampTz deadline,
					   DsEvent *event);
static bool find_end(DsRun *run, const DsOp *op, DsRow *row, TimestampTz *when);

bool
ds_wait_check(DsRun *run, DsWait *wait)
{
	bool		over = false;

	switch (wait->kind)
	{
		case DS_OP_ACTIVITY:
			over = check_retry(run, wait);
			break;
		case DS_OP_TIMER:
			over = check_timer(run, wait);
			break;
		case DS_OP_EVENT:
			over = check_event(run, wait);
			break;
		case DS_OP_TASKS:
			over = wait->any ? check_any(run, wait) :
				check_all(run, wait);
			if (over)
				apply_all(run);
			break;
		default:
			elog(ERROR, "unknown kind of wait '%c'", wait->kind);
	}
	return over;
}

/*
 * A commit becomes visible a moment before its invalidation messages are sent.
 * If the same transaction replaced the function that runs next, the old
 * version would run.  Once the transaction's lock is released, they have been
 * sent.  They are processed here, because the pass may follow in the same
 * transaction.
 *
 * The writer of a visible row has ended.  If a transaction with this number is
 * in progress, or in the future, the row was frozen long ago and the number is
 * used again.
 */
void
ds_wait_for_invalidations(TransactionId xid)
{
	if (TransactionIdIsNormal(xid) && !TransactionIdIsInProgress(xid))
		XactLockTableWait(xid, NULL, NULL, XLTW_None);
	AcceptInvalidationMessages();
}

static bool
check_retry(DsRun *run, const DsWait *wait)
{
	return wait->fire_at <= GetCurrentTimestamp();
}

static bool
check_timer(DsRun *run, const DsWait *wait)
{
	DsRow		row = {0};

	row.attempt = 1;
	row.kind = DS_OP_TIMER;
	row.outcome = DS_OUTCOME_COMPLETED;
	row.scheduled_time = wait->since;
	row.event_time = GetCurrentTimestamp();
	row.fire_at = wait->fire_at;
	if (wait->fire_at > row.event_time)
		return false;
	ds_replay_add(run->replay, &row);
	return true;
}

static bool
check_event(DsRun *run, const DsWait *wait)
{
	DsEvent		event = {0};
	DsRow		row = {0};

	row.attempt = 1;
	row.kind = DS_OP_EVENT;
	row.outcome = DS_OUTCOME_COMPLETED;
	row.name = wait->name;
	row.scheduled_time = wait->since;
	row.event_time = GetCurrentTimestamp();
	row.fire_at = wait->fire_at;
	if (find_event(run, wait->name, wait->fire_at, &event))
	{
		row.inbox_id = event.id;
		row.result = event.data;
	}
	else if (wait->fire_at != DS_NO_TIME && wait->fire_at <= row.event_time)
	{
		row.outcome = DS_OUTCOME_TIMED_OUT;
		row.result = wait->default_value;
	}
	else
		return false;
	ds_replay_add(run->replay, &row);
	return true;
}

/* Ends due tasks, and watches one that stays open. */
static bool
check_all(DsRun *run, DsWait *wait)
{
	DsReplay   *replay = run->replay;
	const DsOp *watch = NULL;

	apply_awaited(run, wait);
	for (int i = 0; i < wait->n_tasks; i++)
	{
		DsOp	   *op = ds_replay_op(replay, wait->tasks[i]);
		DsRow		row;
		TimestampTz when;

		CHECK_FOR_INTERRUPTS();
		if (!ds_op_has_ended(op) && find_end(run, op, &row, &when))
			op = ds_replay_add(replay, &row);
		if (ds_op_has_ended(op))
			continue;

		/*
		 * The last one begins last, and is likely to end last.  A timer or an
		 * event is checked separately when its time comes.
		 */
		if (watch == NULL || op->last.seq > watch->last.seq)
			watch = op;
	}
	if (watch == NULL)
	{
		replay->awaited = wait->n_tasks;
		replay->first_awaited = wait->n_tasks > 0 ? wait->tasks[0] : 0;
		return true;
	}
	wait->watch = watch->last.seq;
	wait->fire_at = watch->last.fire_at;
	if (watch->last.kind == DS_OP_ACTIVITY || watch->last.kind == DS_OP_CHILD)
		wait->fire_at = DS_NO_TIME;
	return false;
}

/* The first task that has ended, or is due, wins; the others stay open. */
static bool
check_any(DsRun *run, DsWait *wait)
{
	DsReplay   *replay = run->replay;
	DsRow		first_row = {0};
	TimestampTz first_time = DS_NO_TIME;
	int			winner = 0;
	DsRow		row = {0};

	apply_awaited(run, wait);
	wait->fire_at = DS_NO_TIME;
	for (int i = 0; i < wait->n_tasks; i++)
	{
		const DsOp *op = ds_replay_op(replay, wait->tasks[i]);
		TimestampTz when;
		DsRow		end = {0};

		CHECK_FOR_INTERRUPTS();
		if (ds_op_has_ended(op))
			when = op->last.event_time;
		else if (!find_end(run, op, &end, &when))
		{
			if ((op->last.kind == DS_OP_TIMER || op->last.kind == DS_OP_EVENT) &&
				op->last.fire_at != DS_NO_TIME &&
				(wait->fire_at == DS_NO_TIME || op->last.fire_at < wait->fire_at))
				wait->fire_at = op->last.fire_at;
			continue;
		}
		if (winner == 0 || when < first_time)
		{
			winner = op->last.seq;
			first_time = when;
			first_row = end;
		}
	}
	if (winner == 0)
		return false;
	if (first_row.seq != 0)
		ds_replay_add(replay, &first_row);

	row.attempt = 1;
	row.kind = DS_OP_ANY;
	row.outcome = DS_OUTCOME_COMPLETED;
	row.result = ds_jsonb_from_int(winner);
	row.scheduled_time = wait->since;
	row.event_time = GetCurrentTimestamp();
	ds_replay_add(replay, &row);
	return true;
}

/* Applies the ends of awaited tasks since the history was read. */
static void
apply_awaited(DsRun *run, const DsWait *wait)
{
	const DsReplay *replay = run->replay;
	int		   *open = MemoryContextAllocHuge(CurrentMemoryContext,
											  (wait->n_tasks + 1) * sizeof(int));
	int			n_open = 0;

	for (int i = 0; i < wait->n_tasks; i++)
	{
		int			seq = wait->tasks[i];

		if (seq < 1 || seq > replay->n_ops)
			elog(ERROR, "instance \"%s\" waits for task %d, which is not in its history",
				 run->inst->instance_id, seq);
		if (is_ended_by_others(replay, seq))
			open[n_open++] = seq;
	}
	apply_ends(run, n_open, open);
	pfree(open);
}

/*
 * The code is about to run: the more ends it knows, the more awaits it passes
 * before it must be called again.
 */
static void
apply_all(DsRun *run)
{
	const DsReplay *replay = run->replay;
	int		   *open = MemoryContextAllocHuge(CurrentMemoryContext,
											  (replay->n_stored + 1) * sizeof(int));
	int			n_open = 0;

	for (int seq = 1; seq <= replay->n_stored; seq++)
	{
		if (is_ended_by_others(replay, seq))
			open[n_open++] = seq;
	}
	apply_ends(run, n_open, open);
	pfree(open);
}

/* An activity or child that has begun and is open, as far as known. */
static bool
is_ended_by_others(const DsReplay *replay, int seq)
{
	const DsOp *op = ds_replay_op(replay, seq);

	return seq <= replay->n_stored && op->last.parallel &&
		!ds_op_has_ended(op) &&
		(op->last.kind == DS_OP_ACTIVITY || op->last.kind == DS_OP_CHILD);
}

static void
apply_ends(DsRun *run, int n_open, const int *open)
{
	DsReplay   *replay = run->replay;
	DsRow	   *rows;
	int			n;

	if (n_open == 0)
		return;
	n = ds_store_load_ends(run->inst, n_open, open, &rows);
	for (int i = 0; i < n; i++)
	{
		const DsOp *op = ds_replay_op(replay, rows[i].seq);

		if (rows[i].attempt <= op->last.attempt)
			continue;
		ds_replay_apply(replay, &rows[i]);
		run->lsn = Max(run->lsn, ds_durability_lsn_of(rows[i].xmin));
	}
	pfree(rows);
}

/*
 * If a timer or an event is due: the row that ends it, and the time.  An event
 * ends a task only if it was sent before the task's timeout.
 */
static bool
find_end(DsRun *run, const DsOp *op, DsRow *row, TimestampTz *when)
{
	TimestampTz fire_at = op->last.fire_at;
	TimestampTz now = GetCurrentTimestamp();
	DsEvent		event = {0};

	*row = op->last;
	row->attempt = op->last.attempt + 1;
	row->input = NULL;
	row->event_time = now;
	switch (op->last.kind)
	{
		case DS_OP_TIMER:
			if (fire_at > now)
				return false;
			row->outcome = DS_OUTCOME_COMPLETED;
			*when = fire_at;
			return true;
		case DS_OP_EVENT:
			if (find_event(run, op->last.name, fire_at, &event))
			{
				row->outcome = DS_OUTCOME_COMPLETED;
				row->inbox_id = event.id;
				row->result = event.data;
				*when = event.sent_time;
				return true;
			}
			if (fire_at == DS_NO_TIME || fire_at > now)
				return false;
			row->outcome = DS_OUTCOME_TIMED_OUT;
			row->result = op->default_value;
			*when = fire_at;
			return true;
		default:
			return false;		/* another process ends it */
	}
}

/*
 * The oldest event of this name that the current step has not taken yet, and
 * that was sent before the deadline (DS_NO_TIME: none).  It makes no
 * difference how late the instance is checked.
 */
static bool
find_event(DsRun *run, const char *name, TimestampTz deadline, DsEvent *event)
{
	const DsReplay *replay = run->replay;
	int64	   *taken = palloc((replay->n_rows + 1) * sizeof(int64));
	int			n_taken = 0;
	bool		found;

	for (int i = 0; i < replay->n_rows; i++)
	{
		if (replay->rows[i].inbox_id != 0)
			taken[n_taken++] = replay->rows[i].inbox_id;
	}
	found = ds_store_find_event(run->inst, name, deadline, n_taken, taken,
								event);
	if (found)
		ds_wait_for_invalidations(event->sender);
	pfree(taken);
	return found;
}
