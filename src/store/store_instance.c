/*-------------------------------------------------------------------------
 *
 * store_instance.c
 *	  Reads and writes the extension's tables: instances.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "store/fence.h"
#include "store/store_parts.h"
#include "store/table.h"

/* A step's change of its instance's row. */
typedef struct Step
{
	const DsStepWrite *w;
	bool		suspended;		/* the instance was suspended in the meantime */
	bool		has_notes;		/* its history has notes about actions of
								 * clients */
} Step;

/* How much of a row is read. */
typedef enum Extent
{
	EXTENT_ALL,
	EXTENT_START,				/* of an active one only what tells whose it
								 * is */
	EXTENT_PURGE				/* no payloads */
} Extent;

static DsInstance *load(const char *instance_id, Extent extent);
static DsInstance *read_row(const DsScan *scan, const char *instance_id,
							Extent extent);
static void read_rest(const DsSession *s, DsInstance *inst);
static void read_payloads(const DsSession *s, DsInstance *inst);
static bool write_step(Step *step, DsChange change);
static void change_progress(DsParameters *p, const DsStepWrite *w,
							DsStatus status);
static void change_wait(DsParameters *p, const DsWait *wait);
static bool change_for_step(DsParameters *p, void *arg);
static bool change_for_end(DsParameters *p, void *arg);
static bool change_for_continue(DsParameters *p, void *arg);

DsInstance *
ds_store_load(const char *instance_id)
{
	return load(instance_id, EXTENT_ALL);
}

DsInstance *
ds_store_load_for_start(const char *instance_id, bool brief)
{
	return load(instance_id, brief ? EXTENT_START : EXTENT_ALL);
}

DsInstance *
ds_store_load_seen(const char *instance_id)
{
	DsScan		scan;
	DsInstance *inst = NULL;

	ds_table_scan_begin_seen(&scan, DS_INSTANCE,
							 ds_table_text_key(instance_id));
	if (ds_table_scan_next(&scan))
		inst = read_row(&scan, instance_id, EXTENT_START);
	ds_table_scan_end(&scan);
	return inst;
}

DsInstance *
ds_store_load_for_purge(const char *instance_id)
{
	return load(instance_id, EXTENT_PURGE);
}

DsInstance *
ds_store_load_at(const char *instance_id, const ItemPointerData *tid)
{
	DsScan		scan;
	DsInstance *inst = NULL;

	if (ItemPointerIsValid(tid))
	{
		if (ds_table_scan_begin_tid(&scan, DS_INSTANCE, tid) &&
			strcmp(ds_column_text(&scan.session, 0, INSTANCE_instance_id),
				   instance_id) == 0)
			inst = read_row(&scan, instance_id, EXTENT_ALL);
		ds_table_scan_end(&scan);
	}
	return inst != NULL ? inst : load(instance_id, EXTENT_ALL);
}

static DsInstance *
load(const char *instance_id, Extent extent)
{
	DsScan		scan;
	DsInstance *inst = NULL;

	ds_table_scan_begin(&scan, DS_INSTANCE, ds_table_text_key(instance_id));
	if (ds_table_scan_next(&scan))
		inst = read_row(&scan, instance_id, extent);
	ds_table_scan_end(&scan);
	return inst;
}

static DsInstance *
read_row(const DsScan *scan, const char *instance_id, Extent extent)
{
	DsInstance *inst = palloc0(sizeof(DsInstance));

	inst->instance_id = pstrdup(instance_id);
	inst->execution_id = ds_column_uuid(0, INSTANCE_execution_id);
	inst->owner = ds_column_oid(0, INSTANCE_owner);
	inst->status = ds_catalog_status(ds_column_oid(0, INSTANCE_status));
	if (extent != EXTENT_START || !ds_status_is_active(inst->status))
		read_rest(&scan->session, inst);
	if (extent == EXTENT_ALL ||
		(extent == EXTENT_START && !ds_status_is_active(inst->status)))
		read_payloads(&scan->session, inst);
	inst->xmin = ds_table_scan_xmin(scan);
	inst->tid = ds_table_scan_tid(scan);
	return inst;
}

static void
read_rest(const DsSession *s, DsInstance *inst)
{
	bool		isnull;

	ds_column(0, INSTANCE_run_id, &isnull);
	inst->run_id = isnull ? inst->execution_id :
		ds_column_uuid(0, INSTANCE_run_id);
	inst->turn = ds_column_int(0, INSTANCE_turn);
	inst->history_length = ds_column_int(0, INSTANCE_history_length);
	inst->home = ds_column_int(0, INSTANCE_home);
	inst->rewinding = ds_column_bool(0, INSTANCE_rewinding);
	inst->name = ds_column_text(s, 0, INSTANCE_name);
	inst->function_schema = ds_column_text(s, 0, INSTANCE_function_schema);
	inst->created_time = ds_column_time(0, INSTANCE_created_time);
	inst->last_updated_time = ds_fence_last_updated_time();
	inst->ready_time = ds_column_time(0, INSTANCE_ready_time);
	inst->start_clock = ds_column_time(0, INSTANCE_start_clock);
	inst->code = ds_column_int64(0, INSTANCE_code);
	inst->wait.kind = (DsOpKind) ds_column_char(0, INSTANCE_wait_kind);
	inst->wait.name = ds_column_text(s, 0, INSTANCE_wait_name);
	inst->wait.since = ds_column_time(0, INSTANCE_wait_since);
	inst->wait.fire_at = ds_column_time(0, INSTANCE_wait_fire_at);
	inst->wait.watch = DatumGetInt32(ds_column(0, INSTANCE_wait_watch,
											   &isnull));
	inst->wait.any = !isnull && inst->wait.watch == 0;
	inst->parent.instance_id = ds_column_text(s, 0,
											  INSTANCE_parent_instance_id);
	if (inst->parent.instance_id != NULL)
	{
		inst->parent.run_id = ds_column_uuid(0, INSTANCE_parent_run_id);
		inst->parent.execution_id =
			ds_column_uuid(0, INSTANCE_parent_execution_id);
		inst->parent.seq = ds_column_int(0, INSTANCE_parent_seq);
	}
	inst->has_notes = ds_column_bool(0, INSTANCE_noted);
	inst->n_archived = ds_column_int(0, INSTANCE_n_archived);
}

static void
read_payloads(const DsSession *s, DsInstance *inst)
{
	inst->wait.default_value = ds_column_jsonb(s, 0, INSTANCE_wait_default);
	inst->input = ds_column_jsonb(s, 0, INSTANCE_input);
	inst->custom_status = ds_column_jsonb(s, 0, INSTANCE_custom_status);
	inst->output = ds_column_jsonb(s, 0, INSTANCE_output);
	inst->failure = ds_column_jsonb(s, 0, INSTANCE_failure);
}

bool
ds_store_is_unchanged(DsInstance *inst)
{
	DsScan		scan;
	DsStatus	status;
	bool		unchanged;

	unchanged = ds_table_scan_begin_tid(&scan, DS_INSTANCE, &inst->tid) &&
		ds_fence_passes(inst, &status) && status == inst->status &&
		ds_column_oid(0, INSTANCE_owner) == inst->owner &&
		ds_column_int(0, INSTANCE_home) == inst->home;
	ds_table_scan_end(&scan);
	return unchanged;
}

void
ds_store_load_wait_tasks(DsInstance *inst)
{
	DsScan		scan;

	ds_table_scan_begin(&scan, DS_INSTANCE,
						ds_table_text_key(inst->instance_id));
	if (ds_table_scan_next(&scan))
		inst->wait.tasks = ds_column_int_array(&scan.session, 0,
											   INSTANCE_wait_tasks,
											   &inst->wait.n_tasks);
	ds_table_scan_end(&scan);
}

bool
ds_store_step(const DsStepWrite *w, bool *suspended)
{
	Step		step = {.w = w};
	bool		done = write_step(&step, change_for_step);

	*suspended = done && step.suspended;
	return done;
}

bool
ds_store_end(const DsStepWrite *w)
{
	Step		step = {.w = w};

	return write_step(&step, change_for_end);
}

/*
 * The instance's row comes last: because the last lock is always of this kind,
 * steps cannot deadlock.  (ds_store_continue afterwards deletes rows of tasks,
 * which no process locks before the instance's row.)
 */
static bool
write_step(Step *step, DsChange change)
{
	const DsStepWrite *w = step->w;
	DsLoop		scratch;
	bool		done;

	ds_query_loop_start(&scratch);
	ds_store_put_rows(w);
	ds_store_put_defaults(w);
	ds_store_put_tasks(w);
	done =
		ds_table_update(DS_INSTANCE, ds_table_text_key(w->inst->instance_id),
						&w->inst->tid, true, change, step);
	ds_query_loop_end(&scratch);
	return done;
}

bool
ds_store_fail(const DsInstance *inst, Jsonb *failure, bool even_suspended)
{
	DsStepWrite w = {0};

	w.inst = (DsInstance *) inst;
	w.now = GetCurrentTimestamp();
	w.start_clock = inst->start_clock;
	w.history_length = inst->history_length;
	w.custom_status = inst->custom_status;
	w.even_suspended = even_suspended;
	w.end_status = DS_FAILED;
	w.failure = failure;
	return ds_store_end(&w);
}

static void
change_progress(DsParameters *p, const DsStepWrite *w, DsStatus status)
{
	ds_param_oid(ds_param_at(p, INSTANCE_status),
				 ds_catalog_status_oid(status));
	ds_param_int(ds_param_at(p, INSTANCE_turn), w->inst->turn + 1);
	ds_param_time(ds_param_at(p, INSTANCE_last_updated_time), w->now);
	ds_param_int(ds_param_at(p, INSTANCE_history_length), w->history_length);
	ds_param_time(ds_param_at(p, INSTANCE_start_clock), w->start_clock);
	ds_param_jsonb(ds_param_at(p, INSTANCE_custom_status), w->custom_status);
}

/* none for DS_OP_NONE */
static void
change_wait(DsParameters *p, const DsWait *wait)
{
	ds_param_char(ds_param_at(p, INSTANCE_wait_kind), wait->kind);
	ds_param_text(ds_param_at(p, INSTANCE_wait_name), wait->name);
	ds_param_time(ds_param_at(p, INSTANCE_wait_since), wait->since);
	ds_param_time(ds_param_at(p, INSTANCE_wait_fire_at), wait->fire_at);
	ds_param_jsonb(ds_param_at(p, INSTANCE_wait_default), wait->default_value);
	ds_param_datum(ds_param_at(p, INSTANCE_wait_watch),
				   Int32GetDatum(wait->any ? 0 : wait->watch),
				   wait->kind != DS_OP_TASKS);
	ds_param_int_array(ds_param_at(p, INSTANCE_wait_tasks), wait->n_tasks,
					   wait->tasks);
}

static bool
change_for_step(DsParameters *p, void *arg)
{
	Step	   *step = arg;
	const DsStepWrite *w = step->w;
	TimestampTz ready = w->wait.fire_at;
	DsStatus	status;

	if (!ds_fence_passes(w->inst, &status))
		return false;
	step->suspended = status == DS_SUSPENDED;
	if (!ds_status_is_active(status) ||
		(step->suspended && !w->even_suspended))
		return false;
	if (w->wait.kind == DS_OP_NONE)
	{
		/* it was due before, and still is */
		ready = ds_column_time(0, INSTANCE_ready_time);
		ready = ready == DS_NO_TIME ? w->now : Min(ready, w->now);
	}
	change_progress(p, w, step->suspended ? DS_SUSPENDED : DS_RUNNING);
	change_wait(p, &w->wait);
	ds_param_time(ds_param_at(p, INSTANCE_ready_time),
				  step->suspended ? DS_NO_TIME : ready);
	ds_param_time(ds_param_at(p, INSTANCE_suspended_ready_time),
				  step->suspended ? w->now : DS_NO_TIME);
	ds_param_datum(ds_param_at(p, INSTANCE_code), Int64GetDatum(w->code),
				   w->code == 0);
	if (w->defaults != NULL)
		ds_param_bool(ds_param_at(p, INSTANCE_noted), true);
	ds_param_datum(ds_param_at(p, INSTANCE_rewinding), BoolGetDatum(true),
				   !w->rewinding);
	return true;
}

static bool
change_for_end(DsParameters *p, void *arg)
{
	static const DsWait no_wait = {0};
	Step	   *step = arg;
	const DsStepWrite *w = step->w;
	DsStatus	status;

	if (!ds_fence_passes(w->inst, &status) || !ds_status_is_active(status) ||
		(status == DS_SUSPENDED && !w->even_suspended))
		return false;
	if (status == DS_SUSPENDED)
		ds_param_time(ds_param_at(p, INSTANCE_suspended_ready_time),
					  DS_NO_TIME);
	change_progress(p, w, w->end_status);
	change_wait(p, &no_wait);
	ds_param_time(ds_param_at(p, INSTANCE_ready_time), DS_NO_TIME);
	ds_param_jsonb(ds_param_at(p, INSTANCE_output), w->output);
	ds_param_jsonb(ds_param_at(p, INSTANCE_failure), w->failure);
	ds_param_datum(ds_param_at(p, INSTANCE_rewinding), (Datum) 0, true);
	return true;
}

bool
ds_store_continue(const DsStepWrite *w)
{
	Step		step = {.w = w};
	DsLoop		scratch;
	bool		done;

	ds_query_loop_start(&scratch);

	/*
	 * the finished execution leaves no trace; the events that it took are
	 * deleted
	 */
	ds_store_delete_taken_messages(w);
	if (!w->keep_events)
		ds_store_delete_events(&w->inst->run_id);
	done = ds_table_update(DS_INSTANCE,
						   ds_table_text_key(w->inst->instance_id),
						   &w->inst->tid, true,
						   change_for_continue, &step);
	if (done && (w->inst->history_length > 0 || step.has_notes))
	{
		/* in this order: a task that ends meanwhile adds to the history */
		ds_store_delete_tasks(&w->inst->execution_id, true);
		ds_store_delete_history(&w->inst->execution_id);
	}
	ds_query_loop_end(&scratch);
	return done;
}

/* The run stays: unprocessed events belong to the next execution. */
static bool
change_for_continue(DsParameters *p, void *arg)
{
	static const DsWait no_wait = {0};
	Step	   *step = arg;
	const DsStepWrite *w = step->w;
	TimestampTz ready = ds_column_time(0, INSTANCE_ready_time);
	DsStatus	status;

	if (!ds_fence_passes(w->inst, &status) ||
		(status != DS_PENDING && status != DS_RUNNING))
		return false;
	step->has_notes = ds_column_bool(0, INSTANCE_noted);
	ds_param_oid(ds_param_at(p, INSTANCE_status),
				 ds_catalog_status_oid(DS_RUNNING));
	ds_param_int(ds_param_at(p, INSTANCE_turn), 0);
	ds_param_int(ds_param_at(p, INSTANCE_history_length), 0);
	ds_param_time(ds_param_at(p, INSTANCE_created_time), w->now);
	ds_param_time(ds_param_at(p, INSTANCE_last_updated_time), w->now);
	ds_param_time(ds_param_at(p, INSTANCE_ready_time),
				  ready == DS_NO_TIME ? w->now : Min(ready, w->now));
	ds_param_time(ds_param_at(p, INSTANCE_start_clock), DS_NO_TIME);
	ds_param_datum(ds_param_at(p, INSTANCE_code), (Datum) 0, true);
	ds_param_uuid(ds_param_at(p, INSTANCE_run_id), &w->inst->run_id);
	ds_param_uuid(ds_param_at(p, INSTANCE_execution_id), &w->next_execution);
	ds_param_jsonb(ds_param_at(p, INSTANCE_input), w->next_input);
	ds_param_jsonb(ds_param_at(p, INSTANCE_custom_status), w->custom_status);
	ds_param_datum(ds_param_at(p, INSTANCE_rewinding), (Datum) 0, true);
	change_wait(p, &no_wait);
	return true;
}

bool
ds_store_terminate(const DsInstance *inst, Jsonb *output, bool limit_lock_wait)
{
	DsParameters p = {0};

	ds_param_text(&p, inst->instance_id);
	ds_param_uuid(&p, &inst->execution_id);
	ds_param_jsonb(&p, output);
	return ds_query_run(DS_SQL_TERMINATE, &p, limit_lock_wait) > 0;
}

bool
ds_store_suspend(const DsInstance *inst)
{
	return ds_store_change_status(DS_SQL_SUSPEND, inst, false);
}

bool
ds_store_resume(const DsInstance *inst)
{
	return ds_store_change_status(DS_SQL_RESUME, inst, false);
}

bool
ds_store_rewind(const DsInstance *inst, bool limit_lock_wait)
{
	return ds_store_change_status(DS_SQL_REWIND, inst, limit_lock_wait);
}

bool
ds_store_lock_active(const DsInstance *inst)
{
	return ds_store_change_status(DS_SQL_LOCK_ACTIVE, inst, true);
}

bool
ds_store_is_unlocked(const char *instance_id)
{
	DsParameters p = {0};

	ds_param_text(&p, instance_id);
	return ds_query_run(DS_SQL_TRY_LOCK_INSTANCE, &p, false) > 0;
}

bool
ds_store_change_status(DsStatementId statement, const DsInstance *inst,
					   bool limit_lock_wait)
{
	DsParameters p = {0};

	ds_param_text(&p, inst->instance_id);
	ds_param_uuid(&p, &inst->execution_id);
	return ds_query_run(statement, &p, limit_lock_wait) > 0;
}
