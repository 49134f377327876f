/*-------------------------------------------------------------------------
 *
 * function_ref.h
 *	  Which functions may be orchestrators and activities.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FUNCTION_REF_H
#define DS_FUNCTION_REF_H

#include "instance.h"

/*
 * The function f(jsonb) of that name, found with the present search_path;
 * InvalidOid if there is none.
 */
extern Oid	ds_function_lookup(const char *name);

/* The same with another search_path. */
extern Oid	ds_function_lookup_with(const char *search_path, const char *name);

/* The same, in the given schema, whatever schema the name has. */
extern Oid	ds_function_lookup_in(const char *schema, const char *name);

/*
 * Errors unless the function (InvalidOid: none was found) may run as an
 * orchestrator or activity of "role" on that input: 42883 if it is missing or
 * of unsuitable signature, 42501 without the EXECUTE right, SD400 if it is
 * temporary, or STRICT and the input NULL.
 */
extern void ds_function_check(Oid function, const char *name, Oid role,
							  bool null_input);

/*
 * A superuser's instances run a superuser's functions only, else whoever may
 * replace the function would become superuser: 42501.
 */
extern void ds_function_check_trust(Oid function, const char *name, Oid role);

extern char *ds_function_schema(Oid function);

/*
 * Calls f(jsonb); NULL for a NULL or void result, which is in the present
 * memory context.  What the call leaves behind is in "scratch", which must
 * live until the end of the transaction.
 */
extern Jsonb *ds_function_call(Oid function, Jsonb *input,
							   MemoryContext scratch);

#endif
