/*-------------------------------------------------------------------------
 *
 * closed_databases.h
 *	  Databases that the extension's processes may not enter for a while.
 *
 * Lock rules: the shared lock, held by the callers of these functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CLOSED_DATABASES_H
#define DS_CLOSED_DATABASES_H

extern Size ds_closed_databases_size(void);
extern void ds_closed_databases_startup(void);

extern bool ds_closed_databases_has(Oid database);

/* Close a database for this process, which also reopens it. */
extern void ds_closed_databases_add(Oid database);
extern void ds_closed_databases_remove(Oid database);

#endif
