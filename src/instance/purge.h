/*-------------------------------------------------------------------------
 *
 * purge.h
 *	  Removing ended instances.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_PURGE_H
#define DS_PURGE_H

#include "nodes/pg_list.h"
#include "store/instance.h"

/*
 * Removes the instance, if it has ended, and its ended children with theirs.
 * Returns how many instances went.  skip_locked: whoever purges many takes
 * locks in another order than others, and must not wait for any.
 */
extern int64 ds_purge_family(const DsInstance *inst, bool skip_locked);

/* The same for each of a list of ids. */
extern int64 ds_purge_families(List *instance_ids, bool skip_locked);

#endif
