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
	DS_PASS_REQUEST,			/* it waits for replay->request */
	DS_PASS_RETURNED,
	DS_PASS_CONTINUED,			/* df_continue_as_new */
	DS_PASS_FAILED
} DsPassOutcome;

typedef struct DsPass
{
	DsPassOutcome outcome;
	Jsonb	   *result;			/* RETURNED */
	Jsonb	   *failure;		/* FAILED */
	bool		cancelled;		/* FAILED, by a cancel of the statement */
} DsPass;

/*
 * Calls the orchestrator of replay->inst as the current user, in a
 * subtransaction of the present transaction.  Its writes stay when it
 * returned or continued as new; else they are gone.
 */
extern DsPass ds_pass_run(DsReplay *replay);

#endif
