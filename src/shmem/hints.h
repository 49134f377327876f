/*-------------------------------------------------------------------------
 *
 * hints.h
 *	  Who should look at what: the queues of hints.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_HINTS_H
#define DS_HINTS_H

#include "shmem/shared.h"

/* --- with the shared lock held --- */

/*
 * Somebody else shall look at the group at that time (0: now): an idle worker
 * of it, or the launcher, which starts one or, when all are busy for long,
 * another one.  The launcher is not bothered if it looks in time by itself.
 */
extern void ds_group_wake(DsGroup *group, TimestampTz at);

/* Is there something to do right now, as far as we know? */
extern bool ds_group_has_work(const DsGroup *group);

/* Is a search of the tables under way or to come? */
extern bool ds_group_is_searched(const DsGroup *group);

/* As ds_group_has_work, or is something due that must be looked for first? */
extern bool ds_group_has_due_work(const DsGroup *group, TimestampTz now);

/* False if the group has none. */
extern bool ds_group_wake_idle_worker(DsGroup *group);

/* How many hints lie there. */
extern int	ds_group_n_hints(const DsGroup *group);

/*
 * The next hint of the group; false if there is none.  *latency: for how many
 * microseconds it has been ready; -1: it was begun before.
 */
extern bool ds_group_pop_hint(DsGroup *group, DsWork *work, int64 *latency);

/* Empties the group's queue. */
extern void ds_group_drop_hints(DsGroup *group);

/* --- taking the lock themselves; none of them raises an error --- */

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

/*
 * A search that this worker shall go on with by one batch, if there is one and
 * the queue has room.  The searches of a group are shared by its workers, so
 * that a long step of one does not hold them up.  *fresh: it has just begun.
 */
extern bool ds_group_search_take(Oid database, Oid role, int home,
								 DsWorkSearch *search, bool *fresh);

/* Gives it back.  lost: not all that was found became a hint. */
extern void ds_group_search_return(Oid database, Oid role,
								   const DsWorkSearch *search, bool lost);

/* When the role's next wake-up is due; 0 if none is known. */
extern TimestampTz ds_hint_next_wake(Oid database, Oid role);

/* The workers must leave these instances alone. */
extern void ds_hint_forget_database(Oid database);
extern void ds_hint_forget_group(const DsGroupKey *key);

#endif
