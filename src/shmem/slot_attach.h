/*-------------------------------------------------------------------------
 *
 * slot_attach.h
 *	  Runners: attaching to a slot, and detaching, in order or in a crash.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SLOT_ATTACH_H
#define DS_SLOT_ATTACH_H

#include <signal.h>

#include "store/work.h"

/*
 * Reserves a slot for a worker that is about to be started (launcher only); -1
 * if there is none.  The generation tells later whether the slot is still
 * reserved for the same worker.
 */
extern int	ds_slot_reserve(Oid database, Oid role, uint32 *generation);

/* Frees the slot of a reserved or dead worker, unless it was reused. */
extern void ds_slot_abandon(int index, uint32 generation, bool died);

/*
 * The same for all slots that a former launcher reserved and that are not
 * attached.
 */
extern void ds_slot_abandon_starting(void);

/* A worker attaches to its reserved slot; false if it was given away. */
extern bool ds_slot_attach(int index, uint32 generation);

/* Makes a session a runner, for CALL df_run. */
extern void ds_slot_attach_foreground(void);
extern void ds_slot_detach(void);

/*
 * A worker without work gives up its slot, unless work has arrived meanwhile;
 * true if it has no slot any more.
 */
extern bool ds_slot_retire(bool even_with_work);

/* This process ends during a step, but not because of the step. */
extern void ds_slot_excuse(void);

/* A worker has succeeded: ends its group's back-off. */
extern void ds_slot_has_worked(void);

/*
 * Takes the oldest hint of this worker's group; false if there is none.  From
 * here on the worker counts as busy.
 */
extern bool ds_slot_take_hint(DsWork *work);

/*
 * Signal handler for SIGTERM in workers: a step that ends its own process in
 * this way has crashed it, see ds_slot_detach.
 */
extern void ds_slot_terminate_handler(int signo, siginfo_t *info,
									  void *context);

#endif
