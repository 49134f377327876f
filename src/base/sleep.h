/*-------------------------------------------------------------------------
 *
 * sleep.h
 *	  Sleeping for long, and waking up in time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SLEEP_H
#define DS_SLEEP_H

/*
 * The timeout to pass to WaitLatch() to wake up in so many milliseconds.
 * Kernel timers may fire 0.1 to 0.5 % late, so for long waits it is slightly
 * shorter; the caller sleeps again for the rest.  So it does after
 * WaitLatch()'s maximum of about 25 days.
 */
static inline long
ds_sleep_time(long milliseconds)
{
	milliseconds = Min(milliseconds, PG_INT32_MAX);
	return milliseconds <= 100 ? milliseconds :
		milliseconds - milliseconds / 150;
}

#endif
