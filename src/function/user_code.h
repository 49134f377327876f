/*-------------------------------------------------------------------------
 *
 * user_code.h
 *	  Surrounds a call of a user's function, so that one step leaves nothing
 *	  for the next.
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
 * Call this after the function, where its errors are still caught.  It fires
 * what the code has deferred to the commit, so that no user code is left to
 * run then, and raises what ds_user_code_check() raises.
 */
extern void ds_user_code_finish(void);

/*
 * Raises a timeout, cancel or termination that arrived while user code ran and
 * that its language has ignored.  No timeout fires after this.
 */
extern void ds_user_code_check(void);

/* The step fails with another error: its timeout or cancel ends with it. */
extern void ds_user_code_forget_cancel(void);

/*
 * Call these before the first line of user code in a transaction, and after
 * the last one.  When an error is about to abort the transaction, only
 * ds_user_code_error is called instead of the second.
 */
extern void ds_user_code_begin(DsUserCode *u);
extern void ds_user_code_end(DsUserCode *u);
extern void ds_user_code_error(void);

/*
 * Call this outside a transaction: drops session state of the code, such as
 * temporary tables and advisory locks.
 */
extern void ds_user_code_forget(void);

#endif
