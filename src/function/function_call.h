/*-------------------------------------------------------------------------
 *
 * function_call.h
 *	  Calling a function of any signature: jsonb in, jsonb out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FUNCTION_CALL_H
#define DS_FUNCTION_CALL_H

#include "utils/jsonb.h"

/*
 * Calls a function that was found and checked for the input (NULL: none).
 * NULL for a NULL or void result; a set is an array.  The result is in the
 * present memory context.  What the call leaves behind is in "scratch", which
 * must live until the end of the transaction.  Needs an active snapshot.
 */
extern Jsonb *ds_function_call(Oid function, const char *name, Jsonb *input,
							   MemoryContext scratch);

#endif
