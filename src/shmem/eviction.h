/*-------------------------------------------------------------------------
 *
 * eviction.h
 *	  Sending our processes away from a database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_EVICTION_H
#define DS_EVICTION_H

/*
 * Send our processes away from a database and keep them out until reopened.
 * Does not wait.  ds_eviction_is_done() tells when they have gone.
 */
extern void ds_eviction_close(Oid database);
extern void ds_eviction_reopen(Oid database);
extern void ds_eviction_evict(Oid database);
extern bool ds_eviction_is_done(Oid database);

/* Its workers retire after their steps; new ones may come. */
extern void ds_eviction_retire_workers(Oid database);

#endif
