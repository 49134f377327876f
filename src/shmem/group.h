/*-------------------------------------------------------------------------
 *
 * group.h
 *	  Groups: the workers of one role in one database, and what they have to
 *	  do.
 *
 * Lock rules: the shared lock, which the callers of all these functions hold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_GROUP_H
#define DS_GROUP_H

#include "shmem/hint_queue.h"

#define DS_MAX_GROUPS			1024
#define DS_MAX_HINTS_OF_GROUP	2048
#define DS_BUSY_CHECK_MS		10	/* how long a busy role's hints may lie */

typedef struct DsGroupKey
{
	Oid			database;
	Oid			role;
} DsGroupKey;

typedef struct DsGroup
{
	DsGroupKey	key;			/* hash key, must be first */
	DsHintQueue new_hints;		/* what may be ready */
	DsHintQueue yielded;		/* what a worker has left between two steps */
	uint32		n_pops;
	int			n_workers;		/* slots of the group, starting ones too */
	bool		rescan;			/* hints were lost: search the tables */
	bool		searching;		/* a worker is at one of these: */
	DsWorkSearch due_search;	/* for what is due */
	DsWorkSearch full_search;	/* for all that is ready */
	bool		full_search_next;	/* if both are under way */
	TimestampTz next_wake;		/* earliest due time known, 0: none */
	TimestampTz retry_time;		/* when to set rescan, 0: never */
	TimestampTz last_pop;		/* when a worker last took a hint */
	TimestampTz last_served;	/* when its last worker left */
	int			failures;		/* workers that died in a row */
	TimestampTz not_before;		/* back-off after those */
} DsGroup;

extern Size ds_group_size(void);
extern void ds_group_startup(void);

/* The group of a role, made if it is not there; NULL if there is no room. */
extern DsGroup *ds_group_get(Oid database, Oid role, bool create);

/*
 * The same, made in the place of one that has nothing to do until later, if
 * need be.  NULL: they all have work.
 */
extern DsGroup *ds_group_get_for_work(Oid database, Oid role);

/* Calls the function for each group; it may drop the group it is given. */
extern void ds_group_each(void (*function) (DsGroup *group, void *arg),
						  void *arg);
extern void ds_group_drop(DsGroup *group);

/* --- its hints --- */

extern int	ds_group_n_hints(const DsGroup *group);

/*
 * yielded: a worker has left it between two steps.  False: there is no room
 * for the hint.
 */
extern bool ds_group_push_hint(DsGroup *group, const DsWork *work,
							   bool yielded);

/*
 * The next hint of the group; false if there is none.  *latency: for how many
 * microseconds it has been ready; -1: it was begun before.
 */
extern bool ds_group_pop_hint(DsGroup *group, DsWork *work, int64 *latency);

/* The group has nothing to do any more, as far as is known. */
extern void ds_group_forget_work(DsGroup *group);

/* --- has it something to do? --- */

/* Right now, as far as is known? */
extern bool ds_group_has_work(const DsGroup *group);

/* Is a search of the tables under way or to come? */
extern bool ds_group_is_searched(const DsGroup *group);

/* When the next thing falls due that must be looked for first; 0: never. */
extern TimestampTz ds_group_next_due(const DsGroup *group);

/* As ds_group_has_work(), or is something due? */
extern bool ds_group_has_due_work(const DsGroup *group, TimestampTz now);

/* --- its workers --- */

/*
 * Another process shall look at the group at that time (0: now): an idle
 * worker of it, or the launcher, which starts one or, when all are busy for
 * long, another one.  The launcher is not bothered if it looks in time by
 * itself.
 */
extern void ds_group_wake(DsGroup *group, TimestampTz at);

/* False if the group has none. */
extern bool ds_group_wake_idle_worker(DsGroup *group);

#endif
