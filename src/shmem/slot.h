/*-------------------------------------------------------------------------
 *
 * slot.h
 *	  The slots of runners: one for every process that can be a runner.
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
	DS_SLOT_CRASHED				/* crashed; keeps its claim until the crash is
								 * counted */
} DsSlotState;

/*
 * A runner: a background worker, or a session in CALL df_run.  Its claim is
 * the ownership of the instance; it ends with the process.
 */
typedef struct DsSlot
{
	DsSlotState state;
	bool		foreground;		/* a session, not a worker */
	bool		leave;			/* must retire after its step */
	bool		evicted;		/* was sent away: this is not a failure */
	bool		recheck;		/* another process found the instance ready */
	bool		executing;		/* user code runs */
	bool		blocked;		/* it waits for another instance */
	bool		left;			/* of a crashed one: it ended itself */
	bool		searching;		/* it set its group's "searching" */
	pid_t		pid;
	Latch	   *latch;
	uint32		generation;
	Oid			database;
	Oid			role;
	TimestampTz attached;		/* when the runner attached */
	TimestampTz step_start;
	TimestampTz crash_time;
	pg_uuid_t	execution_id;	/* valid while executing */
	pg_uuid_t	terminated;		/* the ended execution of the claim */
	char		instance_id[DS_MAX_ID_LENGTH + 1];	/* "" without a claim */
	int			task_seq;		/* of a claimed task, otherwise 0, */
	pg_uuid_t	task_execution; /* and the execution of the task */
	char		function_name[DS_MAX_ID_LENGTH + 1];
	pg_atomic_uint64 step;		/* counts the steps of this slot */
	pg_atomic_uint64 cancelled_step;	/* the step that was terminated */
	int			n_cancels;		/* of that step */
	TimestampTz cancel_again_at;	/* if the step continues */
} DsSlot;

typedef struct DsSlots
{
	int			n;
	int			used;			/* all slots from this one on are free */
	TimestampTz cancel_again_at;	/* the earliest; DT_NOEND: none */
	bool		workers_are_out;	/* no more workers can be started; set by
									 * the launcher */
	DsSlot		slot[FLEXIBLE_ARRAY_MEMBER];
} DsSlots;

extern DsSlots *ds_slots;

/* This process's slot, or NULL. */
extern DsSlot *ds_my_slot;

extern Size ds_slot_size(void);
extern void ds_slot_startup(void);

/* The number of the slot, from 0; -1 for NULL. */
static inline int
ds_slot_index(const DsSlot *slot)
{
	return slot == NULL ? -1 : slot - ds_slots->slot;
}

/* --- with the shared lock held --- */

/* Signals its process, and programs started by it. */
extern void ds_slot_signal(const DsSlot *slot, int signo);

/* A free slot, which counts as used from now on; -1 if there is none. */
extern int	ds_slot_find_free(void);

/* The slot no longer belongs to a process. */
extern void ds_slot_free(DsSlot *slot);

/*
 * Its process has ended, and the claim stays.  keep_note: the postmaster is
 * about to discard shared memory.
 */
extern void ds_slot_crash(DsSlot *slot, bool keep_note);

#endif
