/*-------------------------------------------------------------------------
 *
 * user_code.h
 *	  What surrounds a call of a user's function, so that nothing of one step
 *	  leaks into the next.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_USER_CODE_H
#define DS_USER_CODE_H

typedef struct DsUserCode
{
	int			guc_level;
	Oid			user;
	int			sec_context;
} DsUserCode;

/*
 * After the call, where its errors are still caught: fire what the code has
 * deferred to the commit, so that no user code is left to run then, and raise
 * what ds_user_code_check() raises.
 */
extern void ds_user_code_finish(void);

/*
 * Raises the time-out, cancel or termination that came while user code ran and
 * that its language did not look for.  No time-out fires after this.
 */
extern void ds_user_code_check(void);

/* The step fails by another error: its time-out or cancel is over with it. */
extern void ds_user_code_forget_cancel(void);

/*
 * Before the first line of user code in a transaction, and after the last.
 * When an error leaves the transaction to be aborted, only
 * ds_user_code_error is called instead of the second.
 */
extern void ds_user_code_begin(DsUserCode *u);
extern void ds_user_code_end(DsUserCode *u);
extern void ds_user_code_error(void);

/*
 * Outside a transaction: forget what the session has kept of it, such as
 * temporary tables and advisory locks.
 */
extern void ds_user_code_forget(void);

#endif
