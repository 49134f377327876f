/*-------------------------------------------------------------------------
 *
 * slot_attach.h
 *	  Runners: taking a slot, and leaving it, in order or in a crash.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SLOT_ATTACH_H
#define DS_SLOT_ATTACH_H

#include <signal.h>

#include "store/work.h"

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

/* A session makes itself a runner for CALL df_run. */
extern void ds_slot_attach_foreground(void);
extern void ds_slot_detach(void);

/*
 * A worker with nothing to do gives up its slot, unless something has come
 * in meanwhile; true if it is rid of it.
 */
extern bool ds_slot_retire(bool even_with_work);

/* A worker has worked: its group's back-off ends. */
extern void ds_slot_has_worked(void);

/*
 * The oldest hint of this worker's group; false if there is none.  From here
 * on the worker counts as busy.
 */
extern bool ds_slot_take_hint(DsWork *work);

/*
 * Signal handler for SIGTERM in workers: a step that ends its own process in
 * this way has crashed it, see ds_slot_detach.
 */
extern void ds_slot_terminate_handler(int signo, siginfo_t *info, void *context);

#endif
