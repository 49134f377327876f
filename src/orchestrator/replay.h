/*-------------------------------------------------------------------------
 *
 * replay.h
 *	  One orchestrator against its history.
 *
 * An orchestrator is called anew, from its top, for every step.  Operations
 * that its history holds return what was recorded; the first one that it does
 * not hold, and that it has to wait for, becomes a request and suspends the
 * pass.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_REPLAY_H
#define DS_REPLAY_H

#include "base/compat.h"
#include "nodes/pg_list.h"
#include "store/instance.h"

/* What the orchestrator asks for and history does not hold yet. */
typedef struct DsRequest
{
	DsOpKind	kind;			/* DS_OP_ACTIVITY, or the wait's */
	/* activity: */
	int			seq;			/* of an operation that is tried again, or 0 */
	char	   *name;
	Jsonb	   *input;
	Jsonb	   *retry;
	char	   *search_path;	/* of the code that asks for it */
	DsWait		wait;			/* all others */
} DsRequest;

typedef struct DsReplay
{
	MemoryContext cxt;			/* of everything in here */
	MemoryContext scratch;		/* of one call of user code */
	DsInstance *inst;
	int			n_ops;
	int			max_ops;
	DsOp	   *ops;			/* by number, from 1 on */

	/* --- to be written with the next step --- */
	int			n_stored;		/* the first of ops that are in the table */
	int			n_rows;
	int			max_rows;
	DsRow	   *rows;
	List	   *rewound;		/* of DsRow: failures that are taken back */
	List	   *tasks;			/* numbers of tasks to be begun */
	bool		still_rewinding;	/* until a pass has come to the end of
									 * what the code did before the rewind */

	/* --- state of one pass --- */
	int			cursor;
	int			n_at_start;		/* ops when the pass began */
	int			n_tasks_at_start;
	TimestampTz start_clock;	/* when the first pass began */
	TimestampTz clock;
	bool		clock_used;		/* read before the first operation */
	uint32		n_guids;
	List	   *unpatched;		/* names that df_patched said false to */
	int			awaited;		/* tasks whose end began the pass: how many, */
	int			first_awaited;	/* and the first of them */
	bool		suspended;
	int			swallowed;		/* how often the code caught a suspension */
	DsRequest	request;
	const Jsonb *delivered_failure; /* the last one that the code was given */
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

/* The operation of that number. */
static inline DsOp *
ds_replay_op(const DsReplay *replay, int seq)
{
	return &replay->ops[seq - 1];
}

/*
 * A row that is not in the table yet: of a new operation, which gets the next
 * number (row->seq is 0), or a further one of an old operation.
 */
extern DsOp *ds_replay_add(DsReplay *replay, const DsRow *row);

/* The same of a row that is in the table already. */
extern DsOp *ds_replay_apply(DsReplay *replay, const DsRow *row);

/* What was to be written has been. */
extern void ds_replay_written(DsReplay *replay);

/* A pass begins; its orchestrator's calls reach the replay until it ends. */
extern void ds_replay_begin_pass(DsReplay *replay);
extern void ds_replay_end_pass(void);

/* The pass failed: what it scheduled shall not begin. */
extern void ds_replay_forget_tasks(DsReplay *replay);

/*
 * A pass after a rewind has come to its request: failures that the code has
 * not met yet are taken back, too.
 */
extern void ds_replay_rewind_undelivered(DsReplay *replay);

/* True if the code has come to the end of its history. */
extern bool ds_replay_at_end(const DsReplay *replay);

/* Notes that a rule is broken, which fails the instance. */
extern void ds_replay_violation(DsReplay *replay, const char *message,
								const char *detail, const char *hint);

/* The code is at odds with its history, here. */
extern void ds_replay_mismatch(DsReplay *replay, const char *detail);

/* True in the code of an orchestrator, and not in an activity. */
extern bool ds_replay_is_in_pass(void);

/* --- for the functions of context.c and context_tasks.c --- */

/*
 * The replay that the caller is in.  SD400 anywhere but in an orchestrator.
 * Suspends again if the code has caught the suspension.
 */
extern DsReplay *ds_replay_enter(const char *function);

/* The same for a durable operation, which ends a continued execution. */
extern DsReplay *ds_replay_enter_durable(const char *function);

/*
 * The recorded operation at this place, or NULL if the code has come to the
 * end of the history.  Does not return if history has something else.
 */
extern DsOp *ds_replay_next(DsReplay *replay, DsOpKind kind, bool parallel,
							const char *name);

/*
 * The result of an operation that has ended, NULL for null; raises its
 * failure.
 */
extern Jsonb *ds_replay_result(DsReplay *replay, DsOp *op);

/*
 * After a rewind: takes the failure of the operation back if it is what the
 * instance failed for.  False if not.
 */
extern bool ds_replay_rewind(DsReplay *replay, DsOp *op);

/* Leaves the orchestrator until the request is fulfilled. */
pg_noreturn extern void ds_replay_suspend(DsReplay *replay);

/* Copies for the replay's memory, which outlives the pass; NULL is NULL. */
extern Jsonb *ds_replay_copy(DsReplay *replay, const Jsonb *value);
extern char *ds_replay_strdup(DsReplay *replay, const char *s);

#endif
