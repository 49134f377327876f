/*-------------------------------------------------------------------------
 *
 * pass.h
 *	  One pass of an orchestrator.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_PASS_H
#define DS_PASS_H

#include "orchestrator/replay.h"

typedef enum DsPassOutcome
{
	DS_PASS_REQUEST,			/* waits for replay->request */
	DS_PASS_RETURNED,
	DS_PASS_CONTINUED,			/* df_continue_as_new */
	DS_PASS_FAILED
} DsPassOutcome;

typedef struct DsPass
{
	DsPassOutcome outcome;
	Jsonb	   *result;			/* RETURNED */
	Jsonb	   *failure;		/* FAILED */
	bool		cancelled;		/* FAILED because the statement was canceled */
	bool		conflict;		/* FAILED with its own serialization failure
								 * or deadlock */
} DsPass;

/*
 * Calls the orchestrator of replay->inst as the current user, in a
 * subtransaction of the current transaction.  Its writes are kept if it
 * returned or continued as new; otherwise they are rolled back.
 */
extern DsPass ds_pass_run(DsReplay *replay);

#endif
