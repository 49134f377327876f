/*-------------------------------------------------------------------------
 *
 * store_tasks.c
 *	  Reads and writes the extension's tables: open tasks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "store/fence.h"
#include "store/store_parts.h"
#include "store/table.h"

/* A change of a task's row by the process that runs this attempt. */
typedef struct Change
{
	const DsTask *task;
	int			counted;
	int			automatic;
	TimestampTz first_time;
	TimestampTz ready_time;
} Change;

static DsKey task_key(const pg_uuid_t *execution_id, int seq);
static DsTask *read_task(const DsScan *scan);
static bool is_suspended(const DsTask *task);
static bool is_attempt(DsParameters *p, void *arg);
static bool change_for_repeat(DsParameters *p, void *arg);
static bool take_child_task(DsParameters *p, void *arg);

DsTask *
ds_store_load_task(const pg_uuid_t *execution_id, int seq, bool *suspended)
{
	DsScan		scan;
	DsTask	   *task = NULL;

	ds_table_scan_begin(&scan, DS_TASK, task_key(execution_id, seq));
	if (ds_table_scan_next(&scan))
		task = read_task(&scan);
	ds_table_scan_end(&scan);
	*suspended = task != NULL && is_suspended(task);
	return task;
}

static DsTask *
read_task(const DsScan *scan)
{
	const DsSession *s = &scan->session;
	DsTask	   *task = palloc0(sizeof(DsTask));

	task->execution_id = ds_column_uuid(0, TASK_execution_id);
	task->seq = ds_column_int(0, TASK_seq);
	task->kind = (DsOpKind) ds_column_char(0, TASK_kind);
	task->owner = ds_column_oid(0, TASK_owner);
	task->home = ds_column_int(0, TASK_home);
	task->attempt = ds_column_int(0, TASK_attempt);
	task->counted = ds_column_int(0, TASK_counted);
	task->automatic = ds_column_int(0, TASK_automatic);
	task->first_time = ds_column_time(0, TASK_first_time);
	task->ready_time = ds_column_time(0, TASK_ready_time);
	task->instance_id = ds_column_text(s, 0, TASK_instance_id);
	task->name = ds_column_text(s, 0, TASK_name);
	task->search_path = ds_column_text(s, 0, TASK_search_path);
	task->input = ds_column_jsonb(s, 0, TASK_input);
	task->retry = ds_column_jsonb(s, 0, TASK_retry);
	task->xmin = ds_table_scan_xmin(scan);
	return task;
}

/* Is the execution of the task suspended? */
static bool
is_suspended(const DsTask *task)
{
	DsScan		scan;
	bool		suspended = false;

	ds_table_scan_begin(&scan, DS_INSTANCE,
						ds_table_text_key(task->instance_id));
	if (ds_table_scan_next(&scan) &&
		ds_fence_is_execution(&task->execution_id))
		suspended = ds_catalog_status(ds_column_oid(0, INSTANCE_status)) ==
			DS_SUSPENDED;
	ds_table_scan_end(&scan);
	return suspended;
}

bool
ds_store_end_task(const DsTask *task)
{
	Change		c = {.task = task};

	return ds_table_delete(DS_TASK, task_key(&task->execution_id, task->seq),
						   true, is_attempt, &c);
}

bool
ds_store_repeat_task(const DsTask *task, int counted, int automatic,
					 TimestampTz first_time, TimestampTz ready_time)
{
	Change		c = {
		.task = task,.counted = counted,.automatic = automatic,
		.first_time = first_time,.ready_time = ready_time
	};
	ItemPointerData tid;

	ItemPointerSetInvalid(&tid);
	return ds_table_update(DS_TASK, task_key(&task->execution_id, task->seq),
						   &tid, true, change_for_repeat, &c);
}

/* The fence of a task. */
static bool
is_attempt(DsParameters *p, void *arg)
{
	const Change *c = arg;

	return ds_column_int(0, TASK_attempt) == c->task->attempt;
}

static bool
change_for_repeat(DsParameters *p, void *arg)
{
	const Change *c = arg;

	if (!is_attempt(p, arg))
		return false;
	ds_param_int(ds_param_at(p, TASK_attempt), c->task->attempt + 1);
	ds_param_int(ds_param_at(p, TASK_counted), c->counted);
	ds_param_int(ds_param_at(p, TASK_automatic), c->automatic);
	ds_param_time(ds_param_at(p, TASK_first_time), c->first_time);
	ds_param_time(ds_param_at(p, TASK_ready_time), c->ready_time);
	return true;
}

DsTask *
ds_store_end_child_task(const DsParent *parent, bool limit_lock_wait)
{
	DsTask	   *task = palloc0(sizeof(DsTask));

	task->kind = DS_OP_CHILD;
	task->execution_id = parent->execution_id;
	task->seq = parent->seq;
	if (ds_table_delete(DS_TASK, task_key(&task->execution_id, task->seq),
						limit_lock_wait, take_child_task, task))
		return task;
	pfree(task);
	return NULL;
}

static bool
take_child_task(DsParameters *p, void *arg)
{
	DsSession	here = {.caller = CurrentMemoryContext};
	DsTask	   *task = arg;

	if (ds_column_char(0, TASK_kind) != DS_OP_CHILD)
		return false;
	task->attempt = ds_column_int(0, TASK_attempt);
	task->first_time = ds_column_time(0, TASK_first_time);
	task->name = ds_column_text(&here, 0, TASK_name);
	return true;
}

bool
ds_store_cancel_tasks(const pg_uuid_t *execution_id, bool limit_lock_wait)
{
	return ds_store_delete_tasks(execution_id, limit_lock_wait);
}

/* Does the instance wait for the end of this task, or of any? */
bool
ds_store_is_watched(const DsTask *task)
{
	DsScan		scan;
	bool		watched = false;

	ds_table_scan_begin(&scan, DS_INSTANCE,
						ds_table_text_key(task->instance_id));
	if (ds_table_scan_next(&scan) &&
		ds_fence_is_execution(&task->execution_id))
	{
		bool		isnull;
		int			watch = DatumGetInt32(ds_column(0, INSTANCE_wait_watch,
													&isnull));

		watched = !isnull && (watch == 0 || watch == task->seq);
	}
	ds_table_scan_end(&scan);
	return watched;
}

bool
ds_store_wait_may_be_over(const char *instance_id, bool events)
{
	DsSession	s;
	DsParameters p = {0};
	bool		may_be_over;

	ds_query_open(&s);
	ds_param_text(&p, instance_id);
	ds_param_bool(&p, events);
	may_be_over = ds_query_execute(DS_SQL_WAIT_MAY_BE_OVER, &p) > 0;
	ds_query_close(&s);
	return may_be_over;
}

/* --- parts of a step --- */

void
ds_store_put_tasks(const DsStepWrite *w)
{
	ListCell   *cell;

	foreach(cell, w->tasks)
	{
		const DsTask *task = lfirst(cell);
		DsParameters p;

		ds_table_row_begin(&p, DS_TASK);
		ds_param_time(ds_param_at(&p, TASK_ready_time), task->ready_time);
		ds_param_time(ds_param_at(&p, TASK_first_time), task->first_time);
		ds_param_oid(ds_param_at(&p, TASK_owner), task->owner);
		ds_param_uuid(ds_param_at(&p, TASK_execution_id), &task->execution_id);
		ds_param_int(ds_param_at(&p, TASK_seq), task->seq);
		ds_param_int(ds_param_at(&p, TASK_attempt), task->attempt);
		ds_param_int(ds_param_at(&p, TASK_counted), task->counted);
		ds_param_int(ds_param_at(&p, TASK_automatic), task->automatic);
		ds_param_int(ds_param_at(&p, TASK_home), task->home);
		ds_param_char(ds_param_at(&p, TASK_kind), task->kind);
		ds_param_text(ds_param_at(&p, TASK_instance_id), task->instance_id);
		ds_param_text(ds_param_at(&p, TASK_name), task->name);
		ds_param_text(ds_param_at(&p, TASK_search_path), task->search_path);
		ds_param_jsonb(ds_param_at(&p, TASK_input), task->input);
		ds_param_jsonb(ds_param_at(&p, TASK_retry), task->retry);
		ds_table_insert(DS_TASK, &p);
	}
}

bool
ds_store_delete_tasks(const pg_uuid_t *execution_id, bool limit_lock_wait)
{
	return ds_query_run_for(DS_SQL_DELETE_TASKS, execution_id,
							limit_lock_wait) > 0;
}

static DsKey
task_key(const pg_uuid_t *execution_id, int seq)
{
	return ds_table_key2(UUIDPGetDatum(execution_id), Int32GetDatum(seq));
}
