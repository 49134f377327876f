/*-------------------------------------------------------------------------
 *
 * function_signature.h
 *	  The arguments of a function, and whether an input fits them.
 *
 * A function with one argument of type jsonb takes the whole input.  Every
 * other one takes an object whose keys are the names of its arguments; no
 * input counts as an empty object.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FUNCTION_SIGNATURE_H
#define DS_FUNCTION_SIGNATURE_H

#include "access/tupdesc.h"
#include "nodes/nodes.h"
#include "utils/jsonb.h"

#include "base/compat.h"

/* An input argument: IN, INOUT or VARIADIC. */
typedef struct DsArgument
{
	NameData	name;			/* empty if it has none */
	Oid			type;
	Node	   *default_value;	/* not planned yet; NULL if there is none */
} DsArgument;

typedef struct DsSignature
{
	Oid			function;		/* hash key */
	MemoryContext cxt;			/* of the arguments */
	char		kind;			/* prokind */
	bool		strict;
	bool		variadic;
	bool		returns_set;
	bool		temporary;
	bool		fresh_worker;	/* durable_singleton.fresh_worker is set */
	bool		whole_input;
	int			isolation;		/* its default_transaction_isolation, or -1 */
	Oid			result_type;
	const char *unsuitable;		/* why it may not run, not translated yet */
	int			n_args;
	DsArgument *args;
	int32		row_typmod;		/* of ds_signature_row; -1: not created yet */
} DsSignature;

/* The result of matching an input with a signature. */
typedef enum DsFit
{
	DS_FITS,
	DS_NOT_AN_OBJECT,
	DS_UNKNOWN_KEY,
	DS_MISSING_KEY
} DsFit;

typedef struct DsMatch
{
	DsFit		fit;
	bool		given[FUNC_MAX_ARGS];	/* by a key of the input */
	int			n_given;
	int			n_defaults;		/* arguments that need their default */
	int			null_arg;		/* the first one given as null, or -1 */
	char	   *key;			/* UNKNOWN_KEY */
	int			missing_arg;	/* MISSING_KEY */
} DsMatch;

/* Has any function with fresh_worker been looked up so far? */
extern bool ds_signature_any_fresh_worker;

/*
 * NULL if there is no such function.  Cached: the result is valid until the
 * next call, or until user code runs.
 */
extern DsSignature *ds_signature_get(Oid function);

/* The signature must not be one that takes the whole input. */
extern DsMatch ds_signature_match(const DsSignature *signature,
								  const Jsonb *input);

/* Raises 42883: the input does not fit the only function of this name. */
pg_noreturn extern void ds_signature_mismatch(const DsSignature *signature,
											  const DsMatch *match,
											  const char *name);

/*
 * Raises SD400: the function is STRICT, and this argument (NULL: the input) is
 * null.
 */
pg_noreturn extern void ds_signature_null(const char *argument,
										  const char *name);

/* The arguments in parentheses, as in CREATE FUNCTION. */
extern char *ds_signature_text(Oid function);

/*
 * The row type of the input arguments; the caller must release it with
 * ReleaseTupleDesc.
 */
extern TupleDesc ds_signature_row(DsSignature *signature);

#endif
