/*-------------------------------------------------------------------------
 *
 * group.h
 *	  Groups: the workers of one role in one database, and their work.
 *
 * Lock rules: the shared lock, held by the callers of all these functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_GROUP_H
#define DS_GROUP_H

#include "shmem/hint_queue.h"

#define DS_MAX_GROUPS			1024
#define DS_MAX_HINTS_OF_GROUP	2048
#define DS_BUSY_CHECK_MS		10	/* how long hints of a busy role may wait */

typedef struct DsGroupKey
{
	Oid			database;
	Oid			role;
} DsGroupKey;

typedef struct DsGroup
{
	DsGroupKey	key;			/* hash key, must be first */
	DsHintQueue new_hints;		/* instances and tasks that may be ready */
	DsHintQueue yielded;		/* instances that a worker has yielded */
	uint32		n_pops;
	int			n_workers;		/* slots of the group, including starting ones */
	bool		rescan;			/* hints were lost: search the tables */
	bool		searching;		/* a worker is working on one of these: */
	DsWorkSearch due_search;	/* for due work */
	DsWorkSearch full_search;	/* for all ready work */
	bool		full_search_next;	/* if both are in progress */
	TimestampTz next_wake;		/* earliest known due time, or DS_NO_TIME */
	TimestampTz retry_time;		/* when to set rescan, or DS_NO_TIME */
	TimestampTz last_pop;		/* when a worker last took a hint */
	TimestampTz last_served;	/* when its last worker exited */
	int			failures;		/* consecutive deaths of workers */
	TimestampTz not_before;		/* back-off after these */
} DsGroup;

extern Size ds_group_size(void);
extern void ds_group_startup(void);

/* The group of a role, created if necessary; NULL if there is no room. */
extern DsGroup *ds_group_get(Oid database, Oid role, bool create);

/*
 * The same; if necessary, it replaces a group without current work.  NULL: all
 * groups have work.
 */
extern DsGroup *ds_group_get_for_work(Oid database, Oid role);

/* Calls the function for each group; it may drop the group. */
extern void ds_group_each(void (*function) (DsGroup *group, void *arg),
						  void *arg);
extern void ds_group_drop(DsGroup *group);

/* --- its hints --- */

extern int	ds_group_n_hints(const DsGroup *group);

typedef enum DsHintPlace
{
	DS_HINT_NEW,
	DS_HINT_FIRST,				/* before all other new hints */
	DS_HINT_YIELDED				/* a worker has yielded it between two steps */
} DsHintPlace;

/* False: there is no room for the hint. */
extern bool ds_group_push_hint(DsGroup *group, const DsWork *work,
							   DsHintPlace place);

/*
 * The next hint of the group; false if there is none.  *latency: the
 * microseconds since it became ready; -1: the instance was yielded.
 */
extern bool ds_group_pop_hint(DsGroup *group, DsWork *work, int64 *latency);

/* The group has no work any more, as far as is known. */
extern void ds_group_forget_work(DsGroup *group);

/* --- has it something to do? --- */

/* Right now, as far as is known? */
extern bool ds_group_has_work(const DsGroup *group);

/* Is a search of the tables in progress or pending? */
extern bool ds_group_is_searched(const DsGroup *group);

/* When work becomes due that must be searched for first, or DS_NO_TIME. */
extern TimestampTz ds_group_next_due(const DsGroup *group);

/* Like ds_group_has_work(), or is anything due? */
extern bool ds_group_has_due_work(const DsGroup *group, TimestampTz now);

/* --- its workers --- */

/*
 * Makes another process check the group at that time (DS_NO_TIME: now): an
 * idle worker of the group, or the launcher, which starts a worker or, if all
 * are busy for long, another one.  The launcher is not woken if it wakes up in
 * time by itself.
 */
extern void ds_group_wake(DsGroup *group, TimestampTz at);

/* False if the group has no idle worker. */
extern bool ds_group_wake_idle_worker(DsGroup *group);

#endif
