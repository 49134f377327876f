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
 * the instances ends, and now and then without reason.
 */
extern void ds_waiter_enter(int n, char **instance_ids);
extern void ds_waiter_leave(void);

/*
 * Lets the wait of that session end as if its time were over, if it is one of
 * the same role.  The waiting session asks whether that was done.
 */
extern bool ds_waiter_call_off(int pid);
extern bool ds_waiter_called_off(void);

/* An instance has ended, and the transaction that says so has committed. */
extern void ds_waiter_wake(Oid database, const char *instance_id);

/* Any instance of the database may have ended. */
extern void ds_waiter_wake_all(Oid database);

/* How many sessions of the database wait; with the shared lock held. */
extern int	ds_waiter_count(Oid database);

#endif
