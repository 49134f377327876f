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
#include "storage/itemptr.h"
#include "store/status.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* The kinds of durable operation; the values stand in history.kind. */
typedef enum DsOpKind
{
	DS_OP_NONE = 0,
	DS_OP_ACTIVITY = 'a',
	DS_OP_TIMER = 't',
	DS_OP_EVENT = 'e',
	DS_OP_CHILD = 'c',
	DS_OP_RECORD = 'r',
	DS_OP_PATCH = 'p',
	DS_OP_ANY = 'y',			/* winner of a df_wait_any */
	DS_OP_TASKS = 'w'			/* in waits only: for tasks */
} DsOpKind;

/* What clients did to an execution; the values stand in history.kind. */
typedef enum DsNoteKind
{
	DS_NOTE_SUSPENDED = 's',
	DS_NOTE_RESUMED = 'u',
	DS_NOTE_REWOUND = 'w'
} DsNoteKind;

/* What an attempt at an operation came to; the values stand in history.outcome. */
typedef enum DsOutcome
{
	DS_OUTCOME_SCHEDULED = 's', /* a task that is open */
	DS_OUTCOME_COMPLETED = 'c',
	DS_OUTCOME_FAILED = 'f',
	DS_OUTCOME_TIMED_OUT = 't',
	DS_OUTCOME_RETRIED = 'r',	/* failed; another attempt by the policy */
	DS_OUTCOME_REPEATED = 'a',	/* failed; another attempt by itself */
	DS_OUTCOME_REWOUND = 'w'	/* failed; another attempt after a rewind */
} DsOutcome;

/* A row of history: an attempt at an operation, or the begin of a task. */
typedef struct DsRow
{
	int			seq;			/* place of the operation, from 1 on */
	int			attempt;		/* from 1 on; 0: a task was scheduled */
	DsOpKind	kind;
	DsOutcome	outcome;
	bool		parallel;		/* of a task */
	char	   *name;			/* as the code gave it, or NULL */
	char	   *child_id;
	Jsonb	   *input;
	Jsonb	   *result;
	Jsonb	   *failure;
	TimestampTz scheduled_time;
	TimestampTz event_time;
	TimestampTz fire_at;		/* 0 if there is no timer in it */
	int64		inbox_id;		/* message to delete with it, or 0 */
	TransactionId xmin;			/* who wrote it, when it was read */
} DsRow;

/* A durable operation as its rows leave it. */
typedef struct DsOp
{
	DsRow		last;			/* its last row */
	int			counted;		/* attempts that count for a retry policy */
	int			automatic;		/* attempts repeated by themselves */
	TimestampTz first_time;		/* when the first that counts began */
	TimestampTz scheduled_time; /* of a task: when the code scheduled it */
	Jsonb	   *default_value;	/* of a scheduled event: on time-out */
	/* what the code gave for a task that has to be begun (again) */
	Jsonb	   *input;
	Jsonb	   *retry;
	char	   *search_path;
	bool		delivered;		/* the present pass met its failure */
	int64		size;			/* of its rows, in bytes, about */
} DsOp;

/* True if it has a result, or a failure that is final. */
static inline bool
ds_op_has_ended(const DsOp *op)
{
	return op->last.outcome == DS_OUTCOME_COMPLETED ||
		op->last.outcome == DS_OUTCOME_FAILED ||
		op->last.outcome == DS_OUTCOME_TIMED_OUT;
}

/* True if a failed attempt is followed by another one, at the row's fire_at. */
static inline bool
ds_row_is_tried_again(const DsRow *row)
{
	return row->outcome == DS_OUTCOME_RETRIED ||
		row->outcome == DS_OUTCOME_REPEATED;
}

/* A wait that an instance has committed to; kind DS_OP_NONE if none. */
typedef struct DsWait
{
	DsOpKind	kind;			/* DS_OP_TIMER, _EVENT, _TASKS, or _ACTIVITY:
								 * until its next attempt */
	char	   *name;			/* of the event or activity */
	TimestampTz since;
	TimestampTz fire_at;		/* 0: waits for ever */
	Jsonb	   *default_value;
	/* for tasks: */
	int			n_tasks;
	int		   *tasks;			/* their numbers */
	bool		any;			/* for one of them, not for all */
	int			watch;			/* all: the one whose end is worth a look */
} DsWait;

/* The parent of a child instance; instance_id NULL if there is none. */
typedef struct DsParent
{
	char	   *instance_id;
	pg_uuid_t	run_id;
	pg_uuid_t	execution_id;
	int			seq;			/* number of the task in the parent */
} DsParent;

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
	bool		rewinding;
	char	   *name;
	char	   *function_schema;
	TimestampTz created_time;
	TimestampTz last_updated_time;
	TimestampTz ready_time;		/* 0 for NULL */
	TimestampTz start_clock;	/* 0 for NULL */
	int64		code;			/* 0 for NULL */
	DsWait		wait;			/* without the tasks' numbers */
	DsParent	parent;
	bool		has_notes;		/* clients have left notes in its history */
	int			n_archived;		/* past executions that are kept */
	Jsonb	   *input;
	Jsonb	   *custom_status;
	Jsonb	   *output;
	Jsonb	   *failure;
	TransactionId xmin;			/* who wrote this version of the row, */
	ItemPointerData tid;		/* and where it was last seen */
} DsInstance;

/* An open task that is an activity or a child. */
typedef struct DsTask
{
	DsOpKind	kind;
	Oid			owner;
	int			home;
	pg_uuid_t	execution_id;
	int			seq;
	int			attempt;		/* the one to come */
	int			counted;		/* see DsOp */
	int			automatic;
	TimestampTz first_time;
	TimestampTz ready_time;		/* 0: somebody else ends it */
	char	   *instance_id;	/* of the instance that scheduled it */
	char	   *name;
	char	   *search_path;
	Jsonb	   *input;
	Jsonb	   *retry;
	TransactionId xmin;
} DsTask;

#endif
