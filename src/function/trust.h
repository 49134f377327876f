/*-------------------------------------------------------------------------
 *
 * trust.h
 *	  Decides whose code may run as a role.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TRUST_H
#define DS_TRUST_H

/*
 * Called when the library is loaded: installs hooks in the function manager.
 */
extern void ds_trust_init(void);

/* Each runner calls this before any user code. */
extern void ds_trust_begin(void);

/*
 * A superuser's instances run only functions that a superuser owns: 42501.
 * Otherwise the owner of the function could make itself a superuser.  So could
 * the owner of a domain, whose CHECK constraints run when an argument is
 * converted; a function with such an argument may not run as a superuser
 * either.
 */
extern void ds_trust_check_function(Oid function, const char *name, Oid role);

/*
 * The same, immediately before the function runs.  The process ends (FATAL) if
 * its role was dropped, or has lost SUPERUSER since the process connected.
 */
extern void ds_trust_check(Oid function, const char *name, Oid role);

/*
 * Was a function called since the last check that this process may not have
 * called before?  If not, no library was loaded for a function either.
 */
extern bool ds_trust_take_new_function(void);

/* Could a conversion of values of this type run user code? */
extern bool ds_trust_type_has_code(Oid type);

/*
 * Call these around to_jsonb() of a result of the function.  It runs casts to
 * json, created by owners of types, for which the function did not ask. A cast
 * function must belong to a superuser, to the owner of the function, or to the
 * session's role or a role with its privileges; otherwise 42501. The second
 * one must also be called after an error.
 */
extern void ds_trust_begin_conversion(Oid function);
extern void ds_trust_end_conversion(void);

#endif
