/*-------------------------------------------------------------------------
 *
 * context.h
 *	  Declarations shared by the functions for orchestrators.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CONTEXT_H
#define DS_CONTEXT_H

#include "fmgr.h"
#include "orchestrator/replay.h"

/* ds_replay_enter_durable, after a check that the library was preloaded. */
extern DsReplay *ds_context_enter_durable(const char *function);

/* Returns a jsonb as the function's result; NULL is null. */
extern Datum ds_context_return(FunctionCallInfo fcinfo, const Jsonb *result);

/* Argument n, which must be a retry policy or null; otherwise SD400. */
extern Jsonb *ds_context_retry(FunctionCallInfo fcinfo, int n);

/*
 * Arguments 0 and 1 are the delay and fire_at of a timer: exactly one of them.
 */
extern void ds_context_check_timer(FunctionCallInfo fcinfo,
								   const char *function);
extern TimestampTz ds_context_timer(FunctionCallInfo fcinfo);

/* At a replay: is fire_at, if the code gives it, what history has? */
extern void ds_context_check_fire_at(FunctionCallInfo fcinfo,
									 DsReplay *replay, const DsOp *op);

/* Adds an operation that ends as soon as it is requested. */
extern void ds_context_record(DsReplay *replay, DsOpKind kind,
							  const char *name, const Jsonb *value);

#endif
