/*-------------------------------------------------------------------------
 *
 * transaction.h
 *	  The transactions of a runner.
 *
 * The same calls serve background workers and sessions in CALL df_run, which
 * must have left their own transaction with ds_transaction_enter_foreground.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TRANSACTION_H
#define DS_TRANSACTION_H

/* READ COMMITTED and READ WRITE, whatever the defaults are. */
extern void ds_transaction_begin(void);

/* The flush of the commit is left for later unless step_commit is "on". */
extern void ds_transaction_commit(void);

/* Also in the catch of an error, once that has been copied and flushed. */
extern void ds_transaction_abort(void);

/*
 * Runs the body in a transaction of its own.  If that fails it is aborted, and
 * the error is returned, in the caller's memory context; else NULL.
 */
extern ErrorData *ds_transaction_try(void (*body) (void *), void *arg);

/*
 * End the transaction of the CALL, and begin one for the rest of it.  The
 * first is an error (2D000) where a transaction must not end.
 */
extern void ds_transaction_enter_foreground(bool atomic);
extern void ds_transaction_leave_foreground(void);

#endif
