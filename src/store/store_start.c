/*-------------------------------------------------------------------------
 *
 * store_start.c
 *	  Reads and writes the extension's tables: starts, and past executions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "store/fence.h"
#include "store/store_parts.h"
#include "store/table.h"

/* A new execution that replaces the one that was read. */
typedef struct StartOver
{
	const DsStart *start;
	const DsInstance *over;
} StartOver;

static void add_start(DsParameters *p, const DsStart *start);
static int	n_archived_after(const DsInstance *over);
static bool change_for_start_over(DsParameters *p, void *arg);
static void archive(const DsStart *start, const DsInstance *over);

bool
ds_store_insert(DsStart *start, bool limit_lock_wait)
{
	DsParameters p;
	DsLoop		scratch;
	bool		done;

	ds_query_loop_start(&scratch);
	ds_table_row_begin(&p, DS_INSTANCE);
	add_start(&p, start);
	done = ds_table_insert_if_absent(DS_INSTANCE,
									 ds_table_text_key(start->instance_id), &p,
									 limit_lock_wait, &start->tid);
	ds_query_loop_end(&scratch);
	return done;
}

bool
ds_store_start_over(DsStart *start, DsInstance *over, bool limit_lock_wait,
					bool *had_tasks)
{
	StartOver	so = {.start = start,.over = over};
	bool		has_history = over->history_length > 0 || over->has_notes;

	*had_tasks = false;
	if (!ds_table_update(DS_INSTANCE, ds_table_text_key(start->instance_id),
						 &over->tid, limit_lock_wait, change_for_start_over, &so))
		return false;
	start->tid = over->tid;

	if (ds_keep_executions > 0)
		archive(start, over);
	/* events that the old run did not wait for */
	if (ds_store_has_messages(over))
		ds_store_delete_messages(&over->run_id);
	if (over->history_length > 0)
		*had_tasks = ds_store_delete_tasks(&over->execution_id, limit_lock_wait);
	if (has_history && ds_keep_executions == 0)
		ds_store_delete_history(&over->execution_id);
	if (over->n_archived + 1 > ds_keep_executions)
		ds_store_prune_archive(over, ds_keep_executions);
	return true;
}

/* The number of executions in the archive once this one has been added. */
static int
n_archived_after(const DsInstance *over)
{
	return Min(over->n_archived + 1, ds_keep_executions);
}

/* Archives the execution that was read and that the fence found unchanged. */
static void
archive(const DsStart *start, const DsInstance *over)
{
	bool		active = ds_status_is_active(over->status);
	DsParameters p;

	ds_table_row_begin(&p, DS_EXECUTION);
	ds_param_time(ds_param_at(&p, EXECUTION_created_time), over->created_time);
	ds_param_time(ds_param_at(&p, EXECUTION_last_updated_time),
				  active ? start->now : over->last_updated_time);
	ds_param_oid(ds_param_at(&p, EXECUTION_owner), over->owner);
	ds_param_oid(ds_param_at(&p, EXECUTION_status),
				 ds_catalog_status_oid(active ? DS_TERMINATED : over->status));
	ds_param_int(ds_param_at(&p, EXECUTION_history_length),
				 over->history_length);
	ds_param_uuid(ds_param_at(&p, EXECUTION_execution_id),
				  &over->execution_id);
	ds_param_text(ds_param_at(&p, EXECUTION_instance_id), over->instance_id);
	ds_param_text(ds_param_at(&p, EXECUTION_name), over->name);
	ds_param_text(ds_param_at(&p, EXECUTION_parent_instance_id),
				  over->parent.instance_id);
	ds_param_jsonb(ds_param_at(&p, EXECUTION_input), over->input);
	ds_param_jsonb(ds_param_at(&p, EXECUTION_custom_status),
				   over->custom_status);
	ds_param_jsonb(ds_param_at(&p, EXECUTION_output), over->output);
	ds_param_jsonb(ds_param_at(&p, EXECUTION_failure), over->failure);
	ds_table_insert(DS_EXECUTION, &p);
}

/*
 * The ids of executions ascend, and the last ones are kept.  The row has their
 * number, without one that may just have been added.
 */
void
ds_store_prune_archive(const DsInstance *inst, int keep)
{
	DsSession	s;
	DsParameters p = {0};

	if (inst->n_archived == 0 && keep == 0)
		return;
	ds_query_open(&s);
	ds_param_text(&p, inst->instance_id);
	ds_param_int(&p, keep);
	ds_param_int(&p, keep == 0 ? PG_INT32_MAX : inst->n_archived + 1 - keep);
	ds_query_execute(DS_SQL_PRUNE_ARCHIVE, &p);
	ds_query_close(&s);
}

/*
 * The row must be exactly as it was read, because that is what the archive
 * gets.
 */
static bool
change_for_start_over(DsParameters *p, void *arg)
{
	StartOver  *so = arg;
	DsStatus	status;

	if (!ds_fence_passes(so->over, &status) || status != so->over->status ||
		ds_fence_last_updated_time() != so->over->last_updated_time)
		return false;
	ds_table_row_begin(p, DS_INSTANCE);
	add_start(p, so->start);
	if (n_archived_after(so->over) > 0)
		ds_param_int(ds_param_at(p, INSTANCE_n_archived),
					 n_archived_after(so->over));
	return true;
}

/* The row of a new execution; all parameters are NULL before. */
static void
add_start(DsParameters *p, const DsStart *start)
{
	ds_param_time(ds_param_at(p, INSTANCE_created_time), start->now);
	ds_param_oid(ds_param_at(p, INSTANCE_owner), start->owner);
	ds_param_int(ds_param_at(p, INSTANCE_home), start->home);
	ds_param_uuid(ds_param_at(p, INSTANCE_execution_id), &start->execution_id);
	if (start->parent.instance_id != NULL)
	{
		ds_param_uuid(ds_param_at(p, INSTANCE_parent_run_id),
					  &start->parent.run_id);
		ds_param_uuid(ds_param_at(p, INSTANCE_parent_execution_id),
					  &start->parent.execution_id);
		ds_param_int(ds_param_at(p, INSTANCE_parent_seq), start->parent.seq);
		ds_param_text(ds_param_at(p, INSTANCE_parent_instance_id),
					  start->parent.instance_id);
	}
	ds_param_text(ds_param_at(p, INSTANCE_instance_id), start->instance_id);
	ds_param_text(ds_param_at(p, INSTANCE_name), start->name);
	ds_param_text(ds_param_at(p, INSTANCE_function_schema),
				  start->function_schema);
	ds_param_jsonb(ds_param_at(p, INSTANCE_input), start->input);
	ds_param_time(ds_param_at(p, INSTANCE_ready_time), start->ready_time);
	ds_param_oid(ds_param_at(p, INSTANCE_status),
				 ds_catalog_status_oid(DS_PENDING));
	ds_param_int(ds_param_at(p, INSTANCE_turn), 0);
	ds_param_int(ds_param_at(p, INSTANCE_history_length), 0);
}
