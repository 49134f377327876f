/*-------------------------------------------------------------------------
 *
 * store.c
 *	  Reading and writing the extension's tables: the instance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "settings.h"
#include "store_parts.h"

static void add_fence(DsParameters *p, const DsInstance *inst);
static void add_start(DsParameters *p, const DsStart *start);
static void add_wait(DsParameters *p, const DsWait *wait);
static bool change_status(DsStatementId statement, const DsInstance *inst,
						  bool bounded);

DsInstance *
ds_store_load(const char *instance_id)
{
	DsSession	s;
	DsParameters p = {0};
	DsInstance *inst = NULL;

	ds_open_session(&s);
	ds_add_text(&p, instance_id);
	if (ds_execute(DS_SQL_LOAD_INSTANCE, &p) > 0)
	{
		int			col = 1;
		bool		isnull;

		inst = MemoryContextAllocZero(s.caller, sizeof(DsInstance));
		inst->instance_id = MemoryContextStrdup(s.caller, instance_id);
		inst->execution_id = ds_column_uuid(0, col++);
		inst->run_id = ds_column_uuid(0, col++);
		inst->owner = ds_column_oid(0, col++);
		inst->status = ds_status_from_oid(ds_column_oid(0, col++));
		inst->turn = ds_column_int(0, col++);
		inst->history_length = ds_column_int(0, col++);
		inst->home = ds_column_int(0, col++);
		inst->rewinding = ds_column_bool(0, col++);
		inst->name = ds_column_text(&s, 0, col++);
		inst->function_schema = ds_column_text(&s, 0, col++);
		inst->created_time = ds_column_time(0, col++);
		inst->last_updated_time = ds_column_time(0, col++);
		inst->ready_time = ds_column_time(0, col++);
		inst->start_clock = ds_column_time(0, col++);
		inst->code = ds_column_int64(0, col++);
		inst->wait.kind = (DsOpKind) ds_column_char(0, col++);
		inst->wait.name = ds_column_text(&s, 0, col++);
		inst->wait.since = ds_column_time(0, col++);
		inst->wait.fire_at = ds_column_time(0, col++);
		inst->wait.default_value = ds_column_jsonb(&s, 0, col++);
		inst->wait.watch = DatumGetInt32(ds_column(0, col++, &isnull));
		inst->wait.any = !isnull && inst->wait.watch == 0;
		inst->parent.instance_id = ds_column_text(&s, 0, col++);
		if (inst->parent.instance_id != NULL)
		{
			inst->parent.run_id = ds_column_uuid(0, col);
			inst->parent.execution_id = ds_column_uuid(0, col + 1);
			inst->parent.seq = ds_column_int(0, col + 2);
		}
		col += 3;
		inst->input = ds_column_jsonb(&s, 0, col++);
		inst->custom_status = ds_column_jsonb(&s, 0, col++);
		inst->output = ds_column_jsonb(&s, 0, col++);
		inst->failure = ds_column_jsonb(&s, 0, col++);
		inst->xmin = (TransactionId) ds_column_oid(0, col++);
	}
	ds_close_session(&s);
	return inst;
}

void
ds_store_load_wait_tasks(DsInstance *inst)
{
	DsSession	s;
	DsParameters p = {0};

	ds_open_session(&s);
	ds_add_text(&p, inst->instance_id);
	if (ds_execute(DS_SQL_LOAD_WAIT_TASKS, &p) > 0)
		inst->wait.tasks = ds_column_int_array(&s, 0, 1, &inst->wait.n_tasks);
	ds_close_session(&s);
}

bool
ds_store_insert(const DsStart *start, bool bounded)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	add_start(&p, start);
	done = ds_execute_bounded(DS_SQL_INSERT_INSTANCE, &p, bounded) > 0;
	ds_close_session(&s);
	return done;
}

bool
ds_store_start_over(const DsStart *start, const DsInstance *over,
					int n_allowed, const DsStatus *allowed, bool bounded,
					bool *had_tasks)
{
	DsSession	s;
	DsParameters p = {0};
	bool		archive = ds_keep_executions > 0;
	bool		done;

	*had_tasks = false;
	ds_open_session(&s);
	add_start(&p, start);
	ds_add_uuid(&p, &over->execution_id);
	ds_add_int(&p, over->turn);
	ds_add_status_array(&p, n_allowed, allowed);
	done = ds_execute_bounded(archive ? DS_SQL_START_OVER_ARCHIVING :
							  DS_SQL_START_OVER, &p, bounded) > 0;
	if (done)
	{
		DsParameters prune = {0};

		if (over->history_length > 0)
			*had_tasks = ds_delete_tasks(&over->execution_id, bounded);
		/* events that the old run never waited for */
		ds_delete_messages(&over->run_id);
		ds_add_text(&prune, start->instance_id);
		ds_add_int(&prune, ds_keep_executions);
		ds_execute(DS_SQL_PRUNE_ARCHIVE, &prune);
	}
	if (done && !archive)
		ds_delete_history(&over->execution_id);
	ds_close_session(&s);
	return done;
}

/*
 * The instance's row comes last: what is waited for last cannot make a
 * deadlock with others that do the same.  (What comes after it in
 * ds_store_continue are rows of tasks, which nobody locks before it.)
 */
bool
ds_store_step(const DsStepWrite *w, bool *suspended)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	ds_put_rows(w);
	ds_put_tasks(w);
	add_fence(&p, w->inst);
	ds_add_time(&p, w->now);
	ds_add_int(&p, w->history_length);
	add_wait(&p, &w->wait);
	ds_add_time(&p, w->start_clock);
	ds_add_jsonb(&p, w->wait.default_value);
	ds_add_jsonb(&p, w->custom_status);
	ds_add(&p, Int32GetDatum(w->wait.any ? 0 : w->wait.watch),
		   w->wait.kind != DS_OP_TASKS);
	ds_add_int_array(&p, w->wait.n_tasks, w->wait.tasks);
	ds_add(&p, Int64GetDatum(w->code), w->code == 0);
	ds_add_bool(&p, w->even_suspended);
	ds_add_bool(&p, w->rewinding);
	done = ds_execute(DS_SQL_STEP, &p) > 0;
	*suspended = done &&
		ds_status_from_oid(ds_column_oid(0, 1)) == DS_SUSPENDED;
	ds_close_session(&s);
	return done;
}

bool
ds_store_end(const DsStepWrite *w)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	ds_put_rows(w);
	ds_put_tasks(w);
	add_fence(&p, w->inst);
	ds_add_time(&p, w->now);
	ds_add_int(&p, w->history_length);
	ds_add_oid(&p, ds_status_to_oid(w->end_status));
	ds_add_time(&p, w->start_clock);
	ds_add_jsonb(&p, w->custom_status);
	ds_add_jsonb(&p, w->output);
	ds_add_jsonb(&p, w->failure);
	done = ds_execute(DS_SQL_END, &p) > 0;
	ds_close_session(&s);
	return done;
}

bool
ds_store_continue(const DsStepWrite *w)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	/* the finished turn leaves no trace but the events that it took */
	for (int i = 0; i < w->n_rows; i++)
	{
		if (w->rows[i].inbox_id != 0)
			ds_delete_message(&w->inst->run_id, w->rows[i].inbox_id);
	}
	if (!w->keep_events)
		ds_delete_events(&w->inst->run_id);
	add_fence(&p, w->inst);
	ds_add_time(&p, w->now);
	ds_add_uuid(&p, &w->next_execution);
	ds_add_jsonb(&p, w->next_input);
	ds_add_jsonb(&p, w->custom_status);
	done = ds_execute(DS_SQL_CONTINUE, &p) > 0;
	if (done && (w->inst->history_length > 0 || ds_column_bool(0, 1)))
	{
		/* in this order: a task that ends meanwhile adds to the history */
		ds_delete_tasks(&w->inst->execution_id, true);
		ds_delete_history(&w->inst->execution_id);
	}
	ds_close_session(&s);
	return done;
}

bool
ds_store_terminate(const DsInstance *inst, Jsonb *output, bool bounded)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	ds_add_text(&p, inst->instance_id);
	ds_add_uuid(&p, &inst->execution_id);
	ds_add_jsonb(&p, output);
	done = ds_execute_bounded(DS_SQL_TERMINATE, &p, bounded) > 0;
	ds_close_session(&s);
	return done;
}

bool
ds_store_suspend(const DsInstance *inst)
{
	return change_status(DS_SQL_SUSPEND, inst, false);
}

bool
ds_store_resume(const DsInstance *inst)
{
	return change_status(DS_SQL_RESUME, inst, false);
}

bool
ds_store_rewind(const DsInstance *inst, bool bounded)
{
	return change_status(DS_SQL_REWIND, inst, bounded);
}

bool
ds_store_lock_active(const DsInstance *inst)
{
	return change_status(DS_SQL_LOCK_ACTIVE, inst, true);
}

bool
ds_store_purge(const DsInstance *inst, bool skip_locked)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	if (skip_locked && !change_status(DS_SQL_LOCK_ENDED, inst, false))
		return false;
	ds_open_session(&s);
	ds_add_text(&p, inst->instance_id);
	ds_add_uuid(&p, &inst->execution_id);
	done = ds_execute(DS_SQL_DELETE_INSTANCE, &p) > 0;
	if (done)
	{
		DsParameters prune = {0};

		/* in this order: a task that ends meanwhile adds to the history */
		ds_delete_tasks(&inst->execution_id, false);
		ds_delete_history(&inst->execution_id);
		ds_delete_messages(&inst->run_id);
		ds_add_text(&prune, inst->instance_id);
		ds_add_int(&prune, 0);
		ds_execute(DS_SQL_PRUNE_ARCHIVE, &prune);
	}
	ds_close_session(&s);
	return done;
}

bool
ds_store_is_unlocked(const char *instance_id)
{
	DsSession	s;
	DsParameters p = {0};
	bool		unlocked;

	ds_open_session(&s);
	ds_add_text(&p, instance_id);
	unlocked = ds_execute(DS_SQL_TRY_LOCK_INSTANCE, &p) > 0;
	ds_close_session(&s);
	return unlocked;
}

static bool
change_status(DsStatementId statement, const DsInstance *inst, bool bounded)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	ds_add_text(&p, inst->instance_id);
	ds_add_uuid(&p, &inst->execution_id);
	done = ds_execute_bounded(statement, &p, bounded) > 0;
	ds_close_session(&s);
	return done;
}

static void
add_fence(DsParameters *p, const DsInstance *inst)
{
	ds_add_text(p, inst->instance_id);
	ds_add_uuid(p, &inst->execution_id);
	ds_add_int(p, inst->turn);
}

static void
add_start(DsParameters *p, const DsStart *start)
{
	bool		child = start->parent.instance_id != NULL;

	ds_add_text(p, start->instance_id);
	ds_add_uuid(p, &start->execution_id);
	ds_add_oid(p, start->owner);
	ds_add_text(p, start->name);
	ds_add_text(p, start->function_schema);
	ds_add_jsonb(p, start->input);
	ds_add_time(p, start->now);
	ds_add_time(p, start->ready_time);
	ds_add_int(p, start->home);
	ds_add_text(p, start->parent.instance_id);
	ds_add(p, UUIDPGetDatum(&start->parent.run_id), !child);
	ds_add(p, UUIDPGetDatum(&start->parent.execution_id), !child);
	ds_add(p, Int32GetDatum(start->parent.seq), !child);
}

static void
add_wait(DsParameters *p, const DsWait *wait)
{
	ds_add_char(p, wait->kind);
	ds_add_time(p, wait->since);
	ds_add_time(p, wait->fire_at);
	ds_add_text(p, wait->name);
}
