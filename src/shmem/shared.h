/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  Shared memory: who should run what, who runs what, who waits for what.
 *
 * Nothing in here is the truth; the tables are.  A hint may be wrong or get
 * lost, and the whole of it may vanish in a crash.
 *
 * Everything is protected by one LWLock, ds_shared->lock, which is held for
 * short stretches without any call that could raise an error:
 *
 *	to change anything		exclusive
 *	to look					shared
 *
 * Exceptions: DsSlot.step and DsSlot.cancelled_step are atomics, so that a
 * signal handler can compare them; a worker reads its own slot's constants
 * (group, database, role) without the lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SHARED_H
#define DS_SHARED_H

#include "access/xlogdefs.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "base/limits.h"
#include "store/instance.h"

/* Shared memory is fixed; what does not fit becomes a rescan. */
#define DS_MAX_GROUPS			1024	/* (database, role) pairs */
#define DS_NO_HINT				(-1)
#define DS_MAX_HINTS			8192
#define DS_MAX_HINTS_OF_GROUP	2048
#define DS_MAX_VISITS			64	/* databases the janitor shall visit */
#define DS_BUSY_CHECK_MS		10	/* how long a busy role's hints may lie */
#define DS_MAX_CLOSED			32	/* databases being dropped or copied */

/* The workers of one role in one database and what they have to do. */
typedef struct DsGroupKey
{
	Oid			database;
	Oid			role;
} DsGroupKey;

/* Hints by their index in ds_shared->hints, the oldest first. */
typedef struct DsHintQueue
{
	int			first;			/* DS_NO_HINT if empty */
	int			last;
	int			n;
} DsHintQueue;

typedef struct DsGroup
{
	DsGroupKey	key;			/* hash key, must be first */
	DsHintQueue fresh;			/* what may be ready */
	DsHintQueue begun;			/* what a worker has left between two steps */
	uint32		n_pops;
	int			n_workers;		/* slots of the group, starting ones too */
	bool		rescan;			/* hints were lost: search the tables */
	bool		searching;		/* a worker is at one of these: */
	DsWorkSearch due_search;	/* for what is due */
	DsWorkSearch full_search;	/* for all that is ready */
	bool		full_search_next;	/* its turn, if both are under way */
	TimestampTz next_wake;		/* earliest due time known, 0: none */
	TimestampTz retry_time;		/* when to set rescan, 0: never */
	TimestampTz last_pop;		/* when a worker last took a hint */
	TimestampTz last_served;	/* when its last worker left */
	int			failures;		/* workers that died in a row */
	TimestampTz not_before;		/* back-off after those */
} DsGroup;

typedef enum DsSlotState
{
	DS_SLOT_FREE = 0,
	DS_SLOT_STARTING,			/* reserved by the launcher */
	DS_SLOT_IDLE,
	DS_SLOT_BUSY,				/* claims an instance */
	DS_SLOT_CRASHED				/* has crashed with a claim, which it keeps
								 * until the crash has been counted */
} DsSlotState;

/*
 * A runner: a background worker, or a session in CALL df_run.  The claim
 * in it is the ownership of the instance; it ends with the process.
 */
typedef struct DsSlot
{
	DsSlotState state;
	bool		foreground;		/* a session, not a worker */
	bool		leave;			/* shall retire after its step */
	bool		evicted;		/* was sent away: that is no failure */
	bool		recheck;		/* somebody else found the instance ready */
	bool		executing;		/* user code runs */
	bool		left;			/* of a crashed one: ended itself */
	bool		searching;		/* its group's "searching" */
	pid_t		pid;
	Latch	   *latch;
	uint32		generation;
	Oid			database;
	Oid			role;
	TimestampTz attached;		/* since when the runner is there */
	TimestampTz step_start;
	TimestampTz crash_time;
	pg_uuid_t	execution_id;	/* valid while executing */
	pg_uuid_t	terminated;		/* execution of the claim that was ended */
	char		instance_id[DS_MAX_ID_LENGTH + 1];	/* "" if no claim */
	int			task_seq;		/* claim of a task: its number, else 0, */
	pg_uuid_t	task_execution; /* and the execution it belongs to */
	char		function_name[DS_MAX_ID_LENGTH + 1];
	pg_atomic_uint64 step;		/* counts the steps of this slot */
	pg_atomic_uint64 cancelled_step;	/* the step that was terminated */
} DsSlot;

/* A session that waits for the end of instances. */
typedef struct DsWaiter
{
	bool		in_use;
	Oid			database;
	uint64		mask;			/* bits of the ids' hashes */
	Latch	   *latch;
	int			pid;
	Oid			role;
	bool		called_off;		/* by another session of the role */
} DsWaiter;

/* A database that no worker may be in. */
typedef struct DsClosed
{
	Oid			database;		/* InvalidOid if free */
	pid_t		by;
} DsClosed;

/* What a janitor found in a database. */
typedef enum DsFinding
{
	DS_FOUND_NOTHING,			/* no extension */
	DS_FOUND_OTHER_VERSION,		/* tables that this library does not know */
	DS_FOUND_AWAY,				/* instances that are at home elsewhere */
	DS_FOUND_HOME
} DsFinding;

/* A database that the janitor shall visit, at that time. */
typedef struct DsVisit
{
	Oid			database;
	TimestampTz at;
} DsVisit;

typedef struct DsHint
{
	int			next;
	int			cached_by;		/* slot of the worker that has put it aside */
	int			n_skipped;		/* times that a later one was taken */
	TimestampTz since;			/* when it became ready, as far as known */
	DsWork		work;
} DsHint;

typedef struct DsShared
{
	LWLock	   *lock;
	Latch	   *launcher_latch; /* NULL while there is no launcher */
	TimestampTz launcher_sleeps_until;
	pg_atomic_uint64 flush_wanted;	/* see wal_flusher.c */
	pg_atomic_uint32 flushing;
	TransactionId start_xid;	/* next one, when the server had started, */
	XLogRecPtr	start_lsn;		/* and the WAL then; see durability.c */
	int			n_slots;
	int			slots_used;		/* all slots above are free */
	int			n_waiters;		/* in use */
	int			free_hint;
	TimestampTz visit_all_at;	/* all databases; DT_NOEND: no */
	int			n_visits;
	DsVisit		visits[DS_MAX_VISITS];
	int			n_quotas;		/* roles whose instances are counted */
	bool		prepared_work;	/* a prepared transaction may hold hints */

	DsClosed	closed[DS_MAX_CLOSED];

	/* mailbox of the one janitor that runs at a time */
	Oid			janitor_database;
	pid_t		janitor_pid;
	DsFinding	janitor_finding;
	char		janitor_version[DS_MAX_VERSION];	/* of the extension */
	bool		janitor_done;
	bool		janitor_seeks_ownerless;	/* asked to, and not done yet */
	/* of one that has found all there was, and need not look at the clock */
	bool		janitor_left_nothing;
	int			janitor_transactions;	/* its own ones */

	DsHint		hints[DS_MAX_HINTS];
	/* followed by the slots and the waiters, n_slots of each */
} DsShared;

extern DsShared *ds_shared;

extern Size ds_shared_size(void);
extern void ds_shared_startup(void);

extern bool ds_shared_is_there(void);

/* Error with a hint if the library was not preloaded. */
extern void ds_shared_require(void);

extern DsSlot *ds_slots(void);
extern DsWaiter *ds_waiters(void);

static inline void
ds_shared_lock(void)
{
	LWLockAcquire(ds_shared->lock, LW_EXCLUSIVE);
}

static inline void
ds_shared_unlock(void)
{
	LWLockRelease(ds_shared->lock);
}

/* --- all of these with the lock held --- */

/* The group of a role, made if it is not there; NULL if there is no room. */
extern DsGroup *ds_group_get(Oid database, Oid role, bool create);

/*
 * The same, made in the place of one that has nothing to do until later, if
 * need be.  NULL: they all have work.
 */
extern DsGroup *ds_group_get_for_work(Oid database, Oid role);

/*
 * The janitor shall visit the database, or all of them if it is invalid, at
 * that time if not before; DT_NOBEGIN: at once.
 */
extern void ds_janitor_request_visit(Oid database, TimestampTz at);
extern void ds_shared_wake_launcher(void);

/*
 * How long to sleep in order to be there in so many milliseconds.  The kernel
 * lets a sleeper be late by a thousandth of its time-out, or five: whoever
 * sleeps for long wakes up a little early, and sleeps once more.  So does who
 * would sleep for longer than WaitLatch() can, which is 25 days.
 */
static inline long
ds_sleep_time(long milliseconds)
{
	milliseconds = Min(milliseconds, PG_INT32_MAX);
	return milliseconds <= 100 ? milliseconds :
		milliseconds - milliseconds / 150;
}

/* Calls the function for each group; it may drop the group it is given. */
extern void ds_group_each(void (*function) (DsGroup *group, void *arg),
						  void *arg);
extern void ds_group_drop(DsGroup *group);

#endif
