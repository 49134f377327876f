/*-------------------------------------------------------------------------
 *
 * replay.h
 *	  One orchestrator against its history.
 *
 * An orchestrator is called anew, from its top, for every step.  Operations
 * that its history holds return what was recorded; the first one that it does
 * not hold becomes a request and suspends the pass.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_REPLAY_H
#define DS_REPLAY_H

#include "compat.h"
#include "instance.h"

/* What the orchestrator asks for and history does not hold yet. */
typedef struct DsRequest
{
	DsOpKind	kind;			/* DS_OP_ACTIVITY, _TIMER or _EVENT */
	char	   *name;
	Jsonb	   *input;			/* of the activity */
	char	   *search_path;	/* of the code that asked for the activity */
	DsWait		wait;			/* timer and event */
} DsRequest;

typedef struct DsReplay
{
	MemoryContext cxt;			/* of everything in here */
	MemoryContext scratch;		/* of one call of user code */
	DsInstance *inst;
	DsOp	   *ops;
	int			n_ops;
	int			max_ops;
	int			n_stored;		/* the first of ops that are in the table */

	/* --- state of one pass --- */
	int			cursor;
	int			n_at_start;		/* ops when the pass began */
	TimestampTz start_clock;	/* when the first pass began */
	TimestampTz clock;
	bool		clock_used;		/* read before the first operation */
	uint32		n_guids;
	bool		suspended;
	int			swallowed;		/* how often the code caught a suspension */
	DsRequest	request;
	bool		continued;		/* df_continue_as_new was called */
	Jsonb	   *next_input;
	bool		keep_events;
	bool		custom_status_set;
	Jsonb	   *custom_status;
	Jsonb	   *violation;		/* failure: a rule was broken */
} DsReplay;

extern DsReplay *ds_replay_create(MemoryContext cxt, DsInstance *inst,
								  DsOp *ops, int n_ops);

/* A finished operation; it is not in the table yet. */
extern void ds_replay_append(DsReplay *replay, const DsOp *op);

/* A pass begins; its orchestrator's calls reach the replay until it ends. */
extern void ds_replay_begin_pass(DsReplay *replay);
extern void ds_replay_end_pass(void);

/* Notes that a rule is broken, which fails the instance. */
extern void ds_replay_violation(DsReplay *replay, const char *message,
								const char *detail, const char *hint);

/* --- for the functions of context.c --- */

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
extern const DsOp *ds_replay_next(DsReplay *replay, DsOpKind kind,
								  const char *name);

/* Leaves the orchestrator until the request is fulfilled. */
pg_noreturn extern void ds_replay_suspend(DsReplay *replay);

/* Copies for the replay's memory, which outlives the pass; NULL is NULL. */
extern Jsonb *ds_replay_copy(DsReplay *replay, const Jsonb *value);
extern char *ds_replay_strdup(DsReplay *replay, const char *s);

#endif
