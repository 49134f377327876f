/*-------------------------------------------------------------------------
 *
 * no_time.h
 *	  A time that is not there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_NO_TIME_H
#define DS_NO_TIME_H

#include "datatype/timestamp.h"

/*
 * NULL in the tables.  It is zero, so that a structure that was zeroed has
 * none.  As a time that is midnight of 2000-01-01, UTC: see ds_some_time().
 */
#define DS_NO_TIME	((TimestampTz) 0)

/* A time that a user has given, which is never none. */
static inline TimestampTz
ds_some_time(TimestampTz time)
{
	return time == DS_NO_TIME ? time + 1 : time;
}

#endif
