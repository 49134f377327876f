/*-------------------------------------------------------------------------
 *
 * claim.h
 *	  What a runner owns: its claim, its step, cancelling that step.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CLAIM_H
#define DS_CLAIM_H

#include "store/work.h"

/*
 * Claim an instance or a task: from true on until its release nobody else
 * runs it.  On false its present holder will look at it again.
 */
extern bool ds_claim_take(const DsWork *work);

/*
 * Give it back, unless somebody found it ready in the meantime and
 * relies on us to look again: false then, and it stays claimed.
 */
extern bool ds_claim_release_unless_wanted(void);

/* Give it back in any case; true if somebody relies on a look. */
extern bool ds_claim_release(void);

/*
 * User code of this execution begins, under that name.  From here until the
 * release ds_claim_cancel_step interrupts it; if it came since the claim, that
 * is an error now.
 */
extern void ds_claim_begin_step(const pg_uuid_t *execution_id, const char *function_name);

/* True if this process is executing a step of that execution. */
extern bool ds_claim_is_own_step(const pg_uuid_t *execution_id);

/* True if the present step was terminated by ds_claim_cancel_step. */
extern bool ds_claim_is_cancelled(void);

/* The execution was ended: interrupt its step, wherever it runs. */
extern void ds_claim_cancel_step(Oid database, const char *instance_id,
								 const pg_uuid_t *execution_id);

/*
 * For the launcher: cancels steps again that go on after that, and ends the
 * workers of those that do not hear it.  Returns when to look again.
 */
extern TimestampTz ds_claim_cancel_again(void);

/* Signal handler for SIGUSR2 in every runner. */
extern void ds_claim_cancel_handler(SIGNAL_ARGS);

/* What executes in the database now; returns how many, in palloc'd memory. */
typedef struct DsExecuting
{
	pg_uuid_t	execution_id;
	char		instance_id[DS_MAX_ID_LENGTH + 1];
} DsExecuting;

extern int	ds_claim_executing_steps(Oid database, DsExecuting **steps);

/* True while user code of this execution runs somewhere. */
extern bool ds_claim_is_executing(Oid database, const pg_uuid_t *execution_id);

#endif
