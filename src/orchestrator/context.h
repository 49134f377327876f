/*-------------------------------------------------------------------------
 *
 * context.h
 *	  What the functions for orchestrators have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CONTEXT_H
#define DS_CONTEXT_H

#include "fmgr.h"
#include "orchestrator/replay.h"

/* ds_replay_enter_durable, once the library is loaded right. */
extern DsReplay *ds_context_enter_durable(const char *function);

/* A jsonb as the function's result; NULL is null. */
extern Datum ds_context_return(FunctionCallInfo fcinfo, const Jsonb *result);

/* Argument n is a retry policy or null, else SD400. */
extern Jsonb *ds_context_retry(FunctionCallInfo fcinfo, int n);

/* Arguments 0 and 1 are a timer's delay and fire_at: just one of them. */
extern void ds_context_check_timer(FunctionCallInfo fcinfo,
								   const char *function);
extern TimestampTz ds_context_timer(FunctionCallInfo fcinfo);

/* An operation that is over as soon as it is asked for. */
extern void ds_context_record(DsReplay *replay, DsOpKind kind,
							  const char *name, const Jsonb *value);

#endif
