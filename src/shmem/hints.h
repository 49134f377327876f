/*-------------------------------------------------------------------------
 *
 * hints.h
 *	  Tells workers that there may be work.
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
 * The work may be ready: makes a worker of its owner check it.  False: there
 * was no room, and the role's work will be searched for.
 */
extern bool ds_hint_ready(Oid database, Oid role, const DsWork *work);

/* The same, before all other hints. */
extern void ds_hint_first(Oid database, Oid role, const DsWork *work);

/* The same for an instance that this worker has yielded between two steps. */
extern void ds_hint_yielded(Oid database, Oid role, const DsWork *work);

/* Work of the role becomes due at that time. */
extern void ds_hint_wake(Oid database, Oid role, TimestampTz at);

/* Hints were lost: for the role, or for all roles of the database. */
extern void ds_hint_rescan(Oid database, Oid role);
extern void ds_hint_rescan_database(Oid database);

/* Search for lost work of the role again at that time. */
extern void ds_hint_retry(Oid database, Oid role, TimestampTz at);

/*
 * Asks for a visit of the janitor to the database; InvalidOid: to all of them.
 */
extern void ds_hint_visit(Oid database);

/* True if there are hints or due work of the role. */
extern bool ds_hint_has_work(Oid database, Oid role);

/* When the role's next wake-up is due, or DS_NO_TIME. */
extern TimestampTz ds_hint_next_wake(Oid database, Oid role);

/* Workers must not run these instances any more. */
extern void ds_hint_forget_database(Oid database);
extern void ds_hint_forget_group(const DsGroupKey *key);

#endif
