/*-------------------------------------------------------------------------
 *
 * store_tasks.c
 *	  Reading and writing the extension's tables: open tasks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "store_parts.h"

static void add_key(DsParameters *p, const DsTask *task);

DsTask *
ds_store_load_task(const pg_uuid_t *execution_id, int seq, bool *suspended)
{
	DsSession	s;
	DsParameters p = {0};
	DsTask	   *task = NULL;

	ds_open_session(&s);
	ds_add_uuid(&p, execution_id);
	ds_add_int(&p, seq);
	if (ds_execute(DS_SQL_LOAD_TASK, &p) > 0)
	{
		int			col = 1;

		task = MemoryContextAllocZero(s.caller, sizeof(DsTask));
		task->execution_id = *execution_id;
		task->seq = seq;
		task->kind = (DsOpKind) ds_column_char(0, col++);
		task->owner = ds_column_oid(0, col++);
		task->home = ds_column_int(0, col++);
		task->attempt = ds_column_int(0, col++);
		task->counted = ds_column_int(0, col++);
		task->automatic = ds_column_int(0, col++);
		task->first_time = ds_column_time(0, col++);
		task->ready_time = ds_column_time(0, col++);
		task->instance_id = ds_column_text(&s, 0, col++);
		task->name = ds_column_text(&s, 0, col++);
		task->search_path = ds_column_text(&s, 0, col++);
		task->input = ds_column_jsonb(&s, 0, col++);
		task->retry = ds_column_jsonb(&s, 0, col++);
		task->xmin = (TransactionId) ds_column_oid(0, col++);
		*suspended = ds_column_bool(0, col++);
	}
	ds_close_session(&s);
	return task;
}

bool
ds_store_end_task(const DsTask *task)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	add_key(&p, task);
	done = ds_execute(DS_SQL_END_TASK, &p) > 0;
	ds_close_session(&s);
	return done;
}

bool
ds_store_repeat_task(const DsTask *task, int counted, int automatic,
					 TimestampTz first_time, TimestampTz ready_time)
{
	DsSession	s;
	DsParameters p = {0};
	bool		done;

	ds_open_session(&s);
	add_key(&p, task);
	ds_add_int(&p, counted);
	ds_add_int(&p, automatic);
	ds_add_time(&p, first_time);
	ds_add_time(&p, ready_time);
	done = ds_execute(DS_SQL_REPEAT_TASK, &p) > 0;
	ds_close_session(&s);
	return done;
}

DsTask *
ds_store_end_child_task(const DsParent *parent, bool bounded)
{
	DsSession	s;
	DsParameters p = {0};
	DsTask	   *task = NULL;

	ds_open_session(&s);
	ds_add_uuid(&p, &parent->execution_id);
	ds_add_int(&p, parent->seq);
	if (ds_execute_bounded(DS_SQL_END_CHILD_TASK, &p, bounded) > 0)
	{
		task = MemoryContextAllocZero(s.caller, sizeof(DsTask));
		task->kind = DS_OP_CHILD;
		task->execution_id = parent->execution_id;
		task->seq = parent->seq;
		task->attempt = ds_column_int(0, 1);
		task->first_time = ds_column_time(0, 2);
		task->name = ds_column_text(&s, 0, 3);
	}
	ds_close_session(&s);
	return task;
}

bool
ds_store_cancel_tasks(const pg_uuid_t *execution_id, bool bounded)
{
	DsSession	s;
	bool		any;

	ds_open_session(&s);
	any = ds_delete_tasks(execution_id, bounded);
	ds_close_session(&s);
	return any;
}

bool
ds_store_is_watched(const DsTask *task)
{
	DsSession	s;
	DsParameters p = {0};
	bool		watched;

	ds_open_session(&s);
	ds_add_text(&p, task->instance_id);
	ds_add_uuid(&p, &task->execution_id);
	ds_add_int(&p, task->seq);
	watched = ds_execute(DS_SQL_IS_WATCHED, &p) > 0;
	ds_close_session(&s);
	return watched;
}

bool
ds_store_is_stirred(const char *instance_id, bool events)
{
	DsSession	s;
	DsParameters p = {0};
	bool		stirred;

	ds_open_session(&s);
	ds_add_text(&p, instance_id);
	ds_add_bool(&p, events);
	stirred = ds_execute(DS_SQL_IS_STIRRED, &p) > 0;
	ds_close_session(&s);
	return stirred;
}

/* --- parts of a step --- */

void
ds_put_tasks(const DsStepWrite *w)
{
	ListCell   *cell;
	DsSession	s;
	DsLoop		loop;

	if (w->tasks == NIL)
		return;
	ds_open_session(&s);
	ds_loop_start(&loop);
	foreach(cell, w->tasks)
	{
		const DsTask *task = lfirst(cell);
		DsParameters p = {0};

		ds_add_char(&p, task->kind);
		ds_add_oid(&p, task->owner);
		ds_add_int(&p, task->home);
		ds_add_uuid(&p, &task->execution_id);
		ds_add_int(&p, task->seq);
		ds_add_int(&p, task->attempt);
		ds_add_int(&p, task->counted);
		ds_add_int(&p, task->automatic);
		ds_add_time(&p, task->first_time);
		ds_add_time(&p, task->ready_time);
		ds_add_text(&p, task->instance_id);
		ds_add_text(&p, task->name);
		ds_add_text(&p, task->search_path);
		ds_add_jsonb(&p, task->input);
		ds_add_jsonb(&p, task->retry);
		ds_execute(DS_SQL_INSERT_TASK, &p);
		ds_loop_next(&loop);
	}
	ds_loop_end(&loop);
	ds_close_session(&s);
}

/* --- within a session --- */

bool
ds_delete_tasks(const pg_uuid_t *execution_id, bool bounded)
{
	DsParameters p = {0};

	ds_add_uuid(&p, execution_id);
	return ds_execute_bounded(DS_SQL_DELETE_TASKS, &p, bounded) > 0;
}

static void
add_key(DsParameters *p, const DsTask *task)
{
	ds_add_uuid(p, &task->execution_id);
	ds_add_int(p, task->seq);
	ds_add_int(p, task->attempt);
}
