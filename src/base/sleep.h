/*-------------------------------------------------------------------------
 *
 * sleep.h
 *	  Sleeping for a long time, and waking up in time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SLEEP_H
#define DS_SLEEP_H

/*
 * The timeout to pass to WaitLatch() to wake up in the given number of
 * milliseconds.  Kernel timers may fire 0.1 to 0.5 % late, so for long waits
 * it is slightly shorter; the caller sleeps again for the rest.  It does the
 * same after WaitLatch()'s maximum of about 25 days.
 */
static inline long
ds_sleep_time(long milliseconds)
{
	milliseconds = Min(milliseconds, PG_INT32_MAX);
	return milliseconds <= 100 ? milliseconds :
		milliseconds - milliseconds / 150;
}

#endif
