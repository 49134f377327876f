/*-------------------------------------------------------------------------
 *
 * slot.h
 *	  The slots of runners: one for every process that can be one.
 *
 * Lock rules: the shared lock.  Exceptions: DsSlot.step and
 * DsSlot.cancelled_step are atomics, so that a signal handler can compare
 * them; a worker reads its own slot's constants (database, role) without the
 * lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SLOT_H
#define DS_SLOT_H

#include "base/limits.h"
#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "utils/uuid.h"

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
 * A runner: a background worker, or a session in CALL df_run.  The claim in it
 * is the ownership of the instance; it ends with the process.
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
	int			n_cancels;		/* of that step */
	TimestampTz cancel_again_at;	/* if it goes on */
} DsSlot;

typedef struct DsSlots
{
	int			n;
	int			used;			/* all slots from this one on are free */
	TimestampTz cancel_again_at;	/* the earliest; DT_NOEND: none */
	DsSlot		slot[FLEXIBLE_ARRAY_MEMBER];
} DsSlots;

extern DsSlots *ds_slots;

/* This process's slot, or NULL. */
extern DsSlot *ds_my_slot;

extern Size ds_slot_size(void);
extern void ds_slot_startup(void);

/* The slot's number, from 0 on; -1 for NULL. */
static inline int
ds_slot_index(const DsSlot *slot)
{
	return slot == NULL ? -1 : slot - ds_slots->slot;
}

/* --- with the shared lock held --- */

/* To its process, and to programs that it has started. */
extern void ds_slot_signal(const DsSlot *slot, int signo);

/* A free slot, which counts as used from now on; -1 if there is none. */
extern int	ds_slot_find_free(void);

/* The slot belongs to no process any more. */
extern void ds_slot_free(DsSlot *slot);

/*
 * Its process ends, and the claim stays.  keep_note: the postmaster will tear
 * down shared memory.
 */
extern void ds_slot_crash(DsSlot *slot, bool keep_note);

#endif
