/*-------------------------------------------------------------------------
 *
 * function_call.h
 *	  Calls a function of any signature: jsonb in, jsonb out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FUNCTION_CALL_H
#define DS_FUNCTION_CALL_H

#include "utils/jsonb.h"

#include "function/function_defaults.h"

/*
 * Calls a function that was found and checked for the input (NULL: none).
 * Returns NULL for a NULL or void result, and an array for a set.  The result
 * is in the current memory context.  Other allocations are in "scratch", which
 * must live until the end of the transaction, and so is what the call adds to
 * "defaults", even if the function fails.  Needs an active snapshot.
 */
extern Jsonb *ds_function_call(Oid function, const char *name, Jsonb *input,
							   DsDefaults *defaults, MemoryContext scratch);

#endif
