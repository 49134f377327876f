/*-------------------------------------------------------------------------
 *
 * instance.h
 *	  What an instance and its history look like in memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_INSTANCE_H
#define DS_INSTANCE_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* The longest instance id, function name and event name, in bytes. */
#define DS_MAX_ID_LENGTH	256

/* In the order of the enum df_runtime_status. */
typedef enum DsStatus
{
	DS_PENDING,
	DS_RUNNING,
	DS_SUSPENDED,
	DS_COMPLETED,
	DS_FAILED,
	DS_TERMINATED,
	DS_CONTINUED_AS_NEW,
	DS_CANCELED
} DsStatus;

#define DS_NUM_STATUS	(DS_CANCELED + 1)

static inline bool
ds_status_is_active(DsStatus status)
{
	return status <= DS_SUSPENDED;
}

/* The kinds of durable operation; the values stand in history.kind. */
typedef enum DsOpKind
{
	DS_OP_NONE = 0,
	DS_OP_ACTIVITY = 'a',
	DS_OP_TIMER = 't',
	DS_OP_EVENT = 'e',
	DS_OP_RECORD = 'r'
} DsOpKind;

/* How an operation ended; the values stand in history.outcome. */
typedef enum DsOutcome
{
	DS_OUTCOME_COMPLETED = 'c',
	DS_OUTCOME_FAILED = 'f',
	DS_OUTCOME_TIMED_OUT = 't'
} DsOutcome;

/* A finished durable operation: one row of history, seq being its place. */
typedef struct DsOp
{
	DsOpKind	kind;
	DsOutcome	outcome;
	char	   *name;			/* as the code gave it, or NULL */
	Jsonb	   *input;
	Jsonb	   *result;
	Jsonb	   *failure;
	TimestampTz scheduled_time;
	TimestampTz event_time;
	TimestampTz fire_at;		/* 0 if there is no timer in it */
	int64		inbox_id;		/* message to delete with it, or 0 */
} DsOp;

/* A wait that an instance has committed to; kind DS_OP_NONE if none. */
typedef struct DsWait
{
	DsOpKind	kind;			/* DS_OP_TIMER or DS_OP_EVENT */
	char	   *name;			/* of the event */
	TimestampTz since;
	TimestampTz fire_at;		/* 0: waits for ever */
	Jsonb	   *default_value;
} DsWait;

/* The row of an instance. */
typedef struct DsInstance
{
	char	   *instance_id;
	pg_uuid_t	execution_id;
	pg_uuid_t	run_id;
	Oid			owner;
	DsStatus	status;
	int			turn;
	int			history_length;
	int			home;
	char	   *name;
	char	   *function_schema;
	TimestampTz created_time;
	TimestampTz last_updated_time;
	TimestampTz ready_time;		/* 0 for NULL */
	TimestampTz start_clock;	/* 0 for NULL */
	DsWait		wait;
	Jsonb	   *input;
	Jsonb	   *custom_status;
	Jsonb	   *output;
	Jsonb	   *failure;
	TransactionId xmin;			/* who wrote this version of the row */
} DsInstance;

#endif
