/*-------------------------------------------------------------------------
 *
 * context_tasks.c
 *	  The functions for orchestrators that schedule and await tasks.
 *
 * A task is an operation that the orchestrator schedules without waiting for
 * it; its number is its position among the operations.  Awaiting is not an
 * operation: the outcome of a task never changes, so an await returns the same
 * at every replay.  Only the winner of df_wait_any is recorded.
 *
 * Calling a sub-orchestrator means scheduling and awaiting it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/jsonb_build.h"
#include "function/failure.h"
#include "orchestrator/context.h"
#include "orchestrator/replay_check.h"

PG_FUNCTION_INFO_V1(ds_schedule_activity);
PG_FUNCTION_INFO_V1(ds_schedule_sub_orchestrator);
PG_FUNCTION_INFO_V1(ds_schedule_timer);
PG_FUNCTION_INFO_V1(ds_schedule_event);
PG_FUNCTION_INFO_V1(ds_call_sub_orchestrator);
PG_FUNCTION_INFO_V1(ds_await);
PG_FUNCTION_INFO_V1(ds_wait_all);
PG_FUNCTION_INFO_V1(ds_wait_any);

static int	schedule_child(FunctionCallInfo fcinfo, DsReplay *replay);
static char *own_child_id(const DsReplay *replay, int seq);
static DsOp *schedule(DsReplay *replay, DsRow *row);
static void keep_call(DsReplay *replay, DsOp *op, Jsonb *input,
					  Jsonb *retry);
static void begin_task(DsReplay *replay, DsOp *op);
static DsOp *find_task(DsReplay *replay, int seq);
static int *tasks_argument(FunctionCallInfo fcinfo, int n, int *n_tasks);
static Jsonb *await_one(DsReplay *replay, int seq);
static bool await_all(DsReplay *replay, int n_tasks, const int *tasks);
pg_noreturn static void suspend_for(DsReplay *replay, int n_tasks,
									const int *tasks, bool any);
static int	first_ended(DsReplay *replay, int n_tasks, const int *tasks);

/* df_schedule_activity(function_name, input, retry) */
PGDLLEXPORT Datum
ds_schedule_activity(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_schedule_activity()");
	char	   *name = ds_arg_function_name(fcinfo, 0);
	Jsonb	   *input = ds_arg_payload(fcinfo, 1, "input");
	Jsonb	   *retry = ds_context_retry(fcinfo, 2);
	DsOp	   *op = ds_replay_next(replay, DS_OP_ACTIVITY, true, name);

	if (op == NULL)
	{
		DsRow		row = {0};

		row.kind = DS_OP_ACTIVITY;
		row.name = name;
		row.input = ds_replay_copy(replay, input);
		row.retry = ds_replay_copy(replay, retry);
		op = schedule(replay, &row);
		begin_task(replay, op);
		keep_call(replay, op, row.input, row.retry);
	}
	else
	{
		ds_replay_check_activity(replay, op, input, retry);
		if (replay->inst->rewinding)
			keep_call(replay, op, ds_replay_copy(replay, input),
					  ds_replay_copy(replay, retry));
	}
	PG_RETURN_INT32(op->last.seq);
}

/* df_schedule_sub_orchestrator(function_name, input, instance_id) */
PGDLLEXPORT Datum
ds_schedule_sub_orchestrator(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_schedule_sub_orchestrator()");

	PG_RETURN_INT32(schedule_child(fcinfo, replay));
}

/* df_call_sub_orchestrator(function_name, input, instance_id) */
PGDLLEXPORT Datum
ds_call_sub_orchestrator(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_call_sub_orchestrator()");
	int			seq = schedule_child(fcinfo, replay);

	return ds_context_return(fcinfo, await_one(replay, seq));
}

/* df_schedule_timer(delay, fire_at) */
PGDLLEXPORT Datum
ds_schedule_timer(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_schedule_timer()");
	DsOp	   *op;

	ds_context_check_timer(fcinfo, "df_schedule_timer");
	op = ds_replay_next(replay, DS_OP_TIMER, true, NULL);
	if (op != NULL)
		ds_context_check_fire_at(fcinfo, replay, op);
	else
	{
		DsRow		row = {0};

		row.kind = DS_OP_TIMER;
		row.fire_at = ds_context_timer(fcinfo);
		op = schedule(replay, &row);
	}
	PG_RETURN_INT32(op->last.seq);
}

/* df_schedule_event(event_name, timeout, default_value) */
PGDLLEXPORT Datum
ds_schedule_event(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_schedule_event()");
	char	   *name = ds_arg_event_name(fcinfo, 0);
	Jsonb	   *default_value = ds_arg_payload(fcinfo, 2, "default_value");
	DsOp	   *op = ds_replay_next(replay, DS_OP_EVENT, true, name);

	if (op == NULL)
	{
		DsRow		row = {0};

		row.kind = DS_OP_EVENT;
		row.name = name;
		row.result = ds_replay_copy(replay, default_value);
		if (!PG_ARGISNULL(1))
			row.fire_at = ds_arg_time_after(PG_GETARG_INTERVAL_P(1));
		op = schedule(replay, &row);
	}
	PG_RETURN_INT32(op->last.seq);
}

/* df_await(task) */
PGDLLEXPORT Datum
ds_await(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_await()");

	ds_arg_require(fcinfo, 0, "task");
	return ds_context_return(fcinfo, await_one(replay, PG_GETARG_INT32(0)));
}

/*
 * df_wait_all(tasks)
 *
 * Waits until all tasks have ended, even if one fails, and raises the failure
 * of the first one in the array that has failed.
 */
PGDLLEXPORT Datum
ds_wait_all(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_wait_all()");
	int			n_tasks;
	int		   *tasks = tasks_argument(fcinfo, 0, &n_tasks);
	JsonbParseState *state = NULL;
	Jsonb	  **results = palloc((n_tasks + 1) * sizeof(Jsonb *));

	if (!await_all(replay, n_tasks, tasks))
		suspend_for(replay, n_tasks, tasks, false);

	/*
	 * this delivers all of them to the code, although only one failure is
	 * raised
	 */
	for (int i = 0; i < n_tasks; i++)
		find_task(replay, tasks[i])->delivered = true;
	for (int i = 0; i < n_tasks; i++)
		results[i] = ds_replay_result(replay, find_task(replay, tasks[i]));

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n_tasks; i++)
		ds_jsonb_push_element(&state, results[i]);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY,
													   NULL)));
}

/* df_wait_any(tasks) */
PGDLLEXPORT Datum
ds_wait_any(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_wait_any()");
	int			n_tasks;
	int		   *tasks = tasks_argument(fcinfo, 0, &n_tasks);
	DsOp	   *op;
	int			winner;

	if (n_tasks == 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("tasks must not be empty"),
				 errhint("df_wait_any would wait forever.")));
	op = ds_replay_next(replay, DS_OP_ANY, false, NULL);
	if (op == NULL)
	{
		winner = first_ended(replay, n_tasks, tasks);
		if (winner == 0)
			suspend_for(replay, n_tasks, tasks, true);
		ds_context_record(replay, DS_OP_ANY, NULL,
						  ds_jsonb_from_int(winner));
		op = ds_replay_next(replay, DS_OP_ANY, false, NULL);
	}
	winner = ds_jsonb_to_int(op->last.result);
	for (int i = 0; i < n_tasks; i++)
	{
		if (tasks[i] == winner)
			PG_RETURN_INT32(winner);
	}
	replay->cursor--;
	ds_replay_mismatch(replay,
					   psprintf(_("History has task %d as the winner of df_wait_any; the code does not wait for it."),
								winner));
	ds_failure_raise(replay->violation);
}

static int
schedule_child(FunctionCallInfo fcinfo, DsReplay *replay)
{
	char	   *name = ds_arg_function_name(fcinfo, 0);
	Jsonb	   *input = ds_arg_payload(fcinfo, 1, "input");
	char	   *id = PG_ARGISNULL(2) ? NULL : ds_arg_instance_id(fcinfo, 2);
	DsOp	   *op = ds_replay_next(replay, DS_OP_CHILD, true, name);

	if (id == NULL)
		id = own_child_id(replay, op != NULL ? op->last.seq : replay->n_ops + 1);
	if (op == NULL)
	{
		DsRow		row = {0};

		row.kind = DS_OP_CHILD;
		row.name = name;
		row.child_id = ds_replay_strdup(replay, id);
		row.input = ds_replay_copy(replay, input);
		op = schedule(replay, &row);
		begin_task(replay, op);
		keep_call(replay, op, row.input, NULL);
	}
	else
	{
		ds_replay_check_child(replay, op, input, id);
		if (replay->inst->rewinding)
			keep_call(replay, op, ds_replay_copy(replay, input), NULL);
	}
	return op->last.seq;
}

/* Of a child that the code gives no id. */
static char *
own_child_id(const DsReplay *replay, int seq)
{
	Datum		execution = UUIDPGetDatum(&replay->inst->execution_id);

	return psprintf("%s:%04x",
					DatumGetCString(DirectFunctionCall1(uuid_out, execution)),
					seq);
}

/* Adds a new task, which the code has passed. */
static DsOp *
schedule(DsReplay *replay, DsRow *row)
{
	char	   *name = row->name;

	row->outcome = DS_OUTCOME_SCHEDULED;
	row->parallel = true;
	row->name = ds_replay_strdup(replay, name);
	row->scheduled_time = row->event_time = GetCurrentTimestamp();
	ds_replay_add(replay, row);
	return ds_replay_next(replay, row->kind, true, name);
}

/* Another process runs the task; the step that records it makes it ready. */
static void
begin_task(DsReplay *replay, DsOp *op)
{
	MemoryContext old = MemoryContextSwitchTo(replay->cxt);

	replay->tasks = lappend_int(replay->tasks, op->last.seq);
	MemoryContextSwitchTo(old);
}

static void
keep_call(DsReplay *replay, DsOp *op, Jsonb *input, Jsonb *retry)
{
	op->input = input;
	op->retry = retry;
	op->search_path = ds_replay_strdup(replay, namespace_search_path);
}

/* The task with this number, if the code has scheduled it. */
static DsOp *
find_task(DsReplay *replay, int seq)
{
	if (seq < 1 || seq > replay->cursor ||
		!ds_replay_op(replay, seq)->last.parallel)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("there is no task number %d", seq),
				 errhint("Pass what df_schedule_activity, df_schedule_sub_orchestrator, df_schedule_timer or df_schedule_event returned.")));
	return ds_replay_op(replay, seq);
}

static int *
tasks_argument(FunctionCallInfo fcinfo, int n, int *n_tasks)
{
	Datum	   *datums;
	bool	   *nulls;
	int		   *tasks;

	ds_arg_require(fcinfo, n, "tasks");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), INT4OID, sizeof(int32), true,
					  TYPALIGN_INT, &datums, &nulls, n_tasks);
	tasks = palloc((*n_tasks + 1) * sizeof(int));
	for (int i = 0; i < *n_tasks; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(DS_ERRCODE_BAD_ARGUMENT),
					 errmsg("tasks must not contain null"),
					 errhint("Pass the numbers that the df_schedule functions returned.")));
		tasks[i] = DatumGetInt32(datums[i]);
	}
	return tasks;
}

static Jsonb *
await_one(DsReplay *replay, int seq)
{
	if (!await_all(replay, 1, &seq))
		suspend_for(replay, 1, &seq, false);
	return ds_replay_result(replay, find_task(replay, seq));
}

/* True if all have ended. */
static bool
await_all(DsReplay *replay, int n_tasks, const int *tasks)
{
	bool		ended = true;

	for (int i = 0; i < n_tasks; i++)
	{
		DsOp	   *op = find_task(replay, tasks[i]);

		/* all failed tasks must run again, not only the first one */
		if (!ds_op_has_ended(op) || ds_replay_rewind(replay, op))
			ended = false;
	}
	if (ended && replay->awaited == n_tasks && n_tasks > 0 &&
		replay->first_awaited == tasks[0])
		replay->awaited = 0;
	return ended;
}

static void
suspend_for(DsReplay *replay, int n_tasks, const int *tasks, bool any)
{
	DsRequest  *request = &replay->request;

	request->kind = request->wait.kind = DS_OP_TASKS;
	request->wait.since = GetCurrentTimestamp();
	request->wait.any = any;
	request->wait.n_tasks = n_tasks;
	request->wait.tasks = MemoryContextAllocHuge(replay->cxt,
												 n_tasks * sizeof(int));
	memcpy(request->wait.tasks, tasks, n_tasks * sizeof(int));
	ds_replay_suspend(replay);
}

/* The task that ended first, or 0. */
static int
first_ended(DsReplay *replay, int n_tasks, const int *tasks)
{
	const DsOp *first = NULL;

	for (int i = 0; i < n_tasks; i++)
	{
		const DsOp *op = find_task(replay, tasks[i]);

		if (ds_op_has_ended(op) &&
			(first == NULL || op->last.event_time < first->last.event_time))
			first = op;
	}
	return first ? first->last.seq : 0;
}
