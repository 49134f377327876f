/*-------------------------------------------------------------------------
 *
 * function_defaults.h
 *	  Values for arguments with a DEFAULT that are missing in the input.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FUNCTION_DEFAULTS_H
#define DS_FUNCTION_DEFAULTS_H

#include "access/tupdesc.h"
#include "utils/jsonb.h"

#include "function/function_signature.h"

/*
 * A DEFAULT such as gen_random_uuid() returns a different value each time, but
 * an execution is one call, no matter how often it is replayed, and so is a
 * retried activity.  The values are kept as text, by argument name: only in
 * this form every type is restored exactly.
 */
typedef struct DsDefaults
{
	Jsonb	   *kept;			/* of earlier calls, or NULL */
	Jsonb	   *evaluated;		/* set by the call: "kept" and its new values,
								 * or NULL */
} DsDefaults;

/*
 * An expression for each argument, NULL where the input has a value; NIL if no
 * argument needs its default.
 */
extern List *ds_defaults_expressions(const DsSignature *signature,
									 const DsMatch *match);

/*
 * Sets the values of the expressions, in the current memory context, which
 * must live until the end of the transaction.
 */
extern void ds_defaults_fill(List *expressions, TupleDesc row,
							 DsDefaults *defaults, Datum *values, bool *nulls);

#endif
