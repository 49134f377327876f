/*-------------------------------------------------------------------------
 *
 * instance.h
 *	  The form of an instance and its history in memory.
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

/* The kinds of durable operations; the values are stored in history.kind. */
typedef enum DsOpKind
{
	DS_OP_NONE = 0,
	DS_OP_ACTIVITY = 'a',
	DS_OP_TIMER = 't',
	DS_OP_EVENT = 'e',
	DS_OP_CHILD = 'c',
	DS_OP_RECORD = 'r',
	DS_OP_PATCH = 'p',
	DS_OP_ANY = 'y',			/* the winner of a df_wait_any */
	DS_OP_TASKS = 'w'			/* only in waits: for tasks */
} DsOpKind;

/*
 * Actions of clients on an execution; the values are stored in history.kind.
 */
typedef enum DsNoteKind
{
	DS_NOTE_SUSPENDED = 's',
	DS_NOTE_RESUMED = 'u',
	DS_NOTE_REWOUND = 'w'
} DsNoteKind;

/* The outcome of an attempt; the values are stored in history.outcome. */
typedef enum DsOutcome
{
	DS_OUTCOME_SCHEDULED = 's', /* an open task */
	DS_OUTCOME_COMPLETED = 'c',
	DS_OUTCOME_FAILED = 'f',
	DS_OUTCOME_TIMED_OUT = 't',
	DS_OUTCOME_RETRIED = 'r',	/* failed; retried by the policy */
	DS_OUTCOME_REPEATED = 'a',	/* failed; retried automatically */
	DS_OUTCOME_REWOUND = 'w'	/* failed; runs again after a rewind */
} DsOutcome;

/*
 * A row with this attempt, or a lower one, keeps in "result" what the omitted
 * arguments of a call evaluated to: with seq 0 those of the orchestrator, else
 * those of an activity that has failed.  Lower ones are for a function that was
 * replaced and has more of them.  Its kind is DS_OP_RECORD and its outcome
 * DS_OUTCOME_SCHEDULED, so that no view shows it.
 */
#define DS_KEPT_DEFAULTS	(-1)

/*
 * A row of history: an attempt at an operation, or the scheduling of a task.
 */
typedef struct DsRow
{
	int			seq;			/* number of the operation, from 1 */
	int			attempt;		/* from 1; 0: a task was scheduled */
	DsOpKind	kind;
	DsOutcome	outcome;
	bool		parallel;		/* belongs to a task */
	char	   *name;			/* as given by the code, or NULL */
	char	   *child_id;
	Jsonb	   *input;			/* NULL in a row that was read: see input_hash */
	Jsonb	   *result;
	Jsonb	   *failure;
	Jsonb	   *retry;			/* of an activity's first row: its policy,
								 * which stands in child_id as text */
	Jsonb	   *defaults;		/* of a failed attempt: likewise */
	TimestampTz scheduled_time;
	TimestampTz event_time;
	TimestampTz fire_at;		/* 0 if there is no timer */
	uint64		input_hash;		/* of the input, when the row was read */
	int64		inbox_id;		/* message to delete with it, or 0 */
	TransactionId xmin;			/* of the row, when it was read */
} DsRow;

/* A durable operation, assembled from its rows. */
typedef struct DsOp
{
	DsRow		last;			/* its last row */
	int			counted;		/* attempts that count for a retry policy */
	int			automatic;		/* automatic retries */
	TimestampTz first_time;		/* when the first counted attempt began */
	TimestampTz scheduled_time; /* of a task: when it was scheduled */
	Jsonb	   *default_value;	/* of a scheduled event, for its timeout */
	/* what a replay must give again: ds_jsonb_hash() of the input, and more */
	const Jsonb *known_input;	/* NULL: not in memory, use the hash */
	uint64		input_hash;		/* 0: not known */
	Jsonb	   *kept_retry;		/* NULL: none, or only as text in
								 * last.child_id */
	Jsonb	   *kept_defaults;	/* of arguments left out; NULL: none yet */
	/* arguments of a task that must begin (again) */
	Jsonb	   *input;
	Jsonb	   *retry;
	char	   *search_path;
	bool		delivered;		/* its failure was raised in the current pass */
	int64		size;			/* approximate size of its rows, in bytes */
} DsOp;

/* True if the operation has a result, or a final failure. */
static inline bool
ds_op_has_ended(const DsOp *op)
{
	return op->last.outcome == DS_OUTCOME_COMPLETED ||
		op->last.outcome == DS_OUTCOME_FAILED ||
		op->last.outcome == DS_OUTCOME_TIMED_OUT;
}

/*
 * True if a failed attempt is followed by another one, at the row's fire_at.
 */
static inline bool
ds_row_is_tried_again(const DsRow *row)
{
	return row->outcome == DS_OUTCOME_RETRIED ||
		row->outcome == DS_OUTCOME_REPEATED;
}

/*
 * The wait of an instance that is committed; kind is DS_OP_NONE if there is
 * none.
 */
typedef struct DsWait
{
	DsOpKind	kind;			/* _TIMER, _EVENT, _TASKS; _ACTIVITY: a retry */
	char	   *name;			/* of the event or activity */
	TimestampTz since;
	TimestampTz fire_at;		/* DS_NO_TIME: waits forever */
	Jsonb	   *default_value;
	/* for tasks: */
	int			n_tasks;
	int		   *tasks;			/* their numbers */
	bool		any;			/* for any of them, not for all */
	int			watch;			/* for all: the task to watch */
} DsWait;

/* The parent of a child instance; instance_id is NULL if there is none. */
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
	TimestampTz ready_time;		/* DS_NO_TIME for NULL, here and below */
	TimestampTz start_clock;
	int64		code;			/* 0 for NULL */
	DsWait		wait;			/* without the numbers of the tasks */
	DsParent	parent;
	bool		has_notes;		/* there are rows with seq 0 in its history */
	Jsonb	   *defaults;		/* its arguments left out; NULL: none yet */
	int			n_defaults;		/* rows that they stand in */
	int			n_archived;		/* past executions in the archive */
	Jsonb	   *input;
	Jsonb	   *custom_status;
	Jsonb	   *output;
	Jsonb	   *failure;
	TransactionId xmin;			/* as returned by ds_table_scan_xmin() */
	ItemPointerData tid;		/* TID of the row when last seen */
} DsInstance;

/* An open task that is an activity or a child. */
typedef struct DsTask
{
	DsOpKind	kind;
	Oid			owner;
	int			home;
	pg_uuid_t	execution_id;
	int			seq;
	int			attempt;		/* the next one */
	int			counted;		/* see DsOp */
	int			automatic;
	TimestampTz first_time;
	TimestampTz ready_time;		/* 0: another process ends it */
	char	   *instance_id;	/* the instance that scheduled it */
	char	   *name;
	char	   *search_path;
	Jsonb	   *input;
	Jsonb	   *retry;
	Jsonb	   *defaults;		/* kept by the attempts before */
	TransactionId xmin;
} DsTask;

#endif
