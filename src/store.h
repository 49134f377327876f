/*-------------------------------------------------------------------------
 *
 * store.h
 *	  Reading and writing the extension's tables.
 *
 * All functions need a transaction.  They read under the latest snapshot,
 * also in REPEATABLE READ and SERIALIZABLE, run as the owner of the tables,
 * and return what they read in the memory context of the caller.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STORE_H
#define DS_STORE_H

#include "instance.h"
#include "nodes/pg_list.h"

/* What a start writes. */
typedef struct DsStart
{
	const char *instance_id;
	pg_uuid_t	execution_id;
	Oid			owner;
	const char *name;
	const char *function_schema;
	Jsonb	   *input;
	TimestampTz now;
	TimestampTz ready_time;
	int			home;
} DsStart;

/* What a step writes, fenced by instance, execution and turn of "inst". */
typedef struct DsStepWrite
{
	const DsInstance *inst;
	TimestampTz now;
	TimestampTz start_clock;
	const DsOp *new_ops;		/* to append to the history */
	int			n_new_ops;
	Jsonb	   *custom_status;
	DsWait		wait;			/* STEP: kind DS_OP_NONE if it goes on */
	DsStatus	end_status;		/* END */
	Jsonb	   *output;			/* END */
	Jsonb	   *failure;		/* END */
	pg_uuid_t	next_execution; /* CONTINUE */
	Jsonb	   *next_input;		/* CONTINUE */
	bool		keep_events;	/* CONTINUE */
} DsStepWrite;

/* NULL if there is none. */
extern DsInstance *ds_store_load(const char *instance_id);
extern DsOp *ds_store_load_history(const DsInstance *inst, int *n_ops);

/* The history in the form of Durable Functions' status query, or NULL. */
extern Jsonb *ds_store_story(const char *instance_id, bool outputs,
							 bool inputs, bool failures);

/* The statements that change a status.  False: no row was in that state. */
extern bool ds_store_insert(const DsStart *start);
extern bool ds_store_start_over(const DsStart *start, const DsInstance *over,
								int n_allowed, const DsStatus *allowed);
extern bool ds_store_step(const DsStepWrite *w);
extern bool ds_store_end(const DsStepWrite *w);
extern bool ds_store_continue(const DsStepWrite *w);
extern bool ds_store_terminate(const DsInstance *inst, TimestampTz now,
							   Jsonb *output);

/* True if nobody holds a lock on the instance's row that a step must wait for. */
extern bool ds_store_is_unlocked(const char *instance_id);

/* Put an event into the instance's inbox. */
extern void ds_store_send(const DsInstance *inst, const char *name,
						  Jsonb *data, TimestampTz now);

/*
 * The oldest event of that name for the instance that is none of "taken"; 0
 * if there is none.  "sender" is the transaction that sent it.
 */
extern int64 ds_store_find_event(const DsInstance *inst, const char *name,
								 int n_taken, const int64 *taken, Jsonb **data,
								 TransactionId *sender);
extern void ds_store_drop_orphaned_messages(void);

/*
 * Instances of the owner that are due, at most "limit", after the given
 * place, which is moved on; a list of strings.  any_home: also those whose
 * home is another database.
 */
extern List *ds_store_find_ready(Oid owner, TimestampTz now, int home,
								 bool any_home, TimestampTz *after_time,
								 char *after_id, int limit);

/* Waiting instances of the owner for which an event is there. */
extern List *ds_store_find_event_ready(Oid owner, int home, bool any_home,
									   int limit);

/* When the owner's next instance falls due; 0 if none does. */
extern TimestampTz ds_store_next_wake(Oid owner, TimestampTz now);

/* The owners that have work, and the earliest time of it. */
typedef struct DsOwnerWork
{
	Oid			owner;
	TimestampTz due;			/* 0: an event waits */
} DsOwnerWork;

extern List *ds_store_owners_with_work(void);

/* Active instances whose owner was dropped; a list of strings. */
extern List *ds_store_ownerless(int limit);

/* Is there an active instance with another stamp? */
extern bool ds_store_any_foreign(int stamp);
extern bool ds_store_is_home(int64 system_identifier, Oid database);
extern void ds_store_move_home(int64 system_identifier, Oid database, int stamp);

#endif
