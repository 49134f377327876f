/*-------------------------------------------------------------------------
 *
 * blocked.h
 *	  Workers whose step waits for another instance.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_BLOCKED_H
#define DS_BLOCKED_H

typedef struct DsBlocked
{
	bool		of_role;		/* the role's workers, not all workers */
	int			n_blocked;		/* including this one */
	int			n_workers;		/* the maximum number */
} DsBlocked;

/*
 * Call the first one before each sleep of a wait in a worker's step, and the
 * second one after the wait.  False: the wait must not continue, because no
 * worker would be left for anything else.  own_role: an instance of this role
 * is awaited.
 */
extern bool ds_blocked_enter(bool own_role, DsBlocked *blocked);
extern void ds_blocked_leave(void);

/*
 * The launcher has work for which no background worker can be started, or no
 * longer has: the existing workers are all there can be.
 */
extern void ds_blocked_workers_are_out(bool out);

#endif
