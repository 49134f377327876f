/*-------------------------------------------------------------------------
 *
 * hints.h
 *	  Telling workers that there may be work.
 *
 * All of these take the shared lock; none of them raises an error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_HINTS_H
#define DS_HINTS_H

#include "shmem/group.h"
#include "store/work.h"

/*
 * The work may be ready: a worker of its owner shall look at it.  False:
 * there was no room, and the role's work will be searched for.
 */
extern bool ds_hint_ready(Oid database, Oid role, const DsWork *work);

/* The same for an instance that this worker has left between two steps. */
extern void ds_hint_yielded(Oid database, Oid role, const DsWork *work);

/* Something of the role falls due then. */
extern void ds_hint_wake(Oid database, Oid role, TimestampTz at);

/* Hints for the role were lost, or the database's for all roles. */
extern void ds_hint_rescan(Oid database, Oid role);
extern void ds_hint_rescan_database(Oid database);

/* Look for lost work of the role again at that time. */
extern void ds_hint_retry(Oid database, Oid role, TimestampTz at);

/* The janitor shall visit the database; InvalidOid: all of them. */
extern void ds_hint_visit(Oid database);

/* True if hints lie there or something of the role is due. */
extern bool ds_hint_has_work(Oid database, Oid role);

/* When the role's next wake-up is due; 0 if none is known. */
extern TimestampTz ds_hint_next_wake(Oid database, Oid role);

/* The workers must leave these instances alone. */
extern void ds_hint_forget_database(Oid database);
extern void ds_hint_forget_group(const DsGroupKey *key);

#endif
