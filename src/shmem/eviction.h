/*-------------------------------------------------------------------------
 *
 * eviction.h
 *	  Databases that none of our processes may be in for a while.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_EVICTION_H
#define DS_EVICTION_H

#include "shmem/shared.h"

/* With hub->lock held. */
extern bool ds_is_closed(Oid database);

/*
 * Send our processes away from a database and keep them out until reopened.
 * Does not wait.  ds_is_deserted tells when they have gone.
 */
extern void ds_close_database(Oid database);
extern void ds_reopen_database(Oid database);
extern void ds_evict_database(Oid database);
extern bool ds_is_deserted(Oid database);

/* Its workers retire after their steps; new ones may come. */
extern void ds_retire_workers(Oid database);

#endif
