/*-------------------------------------------------------------------------
 *
 * replay.h
 *	  Replays an orchestrator against its history.
 *
 * For every step, an orchestrator is called again from its beginning.
 * Operations that are in its history return the recorded result; the first one
 * that is not, and that it has to wait for, becomes a request and suspends the
 * pass.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_REPLAY_H
#define DS_REPLAY_H

#include "base/compat.h"
#include "function/function_defaults.h"
#include "nodes/pg_list.h"
#include "store/instance.h"

/*
 * The operation that the orchestrator asks for and that is not in its history.
 */
typedef struct DsRequest
{
	DsOpKind	kind;			/* DS_OP_ACTIVITY, or that of the wait */
	/* for an activity: */
	int			seq;			/* of an operation that is retried, or 0 */
	char	   *name;
	Jsonb	   *input;
	Jsonb	   *retry;
	char	   *search_path;	/* of the calling code */
	DsWait		wait;			/* for all others */
} DsRequest;

typedef struct DsReplay
{
	MemoryContext cxt;			/* of everything in this struct */
	MemoryContext scratch;		/* for one call of user code */
	DsInstance *inst;
	int			n_ops;
	int			max_ops;
	DsOp	   *ops;			/* by number, starting at 1 */

	/* --- to be written with the next step --- */
	int			n_stored;		/* the first ones of ops, which are in the
								 * table */
	int			n_rows;
	int			max_rows;
	DsRow	   *rows;
	List	   *rewound;		/* of DsRow: withdrawn failures */
	List	   *tasks;			/* numbers of tasks to begin */
	DsDefaults	defaults;		/* of the orchestrator's arguments */
	bool		still_rewinding;	/* still replaying what precedes the
									 * rewind */

	/* --- state of one pass --- */
	int			cursor;
	int			n_at_start;		/* ops when the pass began */
	int			n_tasks_at_start;
	TimestampTz start_clock;	/* when the first pass began */
	TimestampTz clock;
	bool		clock_used;		/* read before the first operation */
	uint32		n_guids;
	List	   *unpatched;		/* names for which df_patched returned false */
	int			awaited;		/* the number of tasks whose end started the
								 * pass, */
	int			first_awaited;	/* and the first of them */
	bool		suspended;
	int			swallowed;		/* the number of suspensions that the code
								 * caught */
	DsRequest	request;
	const Jsonb *delivered_failure; /* the last failure that was raised in the
									 * code */
	bool		continued;		/* df_continue_as_new was called */
	Jsonb	   *next_input;
	bool		keep_events;
	bool		custom_status_set;
	Jsonb	   *custom_status;
	int64		code;			/* fingerprint of the orchestrator's body */
	bool		code_changed;	/* since the execution began */
	Jsonb	   *violation;		/* failure: a rule was broken */
} DsReplay;

extern DsReplay *ds_replay_create(MemoryContext cxt, DsInstance *inst,
								  DsOp *ops, int n_ops);

/* The operation with this number. */
static inline DsOp *
ds_replay_op(const DsReplay *replay, int seq)
{
	return &replay->ops[seq - 1];
}

/*
 * Adds a row that is not in the table yet: that of a new operation, which gets
 * the next number (row->seq is 0), or a further one of an existing operation.
 */
extern DsOp *ds_replay_add(DsReplay *replay, const DsRow *row);

/* The same for a row that is already in the table. */
extern DsOp *ds_replay_apply(DsReplay *replay, const DsRow *row);

/* All new rows have been written. */
extern void ds_replay_written(DsReplay *replay);

/* Starts a pass; until it ends, the orchestrator's calls use this replay. */
extern void ds_replay_begin_pass(DsReplay *replay);
extern void ds_replay_end_pass(void);

/* The pass failed: the tasks that it scheduled must not begin. */
extern void ds_replay_forget_tasks(DsReplay *replay);

/*
 * A pass after a rewind has reached its request: also withdraws failures that
 * were not delivered to the code yet.
 */
extern void ds_replay_rewind_undelivered(DsReplay *replay);

/* True if the code has reached the end of its history. */
extern bool ds_replay_at_end(const DsReplay *replay);

/* Records that a rule was broken, which fails the instance. */
extern void ds_replay_violation(DsReplay *replay, const char *message,
								const char *detail, const char *hint);

/* Records that the code does not match its history at this point. */
extern void ds_replay_mismatch(DsReplay *replay, const char *detail);

/* An operation in the words of such a detail. */
extern char *ds_replay_describe(DsOpKind kind, bool parallel,
								const char *name);

/* True in the code of an orchestrator, but not in an activity. */
extern bool ds_replay_is_in_pass(void);

/* --- for the functions of context.c and context_tasks.c --- */

/*
 * The replay of the calling orchestrator; SD400 anywhere else.  Suspends again
 * if the code has caught the suspension.
 */
extern DsReplay *ds_replay_enter(const char *function);

/*
 * The same for a durable operation, which ends an execution after
 * df_continue_as_new.
 */
extern DsReplay *ds_replay_enter_durable(const char *function);

/*
 * The recorded operation at this position, or NULL if the code has reached the
 * end of the history.  Does not return if the history has another operation.
 */
extern DsOp *ds_replay_next(DsReplay *replay, DsOpKind kind, bool parallel,
							const char *name);

/*
 * The result of an operation that has ended, NULL for null; raises its
 * failure.
 */
extern Jsonb *ds_replay_result(DsReplay *replay, DsOp *op);

/*
 * After a rewind: withdraws the failure of the operation if it is the one that
 * failed the instance.  Returns false otherwise.
 */
extern bool ds_replay_rewind(DsReplay *replay, DsOp *op);

/* Leaves the orchestrator until the requested operation has ended. */
pg_noreturn extern void ds_replay_suspend(DsReplay *replay);

/*
 * Copy into the replay's memory, which outlives the pass; NULL returns NULL.
 */
extern Jsonb *ds_replay_copy(DsReplay *replay, const Jsonb *value);
extern char *ds_replay_strdup(DsReplay *replay, const char *s);

#endif
