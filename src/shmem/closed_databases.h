/*-------------------------------------------------------------------------
 *
 * closed_databases.h
 *	  Databases that none of our processes may enter for a while.
 *
 * Lock rules: the shared lock, which the callers of these functions hold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CLOSED_DATABASES_H
#define DS_CLOSED_DATABASES_H

extern Size ds_closed_databases_size(void);
extern void ds_closed_databases_startup(void);

extern bool ds_closed_databases_has(Oid database);

/* By this process, which is also the one that opens it again. */
extern void ds_closed_databases_add(Oid database);
extern void ds_closed_databases_remove(Oid database);

#endif
