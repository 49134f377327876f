/*-------------------------------------------------------------------------
 *
 * columns.h
 *	  The columns of the tables that are read and written by key (table_read.c),
 *	  in the order of the install script.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COLUMNS_H
#define DS_COLUMNS_H

#define DS_INSTANCE_COLUMNS(C) \
	C(created_time) C(owner) C(home) C(execution_id) C(run_id) \
	C(parent_run_id) C(parent_execution_id) C(parent_seq) C(n_archived) \
	C(instance_id) C(name) C(function_schema) C(parent_instance_id) C(input) \
	C(last_updated_time) C(ready_time) C(start_clock) C(wait_fire_at) \
	C(wait_since) C(suspended_ready_time) C(code) C(status) C(turn) \
	C(history_length) C(wait_watch) C(wait_kind) C(noted) C(rewinding) \
	C(wait_name) C(wait_default) C(wait_tasks) C(custom_status) C(output) \
	C(failure)

#define DS_HISTORY_COLUMNS(C) \
	C(scheduled_time) C(event_time) C(fire_at) C(execution_id) C(seq) \
	C(attempt) C(kind) C(outcome) C(parallel) C(name) C(child_id) C(input) \
	C(result) C(failure)

#define DS_TASK_COLUMNS(C) \
	C(ready_time) C(first_time) C(owner) C(execution_id) C(seq) C(attempt) \
	C(counted) C(automatic) C(home) C(kind) C(instance_id) C(name) \
	C(search_path) C(input) C(retry)

#define DS_INBOX_COLUMNS(C) \
	C(id) C(sent_time) C(run_id) C(kind) C(instance_id) C(name) C(data)

#define DS_EXECUTION_COLUMNS(C) \
	C(created_time) C(last_updated_time) C(owner) C(status) \
	C(history_length) C(execution_id) C(instance_id) C(name) \
	C(parent_instance_id) C(input) C(custom_status) C(output) C(failure)

#define DS_INSTANCE_NUMBER(name)	INSTANCE_##name,
#define DS_HISTORY_NUMBER(name)		HISTORY_##name,
#define DS_TASK_NUMBER(name)		TASK_##name,
#define DS_INBOX_NUMBER(name)		INBOX_##name,
#define DS_EXECUTION_NUMBER(name)	EXECUTION_##name,

/* Numbers start at 1, as in pg_attribute. */
typedef enum DsInstanceColumn
{
	INSTANCE_NONE,
	DS_INSTANCE_COLUMNS(DS_INSTANCE_NUMBER)
	INSTANCE_END
} DsInstanceColumn;

typedef enum DsHistoryColumn
{
	HISTORY_NONE,
	DS_HISTORY_COLUMNS(DS_HISTORY_NUMBER)
	HISTORY_END
} DsHistoryColumn;

typedef enum DsTaskColumn
{
	TASK_NONE,
	DS_TASK_COLUMNS(DS_TASK_NUMBER)
	TASK_END
} DsTaskColumn;

typedef enum DsInboxColumn
{
	INBOX_NONE,
	DS_INBOX_COLUMNS(DS_INBOX_NUMBER)
	INBOX_END
} DsInboxColumn;

typedef enum DsExecutionColumn
{
	EXECUTION_NONE,
	DS_EXECUTION_COLUMNS(DS_EXECUTION_NUMBER)
	EXECUTION_END
} DsExecutionColumn;

#endif
