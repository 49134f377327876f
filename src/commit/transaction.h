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

/* READ COMMITTED and READ WRITE, regardless of the defaults. */
extern void ds_transaction_begin(void);

/* The commit is flushed later, unless step_commit is "on". */
extern void ds_transaction_commit(void);

/*
 * May be called in the catch block of an error, after copying and flushing it.
 */
extern void ds_transaction_abort(void);

/*
 * Runs the body in a separate transaction.  If it fails, aborts the
 * transaction and returns the error, in the caller's memory context; otherwise
 * NULL.
 */
extern ErrorData *ds_transaction_try(void (*body) (void *), void *arg);

/*
 * End the transaction of the CALL, and begin one for the rest of it.  The
 * first raises an error (2D000) where a transaction must not end.
 */
extern void ds_transaction_enter_foreground(bool atomic);
extern void ds_transaction_leave_foreground(void);

#endif
