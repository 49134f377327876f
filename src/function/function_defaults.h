/*-------------------------------------------------------------------------
 *
 * function_defaults.h
 *	  Arguments that the input leaves out, and that have a DEFAULT.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FUNCTION_DEFAULTS_H
#define DS_FUNCTION_DEFAULTS_H

#include "access/tupdesc.h"
#include "utils/jsonb.h"

#include "function/function_signature.h"

/*
 * A DEFAULT such as gen_random_uuid() gives another value each time, but an
 * execution is one call, however often it is replayed, and so is an activity
 * that is tried again.  The values are kept as text, by the name of the
 * argument: the only form from which each type comes back as it was.
 */
typedef struct DsDefaults
{
	Jsonb	   *kept;			/* of the calls before; NULL: none */
	Jsonb	   *evaluated;		/* set by the call: "kept" and the values that
								 * it has added; NULL: it has added none */
} DsDefaults;

/*
 * An expression for each argument, NULL where the input has a value; NIL if no
 * argument needs its default.
 */
extern List *ds_defaults_expressions(const DsSignature *signature,
									 const DsMatch *match);

/*
 * Sets the values that the expressions are for, in the present memory
 * context, which must live until the end of the transaction.
 */
extern void ds_defaults_fill(List *expressions, TupleDesc row,
							 DsDefaults *defaults, Datum *values, bool *nulls);

#endif
