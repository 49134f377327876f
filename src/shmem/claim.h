/*-------------------------------------------------------------------------
 *
 * claim.h
 *	  Claims of runners, their steps, and canceling these steps.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CLAIM_H
#define DS_CLAIM_H

#include "store/work.h"

/*
 * Claims an instance or a task.  After true, no other process runs it until
 * the release.  After false, its current holder will check it again.
 */
extern bool ds_claim_take(const DsWork *work);

/*
 * Releases the claim, unless another process found the instance ready in the
 * meantime and relies on this one to check it again: then returns false and
 * keeps the claim.
 */
extern bool ds_claim_release_unless_wanted(void);

/*
 * Releases the claim in any case; true if another process relies on a check.
 */
extern bool ds_claim_release(void);

/*
 * User code of this execution begins, under this name.  From here until the
 * release, ds_claim_cancel_step interrupts it.  If that was called since the
 * claim, raises the error now.
 */
extern void ds_claim_begin_step(const pg_uuid_t *execution_id,
								const char *function_name);

/* True if this process is executing a step of the execution. */
extern bool ds_claim_is_own_step(const pg_uuid_t *execution_id);

/* True if the current step was terminated by ds_claim_cancel_step. */
extern bool ds_claim_is_cancelled(void);

/* The execution was ended: interrupts its step, wherever it runs. */
extern void ds_claim_cancel_step(Oid database, const char *instance_id,
								 const pg_uuid_t *execution_id);

/*
 * For the launcher: cancels steps again that continue after a cancel, and
 * terminates their workers if they ignore it.  Returns when to check again.
 */
extern TimestampTz ds_claim_cancel_again(void);

/* Signal handler for SIGUSR2 in every runner. */
extern void ds_claim_cancel_handler(SIGNAL_ARGS);

/*
 * The executions running in the database; returns their number, in palloc'd
 * memory.
 */
typedef struct DsExecuting
{
	pg_uuid_t	execution_id;
	char		instance_id[DS_MAX_ID_LENGTH + 1];
} DsExecuting;

extern int	ds_claim_executing_steps(Oid database, DsExecuting **steps);

/* True while user code of this execution runs in any process. */
extern bool ds_claim_is_executing(Oid database, const pg_uuid_t *execution_id);

#endif
