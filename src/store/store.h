/*-------------------------------------------------------------------------
 *
 * store.h
 *	  Reads and writes the extension's tables.
 *
 * All functions need a transaction.  They read under the latest snapshot, even
 * in REPEATABLE READ and SERIALIZABLE, run as the owner of the tables, and
 * return results in the memory context of the caller.
 *
 * Locks are taken in one order: the row of an instance, then rows of tasks.
 * Calls with limit_lock_wait wait at most one second for a lock (then 55P03),
 * so that an open transaction of a session does not block a runner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STORE_H
#define DS_STORE_H

#include "nodes/pg_list.h"
#include "store/instance.h"
#include "store/work.h"

/* The values that a start writes. */
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
	DsParent	parent;
	ItemPointerData tid;		/* of the row, once it is written */
} DsStart;

/*
 * The values that a step writes, fenced by instance, execution and turn of
 * "inst".
 */
typedef struct DsStepWrite
{
	DsInstance *inst;
	TimestampTz now;
	TimestampTz start_clock;
	int64		code;
	int			history_length;
	int			n_rows;			/* to append to the history */
	const DsRow *rows;
	const DsRow *last_row;		/* one more, or NULL */
	int			n_rewound;		/* attempts to mark as rewound */
	const DsRow *rewound;
	List	   *tasks;			/* of DsTask: to be opened */
	Jsonb	   *custom_status;
	Jsonb	   *defaults;		/* STEP: of the orchestrator's arguments */
	DsWait		wait;			/* STEP: kind DS_OP_NONE if it does not wait */
	bool		even_suspended; /* STEP: an activity has ended; END: it
								 * crashes */
	bool		rewinding;		/* STEP: there may be more to withdraw */
	DsStatus	end_status;		/* END */
	Jsonb	   *output;			/* END */
	Jsonb	   *failure;		/* END */
	pg_uuid_t	next_execution; /* CONTINUE */
	Jsonb	   *next_input;		/* CONTINUE */
	bool		keep_events;	/* CONTINUE */
} DsStepWrite;

/* --- store_instance.c: the instance --- */

/* NULL if there is no such instance. */
extern DsInstance *ds_store_load(const char *instance_id);

/* The same; first looks where the row was last seen. */
extern DsInstance *ds_store_load_at(const char *instance_id,
									const ItemPointerData *tid);

/*
 * The same; if brief, an active instance has only id, execution, owner and
 * status: most starts of an active id need no more.
 */
extern DsInstance *ds_store_load_for_start(const char *instance_id,
										   bool brief);

/* The brief form, as seen by the snapshot of the caller's transaction. */
extern DsInstance *ds_store_load_seen(const char *instance_id);

/* Without what others have given it or may see of it, which may be large. */
extern DsInstance *ds_store_load_for_purge(const char *instance_id);

/* Is the row as it was when read or last written, and at the same TID? */
extern bool ds_store_is_unchanged(DsInstance *inst);

/* Adds the task numbers to the wait of an instance that waits for tasks. */
extern void ds_store_load_wait_tasks(DsInstance *inst);

/* Changes of a status.  False: the row was not in the required state. */
/* *suspended: it was suspended in the meantime. */
extern bool ds_store_step(const DsStepWrite *w, bool *suspended);
extern bool ds_store_end(const DsStepWrite *w);

/* Fails an instance from outside of its own steps. */
extern bool ds_store_fail(const DsInstance *inst, Jsonb *failure,
						  bool even_suspended);
extern bool ds_store_continue(const DsStepWrite *w);
extern bool ds_store_terminate(const DsInstance *inst, Jsonb *output,
							   bool limit_lock_wait);
extern bool ds_store_suspend(const DsInstance *inst);
extern bool ds_store_resume(const DsInstance *inst);
extern bool ds_store_rewind(const DsInstance *inst, bool limit_lock_wait);

/*
 * Locks the instance, if it is active, so that it cannot end before the
 * transaction.  Waits at most one second for the row lock.
 */
extern bool ds_store_lock_active(const DsInstance *inst);

/*
 * True if no other process holds a lock on the row for which a step would
 * wait.
 */
extern bool ds_store_is_unlocked(const char *instance_id);

/* --- store_start.c --- */

/* False: the id is taken. */
extern bool ds_store_insert(DsStart *start, bool limit_lock_wait);

/*
 * Replaces the execution that was read by a new one; false if anything in its
 * row has changed since.  *had_tasks: it had open tasks, which are canceled.
 */
extern bool ds_store_start_over(DsStart *start, DsInstance *over,
								bool limit_lock_wait, bool *had_tasks);

/* --- store_history.c --- */

/*
 * The operations of the current execution, by number.  Also sets the values
 * of omitted arguments in the instance.
 */
extern DsOp *ds_store_load_history(DsInstance *inst, int *n_ops);

/* The values of omitted arguments of an activity that has failed, or NULL. */
extern Jsonb *ds_store_load_defaults(const pg_uuid_t *execution_id, int seq);

/* The last row of each of these tasks; returns their number. */
extern int	ds_store_load_ends(const DsInstance *inst, int n_tasks,
							   const int *tasks, DsRow **rows);

/* The input that the operation had last; NULL if it was null. */
extern Jsonb *ds_store_load_input(const pg_uuid_t *execution_id, int seq);

/*
 * Adds a row to another instance's history, or to one's own outside of a step.
 */
extern void ds_store_add_row(const pg_uuid_t *execution_id, const DsRow *row);

/*
 * Records an action of a client, whose transaction has the instance's row
 * locked.
 */
extern void ds_store_add_note(const DsInstance *inst, DsNoteKind kind,
							  Jsonb *reason);

/*
 * The history in the form of the status query of Durable Functions, or NULL.
 */
extern Jsonb *ds_store_history_json(const char *instance_id, bool outputs,
									bool inputs, bool failures);

/* --- store_tasks.c: open tasks --- */

/* NULL if it is no longer open; *suspended: its instance is suspended. */
extern DsTask *ds_store_load_task(const pg_uuid_t *execution_id, int seq,
								  bool *suspended);

/* False: it is no longer open, or has another attempt. */
extern bool ds_store_end_task(const DsTask *task);
extern bool ds_store_repeat_task(const DsTask *task, int counted,
								 int automatic, TimestampTz first_time,
								 TimestampTz ready_time);

/*
 * The task that "parent" refers to; NULL if it is no longer awaited.  Sets
 * only attempt, first_time and name.
 */
extern DsTask *ds_store_end_child_task(const DsParent *parent,
									   bool limit_lock_wait);

/* Cancels all tasks of the execution; true if there were any. */
extern bool ds_store_cancel_tasks(const pg_uuid_t *execution_id,
								  bool limit_lock_wait);

/* Does the instance of this task wait for its end? */
extern bool ds_store_is_watched(const DsTask *task);

/*
 * Has a task ended that matters to an instance waiting for tasks?  Or, with
 * "events", has an event arrived?
 */
extern bool ds_store_wait_may_be_over(const char *instance_id, bool events);

/* --- store_inbox.c: messages to an instance --- */

extern void ds_store_send(const DsInstance *inst, const char *name,
						  Jsonb *data, TimestampTz now);

/* Are there messages for the run that no step has taken yet? */
extern bool ds_store_has_messages(const DsInstance *inst);

/* A child that was told to end. */
typedef struct DsChild
{
	char	   *instance_id;
	pg_uuid_t	execution_id;
	Oid			owner;
} DsChild;

/*
 * Tells active children of the run after the given id to end.  Returns them,
 * at most "limit", as a list of DsChild in the order of their ids.
 */
extern List *ds_store_send_terminate(const DsInstance *parent, Jsonb *reason,
									 TimestampTz now, const char *after_id,
									 int limit);

/* Was it told to end?  *reason: the reason. */
extern bool ds_store_find_terminate(const DsInstance *inst, Jsonb **reason);

/* An event in the inbox. */
typedef struct DsEvent
{
	int64		id;
	Jsonb	   *data;
	TimestampTz sent_time;
	TransactionId sender;
} DsEvent;

/*
 * The oldest event of this name for the instance that is not in "taken" and
 * was not sent after the deadline (DS_NO_TIME: none); false if there is none.
 */
extern bool ds_store_find_event(const DsInstance *inst, const char *name,
								TimestampTz deadline, int n_taken,
								const int64 *taken, DsEvent *event);
extern void ds_store_drop_orphaned_messages(void);

/* --- store_work.c: work not announced by a hint --- */

/*
 * Due instances or tasks of the owner, at most "limit", after the given key,
 * which is advanced; a list of DsWork.  any_home: also those whose home is
 * another database.
 */
extern List *ds_store_find_ready(Oid owner, TimestampTz now, int home,
								 bool any_home, DsSearchKey *after, int limit);
extern List *ds_store_find_ready_tasks(Oid owner, TimestampTz now, int home,
									   bool any_home, DsSearchKey *after,
									   int limit);

/* Instances that wait for tasks, one of which has ended. */
extern List *ds_store_find_awaiting(Oid owner, int home, bool any_home,
									DsSearchKey *after, int limit);

/* Instances that wait for a message which has arrived. */
extern List *ds_store_find_with_message(Oid owner, int home, bool any_home,
										int limit);

/* When the owner's next instance or task becomes due; 0 if there is none. */
extern TimestampTz ds_store_next_wake(Oid owner, TimestampTz now);

/* The owners that have work, and the earliest due time of it. */
typedef struct DsOwnerWork
{
	Oid			owner;
	TimestampTz due;			/* DS_NO_TIME: now */
} DsOwnerWork;

extern List *ds_store_owners_with_work(void);

/* The number of the owner's active instances. */
extern int64 ds_store_count_active(Oid owner);

/* Active instances after the id whose owner was dropped; a list of strings. */
extern List *ds_store_find_ownerless(const char *after_id, int limit);

/* Except those that another session has locked. */
extern void ds_store_delete_ownerless_tasks(void);

/* --- store_purge.c --- */

/*
 * Removes an ended instance with all that belongs to it but its children.
 * skip_locked: not if another session has it locked, to purge or start it, or
 * has one of its tasks locked, as the end of a child does.
 */
extern bool ds_store_purge(const DsInstance *inst, bool skip_locked);

/*
 * Ended instances after the given id; lists of strings.  The first: of the
 * user's roles, created in that time range; the second: all that ended before.
 */
extern List *ds_store_find_purgeable(TimestampTz created_from,
									 TimestampTz created_to, int n_statuses,
									 const DsStatus *statuses, Oid user,
									 bool exposed_only,
									 const char *after_id, int limit);
extern List *ds_store_find_expired(TimestampTz ended_before,
								   const char *after_id, int limit);

/* The same for the children of an instance that belong to its owner, too. */
extern List *ds_store_find_ended_children(const char *parent_id, Oid owner,
										  TimestampTz ended_before,
										  const char *after_id, int limit);

/* --- store_home.c: the database that is the instances' home --- */

/* Is there an active instance with another stamp? */
extern bool ds_store_any_foreign(int stamp);
extern bool ds_store_is_home(int64 system_identifier, Oid database);
extern bool ds_store_has_one_home(void);
extern void ds_store_move_home(int64 system_identifier, Oid database,
							   int stamp);

/* --- store_http.c: functions that are exposed over HTTP --- */

extern bool ds_store_is_exposed(const char *schema, const char *bare);

/* False: it was already on the list. */
extern bool ds_store_expose(const char *schema, const char *bare);

/*
 * Without a schema, removes it for any schema.  False: it was not on the list.
 */
extern bool ds_store_hide(const char *schema, const char *bare);

/* The number of functions of this name on the list, in all schemas. */
extern int64 ds_store_count_exposed(const char *bare);

/* --- store_crashes.c --- */

/*
 * The runner of the instance, or of its task "seq", crashed at that time, when
 * the execution was at that turn, or the task at that attempt.  Returns the
 * number of consecutive crashes without progress.
 */
extern int	ds_store_count_crash(const char *instance_id,
								 const pg_uuid_t *execution_id, int seq,
								 int progress, TimestampTz crash_time);

#endif
