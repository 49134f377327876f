/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Names of newer server versions for older ones.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COMPAT_H
#define DS_COMPAT_H

/* PostgreSQL 18 writes it before the declaration. */
#ifndef pg_noreturn
#define pg_noreturn __attribute__((noreturn))
#endif

#endif
