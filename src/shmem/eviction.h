/*-------------------------------------------------------------------------
 *
 * eviction.h
 *	  Sends the extension's processes away from a database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_EVICTION_H
#define DS_EVICTION_H

/*
 * Send the extension's processes away from a database and keep them out until
 * it is reopened.  They do not wait; ds_eviction_is_done() tells when the
 * processes have gone.
 */
extern void ds_eviction_close(Oid database);
extern void ds_eviction_reopen(Oid database);
extern void ds_eviction_evict(Oid database);
extern bool ds_eviction_is_done(Oid database);

/* Lets its workers retire after their steps; new ones may start. */
extern void ds_eviction_retire_workers(Oid database);

#endif
