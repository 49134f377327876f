/*-------------------------------------------------------------------------
 *
 * slot.h
 *	  Executors and what they own: claims, steps, cancelling a step.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SLOT_H
#define DS_SLOT_H

#include <signal.h>

#include "hub.h"

/* This process's slot, or NULL. */
extern DsSlot *ds_my_slot;

/*
 * Reserve a slot for a worker that is about to be started (launcher only);
 * -1 if there is none.  The generation tells later whether it is still the
 * same worker's.
 */
extern int	ds_slot_reserve(Oid database, Oid role, uint32 *generation);

/* Give back a reserved or dead worker's slot, if it is still its. */
extern void ds_slot_abandon(int index, uint32 generation, bool died);

/* The same for all that a former launcher reserved and nobody took. */
extern void ds_slot_abandon_starting(void);

/* A worker takes the slot reserved for it; false if it was given away. */
extern bool ds_slot_attach(int index, uint32 generation);

/* A session makes itself an executor for CALL df_run. */
extern void ds_slot_attach_foreground(void);
extern void ds_slot_detach(void);

/* With the lock held: it is nobody's any more. */
extern void ds_slot_free(DsSlot *slot);

/*
 * A worker with nothing to do gives up its slot, unless something has come
 * in meanwhile; true if it is rid of it.
 */
extern bool ds_slot_retire(bool even_with_work);

/* A worker has worked: its group's back-off ends. */
extern void ds_slot_works(void);

/*
 * The oldest hint of this worker's group; false if there is none.  From here
 * on the worker counts as busy.
 */
extern bool ds_slot_take_hint(DsWork *work);

/*
 * Claim an instance or a task: from true on until its release nobody else runs it.  On
 * false its present holder will look at it again.
 */
extern bool ds_claim(const DsWork *work);

/*
 * Give it back, unless somebody found it ready in the meantime and
 * relies on us to look again: false then, and it stays claimed.
 */
extern bool ds_release_unless_wanted(void);

/* Give it back in any case; true if somebody relies on a look. */
extern bool ds_release(void);

/*
 * User code of this execution begins, under that name.  From here until the
 * release ds_cancel_step interrupts it; if it came since the claim, that is an
 * error now.
 */
extern void ds_step_begin(const pg_uuid_t *execution_id, const char *function_name);

/* True if this process is executing a step of that execution. */
extern bool ds_step_is_mine(const pg_uuid_t *execution_id);

/* True if the present step was terminated by ds_cancel_step. */
extern bool ds_step_is_cancelled(void);

/* The execution was ended: interrupt its step, wherever it runs. */
extern void ds_cancel_step(Oid database, const char *instance_id,
						   const pg_uuid_t *execution_id);

/* Signal handler for SIGUSR2 in every executor. */
extern void ds_cancel_handler(SIGNAL_ARGS);

/*
 * Signal handler for SIGTERM in workers: a step that ends its own process in
 * this way has crashed it, see ds_slot_detach.
 */
extern void ds_terminate_handler(int signo, siginfo_t * info, void *context);

/* What executes in the database now; returns how many, in palloc'd memory. */
typedef struct DsExecuting
{
	pg_uuid_t	execution_id;
	char		instance_id[DS_MAX_ID_LENGTH + 1];
} DsExecuting;

extern int	ds_executing_steps(Oid database, DsExecuting **steps);

/* True while user code of this execution runs somewhere. */
extern bool ds_is_executing(Oid database, const pg_uuid_t *execution_id);

#endif
