/*-------------------------------------------------------------------------
 *
 * function_signature.h
 *	  What arguments a function takes, and whether an input fits them.
 *
 * A routine with one argument of type jsonb takes the input whole.  Every
 * other one takes an object whose keys are the names of its arguments; no
 * input is an empty object.
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
	NameData	name;			/* empty: it has none */
	Oid			type;
	Node	   *default_value;	/* not planned yet; NULL: there is none */
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
	bool		whole_input;
	Oid			result_type;
	const char *unsuitable;		/* why it may not run, to be translated */
	int			n_args;
	DsArgument *args;
	int32		row_typmod;		/* of ds_signature_row; -1: not made yet */
} DsSignature;

/* How an input fits a signature. */
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
	int			null_arg;		/* first one given as null, or -1 */
	char	   *key;			/* UNKNOWN_KEY */
	int			missing_arg;	/* MISSING_KEY */
} DsMatch;

/*
 * NULL if there is no such function.  Cached: the signature is good until the
 * next call, or until user code runs.
 */
extern DsSignature *ds_signature_get(Oid function);

/* The signature must not take the input whole. */
extern DsMatch ds_signature_match(const DsSignature *signature,
								  const Jsonb *input);

/* 42883: the input does not fit the only function of that name. */
pg_noreturn extern void ds_signature_mismatch(const DsSignature *signature,
											  const DsMatch *match,
											  const char *name);

/* SD400: the function is STRICT, and that argument (NULL: the input) null. */
pg_noreturn extern void ds_signature_null(const char *argument,
										  const char *name);

/* The arguments as in CREATE FUNCTION, in parentheses. */
extern char *ds_signature_text(Oid function);

/*
 * The row type of the input arguments, which must be released with
 * ReleaseTupleDesc.
 */
extern TupleDesc ds_signature_row(DsSignature *signature);

#endif
