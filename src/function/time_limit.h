/*-------------------------------------------------------------------------
 *
 * time_limit.h
 *	  Limits the time of user code in a worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TIME_LIMIT_H
#define DS_TIME_LIMIT_H

/*
 * Call these around user code; the second one also after an error.  The code
 * is canceled after statement_timeout and after max_activity_time.  If it
 * continues after the latter, it is canceled again, and finally its worker
 * ends.
 */
extern void ds_time_limit_begin(void);
extern void ds_time_limit_end(void);

/*
 * The code has returned: its time no longer counts.  If it was canceled
 * without noticing, the cancel is now pending.
 */
extern void ds_time_limit_over(void);

#endif
