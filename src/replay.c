/*-------------------------------------------------------------------------
 *
 * replay.c
 *	  One orchestrator against its history.
 *
 * A suspension is an error that PL/pgSQL's WHEN OTHERS does not catch.  Code
 * can catch it by name all the same, or run in a language that swallows
 * everything.  So suspension is sticky: every further call suspends again,
 * and whatever the pass returns or raises, it counts as suspended.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "errors.h"
#include "failure.h"
#include "replay.h"

/*
 * WHEN query_canceled in a loop would go on for ever: after so many times the
 * suspension comes as assert_failure, which OTHERS does not catch either, and
 * after many more the process gives up.
 */
#define SWALLOWED_BEFORE_OTHER_CODE		10
#define SWALLOWED_BEFORE_FATAL			10000

static DsReplay *current = NULL;

static void check_not_suspended(DsReplay *replay);
pg_noreturn static void raise_suspension(DsReplay *replay);
static const char *kind_name(DsOpKind kind);
static char *describe(DsOpKind kind, const char *name);

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
	return replay;
}

void
ds_replay_append(DsReplay *replay, const DsOp *op)
{
	if (replay->n_ops == replay->max_ops)
	{
		int			max = Max(16, replay->max_ops * 2);
		DsOp	   *ops = MemoryContextAllocHuge(replay->cxt, max * sizeof(DsOp));

		if (replay->n_ops > 0)
			memcpy(ops, replay->ops, replay->n_ops * sizeof(DsOp));
		replay->ops = ops;
		replay->max_ops = max;
	}
	replay->ops[replay->n_ops++] = *op;
}

void
ds_replay_begin_pass(DsReplay *replay)
{
	DsInstance *inst = replay->inst;

	replay->cursor = 0;
	replay->n_at_start = replay->n_ops;
	if (inst->start_clock != 0)
		replay->start_clock = inst->start_clock;
	else if (replay->start_clock == 0)
		replay->start_clock = GetCurrentTimestamp();
	replay->clock = replay->start_clock;
	replay->clock_used = false;
	replay->n_guids = 0;
	replay->suspended = false;
	replay->swallowed = 0;
	memset(&replay->request, 0, sizeof(replay->request));
	replay->continued = false;
	replay->next_input = NULL;
	replay->custom_status_set = false;
	replay->custom_status = NULL;
	replay->violation = NULL;
	current = replay;
}

void
ds_replay_end_pass(void)
{
	current = NULL;
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

	/* the code did not return after df_continue_as_new: this is its end */
	if (replay->continued)
		ds_replay_suspend(replay);
	return replay;
}

const DsOp *
ds_replay_next(DsReplay *replay, DsOpKind kind, const char *name)
{
	const DsOp *op;

	if (replay->cursor == replay->n_ops)
		return NULL;
	op = &replay->ops[replay->cursor];
	if (op->kind != kind ||
		(name != NULL && (op->name == NULL || strcmp(op->name, name) != 0)))
	{
		ds_replay_violation(replay,
							psprintf(_("orchestrator %s does not match the history of instance \"%s\" at step %d"),
									 replay->inst->name,
									 replay->inst->instance_id,
									 replay->cursor + 1),
							psprintf(_("History has %s; the code asked for %s."),
									 describe(op->kind, op->name),
									 describe(kind, name)),
							_("An orchestrator must make the same calls in the same order at every replay. Read changing data in an activity or through df_record, and do not change the code of running instances."));
		ds_failure_raise(replay->violation);
	}
	replay->cursor++;
	replay->clock = Max(replay->clock, op->event_time);
	return op;
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
				 errmsg("orchestrator %s of instance \"%s\" catches its suspension for ever",
						replay->inst->name, replay->inst->instance_id),
				 errhint("Let query_canceled and assert_failure pass in its exception handlers.")));

	/* nobody reads the context of this error, and to build it costs */
	error_context_stack = NULL;
	ereport(ERROR,
			(errcode(other ? ERRCODE_ASSERT_FAILURE : ERRCODE_QUERY_CANCELED),
			 errmsg_internal("the orchestrator is suspended")));
}

static const char *
kind_name(DsOpKind kind)
{
	switch (kind)
	{
		case DS_OP_ACTIVITY:
			return _("activity");
		case DS_OP_TIMER:
			return _("a timer");
		case DS_OP_EVENT:
			return _("external event");
		case DS_OP_RECORD:
			return _("a recorded value");
		case DS_OP_NONE:
			break;
	}
	return "?";
}

static char *
describe(DsOpKind kind, const char *name)
{
	if (name == NULL)
		return pstrdup(kind_name(kind));
	return psprintf("%s \"%s\"", kind_name(kind), name);
}
