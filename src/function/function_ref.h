/*-------------------------------------------------------------------------
 *
 * function_ref.h
 *	  Which functions may be orchestrators and activities.
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
 * The function or procedure of that name for that input (NULL: none), found
 * with that search_path: the one with a single argument of type jsonb,
 * or else the one whose arguments the keys of the input name, with the fewest
 * defaults.  42883 if none fits, or several fit equally well.
 */
extern Oid	ds_function_find_with(const char *search_path, const char *name,
								  const Jsonb *input);

/* The same, in the given schema, whatever schema the name has. */
extern Oid	ds_function_find_in(const char *schema, const char *name,
								const Jsonb *input);

/*
 * Errors unless the function may be used so by "role" with that input: 42883
 * if it is of an unsuitable kind, 42501 without the EXECUTE right, SD400 if
 * it is temporary, or STRICT and the input, or what it gives for an argument,
 * null.
 */
extern void ds_function_check(Oid function, const char *name,
							  DsFunctionUse use, Oid role,
							  const Jsonb *input);

extern char *ds_function_schema(Oid function);

/* The parts of "name" or "schema.name" (*schema is NULL then); 42602. */
extern void ds_function_name_parts(const char *name, char **schema,
								   char **bare);

/*
 * The schema whose function that name means with the present search_path,
 * whatever its arguments; 42883 if there is none that some input fits, or
 * functions of several schemas could be meant.
 */
extern char *ds_function_only_schema(const char *name);

#endif
