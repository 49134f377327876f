/*-------------------------------------------------------------------------
 *
 * purge.h
 *	  Removing ended instances.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_PURGE_H
#define DS_PURGE_H

#include "instance.h"
#include "nodes/pg_list.h"

/*
 * Removes the instance, if it has ended, and its ended children with theirs.
 * Returns how many instances went.
 */
extern int64 ds_purge_family(const DsInstance *inst);

/* The same for each of a list of ids. */
extern int64 ds_purge_families(List *instance_ids);

#endif
