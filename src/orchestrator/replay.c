/*-------------------------------------------------------------------------
 *
 * replay.c
 *	  Replays an orchestrator against its history.
 *
 * A suspension is an error that PL/pgSQL's WHEN OTHERS does not catch.  Code
 * can still catch it by name, or be written in a language that swallows every
 * error.  So suspension is sticky: every further call suspends again, and
 * whatever the pass returns or raises, it counts as suspended.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/no_time.h"
#include "function/failure.h"
#include "orchestrator/replay.h"
#include "store/operation.h"

/*
 * WHEN query_canceled in a loop would continue forever.  After this number of
 * times, the suspension is raised as assert_failure, which OTHERS does not
 * catch either; after many more, the process gives up.
 */
#define SWALLOWED_BEFORE_OTHER_CODE		10
#define SWALLOWED_BEFORE_FATAL			10000

static DsReplay *current = NULL;

static DsOp *new_op(DsReplay *replay);
static void keep_row(DsReplay *replay, const DsRow *row);
static void skip_markers(DsReplay *replay);
static void take_back(DsReplay *replay, DsOp *op);
static void check_not_suspended(DsReplay *replay);
pg_noreturn static void raise_suspension(DsReplay *replay);
static const char *kind_name(DsOpKind kind, bool parallel);

DsReplay *
ds_replay_create(MemoryContext cxt, DsInstance *inst, DsOp *ops, int n_ops)
{
	DsReplay   *replay = MemoryContextAllocZero(cxt, sizeof(DsReplay));

	replay->cxt = cxt;
	replay->scratch = AllocSetContextCreate(cxt, "durable_singleton user code",
											ALLOCSET_DEFAULT_SIZES);
	replay->inst = inst;
	replay->ops = ops;
	replay->n_ops = replay->max_ops = replay->n_stored = n_ops;
	replay->code = inst->code;
	replay->still_rewinding = inst->rewinding;
	return replay;
}

DsOp *
ds_replay_add(DsReplay *replay, const DsRow *row)
{
	DsRow		numbered = *row;

	if (numbered.seq == 0)
		numbered.seq = replay->n_ops + 1;
	keep_row(replay, &numbered);
	return ds_replay_apply(replay, &numbered);
}

DsOp *
ds_replay_apply(DsReplay *replay, const DsRow *row)
{
	DsOp	   *op;

	Assert(row->seq >= 1 && row->seq <= replay->n_ops + 1);
	op = row->seq > replay->n_ops ? new_op(replay) :
		ds_replay_op(replay, row->seq);
	ds_operation_add_row(op, row);
	return op;
}

void
ds_replay_written(DsReplay *replay)
{
	replay->n_stored = replay->n_ops;
	replay->n_rows = 0;
	replay->rewound = NIL;
	replay->tasks = NIL;
	if (replay->defaults.evaluated != NULL)
	{
		replay->inst->defaults = replay->defaults.evaluated;
		replay->inst->n_defaults++;
		replay->inst->has_notes = true;
		replay->defaults.evaluated = NULL;
	}
}

static DsOp *
new_op(DsReplay *replay)
{
	if (replay->n_ops == replay->max_ops)
	{
		int			max = Max(16, replay->max_ops * 2);
		DsOp	   *ops = MemoryContextAllocHuge(replay->cxt, max * sizeof(DsOp));

		if (replay->n_ops > 0)
			memcpy(ops, replay->ops, replay->n_ops * sizeof(DsOp));
		if (replay->ops != NULL)
			pfree(replay->ops);
		replay->ops = ops;
		replay->max_ops = max;
	}
	memset(&replay->ops[replay->n_ops], 0, sizeof(DsOp));
	return &replay->ops[replay->n_ops++];
}

static void
keep_row(DsReplay *replay, const DsRow *row)
{
	if (replay->n_rows == replay->max_rows)
	{
		int			max = Max(16, replay->max_rows * 2);

		if (replay->rows == NULL)
			replay->rows = MemoryContextAllocHuge(replay->cxt,
												  max * sizeof(DsRow));
		else
			replay->rows = repalloc_huge(replay->rows, max * sizeof(DsRow));
		replay->max_rows = max;
	}
	replay->rows[replay->n_rows++] = *row;
}

void
ds_replay_begin_pass(DsReplay *replay)
{
	DsInstance *inst = replay->inst;

	replay->cursor = 0;
	replay->n_at_start = replay->n_ops;
	replay->n_tasks_at_start = list_length(replay->tasks);
	if (inst->start_clock != DS_NO_TIME)
		replay->start_clock = inst->start_clock;
	else if (replay->start_clock == DS_NO_TIME)
		replay->start_clock = GetCurrentTimestamp();
	replay->clock = replay->start_clock;
	replay->clock_used = false;
	replay->n_guids = 0;
	replay->unpatched = NIL;
	replay->suspended = false;
	replay->swallowed = 0;

	/*
	 * leftovers of the previous pass; everything stored belongs to the
	 * instance
	 */
	if (replay->request.wait.tasks != NULL)
		pfree(replay->request.wait.tasks);
	memset(&replay->request, 0, sizeof(replay->request));
	if (replay->custom_status != NULL &&
		replay->custom_status != inst->custom_status)
		pfree(replay->custom_status);
	replay->delivered_failure = NULL;
	replay->continued = false;
	replay->next_input = NULL;
	replay->custom_status_set = false;
	replay->custom_status = NULL;
	replay->violation = NULL;
	if (inst->rewinding)
	{
		for (int i = 0; i < replay->n_ops; i++)
			replay->ops[i].delivered = false;
	}
	current = replay;
}

void
ds_replay_end_pass(void)
{
	current = NULL;
}

bool
ds_replay_is_in_pass(void)
{
	return current != NULL;
}

void
ds_replay_violation(DsReplay *replay, const char *message,
					const char *detail, const char *hint)
{
	MemoryContext old = MemoryContextSwitchTo(replay->cxt);
	ErrorData	edata = {0};

	edata.sqlerrcode = DS_ERRCODE_RULE_BROKEN;
	edata.message = unconstify(char *, message);
	edata.detail = unconstify(char *, detail);
	edata.hint = unconstify(char *, hint);
	replay->violation = ds_failure_from_error(&edata);
	MemoryContextSwitchTo(old);
}

DsReplay *
ds_replay_enter(const char *function)
{
	if (current == NULL || IsParallelWorker() || IsInParallelMode())
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s must be called from an orchestrator", function),
				 errhint("Start the function that calls it with df_start_singleton. It cannot be called directly, from an activity, or in a parallel query.")));
	check_not_suspended(current);
	return current;
}

DsReplay *
ds_replay_enter_durable(const char *function)
{
	DsReplay   *replay = ds_replay_enter(function);

	/*
	 * the code did not return after df_continue_as_new: the execution ends
	 * here
	 */
	if (replay->continued)
		ds_replay_suspend(replay);
	return replay;
}

DsOp *
ds_replay_next(DsReplay *replay, DsOpKind kind, bool parallel,
			   const char *name)
{
	DsOp	   *op;

	skip_markers(replay);
	if (replay->cursor == replay->n_ops)
		return NULL;
	op = &replay->ops[replay->cursor];
	if (op->last.kind != kind || op->last.parallel != parallel ||
		(name != NULL &&
		 (op->last.name == NULL || strcmp(op->last.name, name) != 0)))
	{
		ds_replay_mismatch(replay,
						   psprintf(_("History has %s; the code asked for %s."),
									ds_replay_describe(op->last.kind, op->last.parallel,
													   op->last.name),
									ds_replay_describe(kind, parallel, name)));
		ds_failure_raise(replay->violation);
	}
	replay->cursor++;
	replay->clock = Max(replay->clock, op->last.parallel ?
						op->scheduled_time : op->last.event_time);
	return op;
}

/*
 * Markers of df_patched have no fixed position: the code may ask for them or
 * not.
 */
static void
skip_markers(DsReplay *replay)
{
	while (replay->cursor < replay->n_ops &&
		   replay->ops[replay->cursor].last.kind == DS_OP_PATCH)
		replay->cursor++;
}

bool
ds_replay_at_end(const DsReplay *replay)
{
	for (int i = replay->cursor; i < replay->n_ops; i++)
	{
		if (replay->ops[i].last.kind != DS_OP_PATCH)
			return false;
	}
	return true;
}

void
ds_replay_mismatch(DsReplay *replay, const char *detail)
{
	if (replay->code_changed)
		detail = psprintf("%s %s", detail,
						  _("The function was replaced after the execution began."));
	ds_replay_violation(replay,
						psprintf(_("orchestrator %s does not match the history of instance \"%s\" at step %d"),
								 replay->inst->name, replay->inst->instance_id,
								 replay->cursor + 1),
						detail,
						replay->code_changed ?
						_("Ask df_patched in the code where old and new executions differ, or put the old function back and call df_rewind.") :
						_("An orchestrator must make the same calls in the same order, with the same arguments, at every replay. Read changing data through df_record or in an activity, and do not change the code of running instances."));
}

Jsonb *
ds_replay_result(DsReplay *replay, DsOp *op)
{
	Assert(ds_op_has_ended(op));
	replay->clock = Max(replay->clock, op->last.event_time);
	if (op->last.outcome == DS_OUTCOME_FAILED)
	{
		op->delivered = true;
		replay->delivered_failure = op->last.failure;
		ds_failure_raise(op->last.failure);
	}
	return op->last.result;
}

/*
 * If the code has continued after the failure, its operations are in the
 * history and would not fit a success: then the failure stays.
 */
bool
ds_replay_rewind(DsReplay *replay, DsOp *op)
{
	if (!replay->inst->rewinding || op->delivered ||
		op->last.outcome != DS_OUTCOME_FAILED || !ds_replay_at_end(replay))
		return false;
	take_back(replay, op);
	return true;
}

void
ds_replay_rewind_undelivered(DsReplay *replay)
{
	if (!replay->inst->rewinding)
		return;
	/* failures that the code has not reached yet may be delivered later */
	for (int i = 0; i < replay->cursor; i++)
	{
		DsOp	   *op = &replay->ops[i];

		if (op->last.parallel && !op->delivered &&
			op->last.outcome == DS_OUTCOME_FAILED)
			take_back(replay, op);
	}
	replay->still_rewinding = !ds_replay_at_end(replay);
}

/*
 * A task begins again; an activity that was called is requested by the code
 * itself.
 */
static void
take_back(DsReplay *replay, DsOp *op)
{
	MemoryContext old = MemoryContextSwitchTo(replay->cxt);
	DsRow	   *row = palloc(sizeof(DsRow));

	op->last.outcome = DS_OUTCOME_REWOUND;
	ds_operation_forget_input(op);
	op->counted = op->automatic = 0;
	op->first_time = DS_NO_TIME;
	*row = op->last;
	replay->rewound = lappend(replay->rewound, row);
	if (op->last.parallel)
		replay->tasks = lappend_int(replay->tasks, op->last.seq);
	MemoryContextSwitchTo(old);
}

/*
 * Everything of the pass from the first new task on is dropped: what the code
 * did after it cannot have had any effect yet.
 */
void
ds_replay_forget_tasks(DsReplay *replay)
{
	int			n;
	int			n_rows = 0;

	for (n = replay->n_at_start; n < replay->n_ops; n++)
	{
		const DsRow *row = &replay->ops[n].last;

		if (row->parallel)
			break;
	}
	for (int i = 0; i < replay->n_rows; i++)
	{
		if (replay->rows[i].seq <= n)
			replay->rows[n_rows++] = replay->rows[i];
	}
	replay->n_rows = n_rows;
	replay->n_ops = n;
	replay->tasks = list_truncate(replay->tasks, replay->n_tasks_at_start);
	replay->rewound = NIL;
}

void
ds_replay_suspend(DsReplay *replay)
{
	replay->suspended = true;
	raise_suspension(replay);
}

Jsonb *
ds_replay_copy(DsReplay *replay, const Jsonb *value)
{
	Jsonb	   *copy;

	if (value == NULL)
		return NULL;
	copy = MemoryContextAlloc(replay->cxt, VARSIZE(value));
	memcpy(copy, value, VARSIZE(value));
	return copy;
}

char *
ds_replay_strdup(DsReplay *replay, const char *s)
{
	return s ? MemoryContextStrdup(replay->cxt, s) : NULL;
}

static void
check_not_suspended(DsReplay *replay)
{
	if (replay->violation != NULL)
	{
		replay->swallowed++;
		if (replay->swallowed > SWALLOWED_BEFORE_OTHER_CODE)
			raise_suspension(replay);
		ds_failure_raise(replay->violation);
	}
	if (replay->suspended)
	{
		replay->swallowed++;
		raise_suspension(replay);
	}
}

static void
raise_suspension(DsReplay *replay)
{
	bool		other = replay->swallowed > SWALLOWED_BEFORE_OTHER_CODE;

	if (replay->swallowed > SWALLOWED_BEFORE_FATAL)
		ereport(FATAL,
				(errcode(DS_ERRCODE_RULE_BROKEN),
				 errmsg("orchestrator %s of instance \"%s\" catches its suspension forever",
						replay->inst->name, replay->inst->instance_id),
				 errhint("Let query_canceled and assert_failure pass in its exception handlers.")));

	/* the context of this error is not used, and building it is expensive */
	error_context_stack = NULL;
	ereport(ERROR,
			(errcode(other ? ERRCODE_ASSERT_FAILURE : ERRCODE_QUERY_CANCELED),
			 errmsg_internal("the orchestrator is suspended")));
}

static const char *
kind_name(DsOpKind kind, bool parallel)
{
	switch (kind)
	{
		case DS_OP_ACTIVITY:
			return parallel ? _("scheduled activity") : _("activity");
		case DS_OP_TIMER:
			return parallel ? _("a scheduled timer") : _("a timer");
		case DS_OP_EVENT:
			return parallel ? _("scheduled event") : _("external event");
		case DS_OP_CHILD:
			return _("sub-orchestrator");
		case DS_OP_RECORD:
			return _("a recorded value");
		case DS_OP_ANY:
			return _("the winner of df_wait_any");
		case DS_OP_PATCH:
		case DS_OP_TASKS:
		case DS_OP_NONE:
			break;
	}
	return "?";
}

char *
ds_replay_describe(DsOpKind kind, bool parallel, const char *name)
{
	if (name == NULL)
		return pstrdup(kind_name(kind, parallel));
	return psprintf("%s \"%s\"", kind_name(kind, parallel), name);
}
