/*-------------------------------------------------------------------------
 *
 * trust.h
 *	  Whose code may run as a role.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TRUST_H
#define DS_TRUST_H

/* When the library is loaded: hooks into the function manager. */
extern void ds_trust_init(void);

/* To be called by each executor before any user code. */
extern void ds_trust_begin(void);

/*
 * A superuser's instances run functions that a superuser owns, and no others:
 * 42501.  Otherwise the owner of the function could make itself a superuser.
 * So could the owner of a domain, whose CHECK constraints run when an argument
 * is converted: such a function may not run as a superuser either.
 */
extern void ds_trust_check_function(Oid function, const char *name, Oid role);

/*
 * The same, right before the function runs.  An owner that is no superuser any
 * more ends the process (FATAL) if it connected as one.
 */
extern void ds_trust_check(Oid function, const char *name, Oid role);

/* Could a conversion of values of the type run user code? */
extern bool ds_trust_type_has_code(Oid type);

/*
 * Between these two, to_jsonb() converts a result of the function.  It runs
 * casts to json that owners of types have made, which the code of the function
 * did not ask for: a cast function must belong to a superuser, to the owner of
 * the function, or to the session's role or one with its privileges; else
 * 42501.  The second one must be called after an error, too.
 */
extern void ds_trust_begin_conversion(Oid function);
extern void ds_trust_end_conversion(void);

#endif
