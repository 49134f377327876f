/*-------------------------------------------------------------------------
 *
 * columns.h
 *	  The columns of the tables that are read and written by key
 *	  (table_read.c), in the order of the install script.
 *
 * In a list, C is a column and N one that is NOT NULL, with the letter of its
 * type as in statements.h; S is the separator.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COLUMNS_H
#define DS_COLUMNS_H

#define DS_INSTANCE_COLUMNS(C, N, S) \
	N(created_time, 'z') S N(owner, 'o') S N(home, 'i') S \
	N(execution_id, 'u') S C(run_id, 'u') S C(parent_run_id, 'u') S \
	C(parent_execution_id, 'u') S C(parent_seq, 'i') S \
	C(n_archived, 'i') S N(instance_id, 't') S N(name, 't') S \
	N(function_schema, 't') S C(parent_instance_id, 't') S C(input, 'j') S \
	C(last_updated_time, 'z') S C(ready_time, 'z') S C(start_clock, 'z') S \
	C(wait_fire_at, 'z') S C(wait_since, 'z') S \
	C(suspended_ready_time, 'z') S C(code, 'l') S N(status, 's') S \
	N(turn, 'i') S N(history_length, 'i') S C(wait_watch, 'i') S \
	C(wait_kind, 'c') S C(noted, 'b') S C(rewinding, 'b') S \
	C(wait_name, 't') S C(wait_default, 'j') S C(wait_tasks, 'I') S \
	C(custom_status, 'j') S C(output, 'j') S C(failure, 'j')

#define DS_HISTORY_COLUMNS(C, N, S) \
	N(scheduled_time, 'z') S N(event_time, 'z') S C(fire_at, 'z') S \
	N(execution_id, 'u') S N(seq, 'i') S N(attempt, 'i') S N(kind, 'c') S \
	N(outcome, 'c') S N(parallel, 'b') S C(name, 't') S C(child_id, 't') S \
	C(input, 'j') S C(result, 'j') S C(failure, 'j')

#define DS_TASK_COLUMNS(C, N, S) \
	C(ready_time, 'z') S C(first_time, 'z') S N(owner, 'o') S \
	N(execution_id, 'u') S N(seq, 'i') S N(attempt, 'i') S \
	N(counted, 'i') S N(automatic, 'i') S N(home, 'i') S N(kind, 'c') S \
	N(instance_id, 't') S N(name, 't') S C(search_path, 't') S \
	C(input, 'j') S C(retry, 'j')

#define DS_INBOX_COLUMNS(C, N, S) \
	N(id, 'l') S N(sent_time, 'z') S N(run_id, 'u') S N(kind, 'c') S \
	N(instance_id, 't') S C(name, 't') S C(data, 'j')

#define DS_EXECUTION_COLUMNS(C, N, S) \
	N(created_time, 'z') S N(last_updated_time, 'z') S N(owner, 'o') S \
	N(status, 's') S N(history_length, 'i') S N(execution_id, 'u') S \
	N(instance_id, 't') S N(name, 't') S C(parent_instance_id, 't') S \
	C(input, 'j') S C(custom_status, 'j') S C(output, 'j') S \
	C(failure, 'j')

#define DS_INSTANCE_NUMBER(name, type)	INSTANCE_##name,
#define DS_HISTORY_NUMBER(name, type)		HISTORY_##name,
#define DS_TASK_NUMBER(name, type)		TASK_##name,
#define DS_INBOX_NUMBER(name, type)		INBOX_##name,
#define DS_EXECUTION_NUMBER(name, type)	EXECUTION_##name,

/* Numbers start at 1, as in pg_attribute. */
typedef enum DsInstanceColumn
{
	INSTANCE_NONE,
	DS_INSTANCE_COLUMNS(DS_INSTANCE_NUMBER, DS_INSTANCE_NUMBER,)
	INSTANCE_END
} DsInstanceColumn;

typedef enum DsHistoryColumn
{
	HISTORY_NONE,
	DS_HISTORY_COLUMNS(DS_HISTORY_NUMBER, DS_HISTORY_NUMBER,)
	HISTORY_END
} DsHistoryColumn;

typedef enum DsTaskColumn
{
	TASK_NONE,
	DS_TASK_COLUMNS(DS_TASK_NUMBER, DS_TASK_NUMBER,)
	TASK_END
} DsTaskColumn;

typedef enum DsInboxColumn
{
	INBOX_NONE,
	DS_INBOX_COLUMNS(DS_INBOX_NUMBER, DS_INBOX_NUMBER,)
	INBOX_END
} DsInboxColumn;

typedef enum DsExecutionColumn
{
	EXECUTION_NONE,
	DS_EXECUTION_COLUMNS(DS_EXECUTION_NUMBER, DS_EXECUTION_NUMBER,)
	EXECUTION_END
} DsExecutionColumn;

#endif
