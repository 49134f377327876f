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
	bool		of_role;		/* the role's workers, not those of all */
	int			n_blocked;		/* with this one */
	int			n_workers;		/* that there may be */
} DsBlocked;

/*
 * To be called before each sleep of a wait in a worker's step, and the second
 * one after the wait.  False: the wait must not go on, because no worker would
 * be left for anything else.  own_role: an instance of this role is awaited.
 */
extern bool ds_blocked_enter(bool own_role, DsBlocked *blocked);
extern void ds_blocked_leave(void);

/*
 * The launcher finds work for which no background worker can be started, or
 * not any more: what there is, is all there may be.
 */
extern void ds_blocked_workers_are_out(bool out);

#endif
