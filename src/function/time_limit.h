/*-------------------------------------------------------------------------
 *
 * time_limit.h
 *	  How long user code may run in a worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TIME_LIMIT_H
#define DS_TIME_LIMIT_H

/*
 * Around user code; the second one also after an error.  The code is canceled
 * after statement_timeout and after max_activity_time.  If it goes on after
 * the latter, it is canceled again, and at last its worker ends.
 */
extern void ds_time_limit_begin(void);
extern void ds_time_limit_end(void);

/*
 * The code has returned: its time is not counted any more.  If it was canceled
 * without noticing, the cancel is pending from now on.
 */
extern void ds_time_limit_over(void);

#endif
