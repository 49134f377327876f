/*-------------------------------------------------------------------------
 *
 * waiter.h
 *	  Sessions that wait for the end of instances.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WAITER_H
#define DS_WAITER_H

extern Size ds_waiter_size(void);
extern void ds_waiter_startup(void);

/*
 * From here until ds_waiter_leave this session's latch is set whenever one of
 * the instances ends, and occasionally without a reason.
 */
extern void ds_waiter_enter(int n, char **instance_ids);
extern void ds_waiter_leave(void);

/*
 * Ends the wait of another session as if its time were over, if it has the
 * same role.  The waiting session checks whether this was done.
 */
extern bool ds_waiter_call_off(int pid);
extern bool ds_waiter_called_off(void);

/* An instance has ended, and the transaction has committed. */
extern void ds_waiter_wake(Oid database, const char *instance_id);

/* Any instance of the database may have ended. */
extern void ds_waiter_wake_all(Oid database);

/*
 * The number of sessions of the database that wait; the shared lock must be
 * held.
 */
extern int	ds_waiter_count(Oid database);

#endif
