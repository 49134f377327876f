/*-------------------------------------------------------------------------
 *
 * function_ref.h
 *	  Finds and checks the functions for orchestrators and activities.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FUNCTION_REF_H
#define DS_FUNCTION_REF_H

#include "utils/jsonb.h"

typedef enum DsFunctionUse
{
	DS_USE_ORCHESTRATOR,
	DS_USE_ACTIVITY
} DsFunctionUse;

/*
 * Finds the function or procedure of this name for this input (NULL: none),
 * with the given search_path: the one with a single argument of type jsonb, or
 * else the one whose argument names match the keys of the input, with the
 * fewest defaults.  Raises 42883 if none fits, or several fit equally well.
 */
extern Oid	ds_function_find_with(const char *search_path, const char *name,
								  const Jsonb *input);

/* The same in the given schema, ignoring a schema in the name. */
extern Oid	ds_function_find_in(const char *schema, const char *name,
								const Jsonb *input);

/*
 * Raises an error unless "role" may use the function in this way with this
 * input: 42883 for an unsuitable kind of function, 42501 without the EXECUTE
 * right, SD400 if it is temporary, or if it is STRICT and the input or one of
 * its arguments is null.
 */
extern void ds_function_check(Oid function, const char *name,
							  DsFunctionUse use, Oid role,
							  const Jsonb *input);

extern char *ds_function_schema(Oid function);

/* Divides "name" or "schema.name" (*schema is NULL for the former); 42602. */
extern void ds_function_name_parts(const char *name, char **schema,
								   char **bare);

/*
 * The schema of the function that a name refers to with the current
 * search_path, whatever its arguments.  Raises 42883 if no function fits any
 * input, or if functions of several schemas do.
 */
extern char *ds_function_only_schema(const char *name);

#endif
