/*-------------------------------------------------------------------------
 *
 * no_time.h
 *	  The value for "no time".
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_NO_TIME_H
#define DS_NO_TIME_H

#include "datatype/timestamp.h"

/*
 * NULL in the tables.  It is zero, so that a zeroed structure has no time. As
 * a time it is midnight of 2000-01-01, UTC: see ds_some_time().
 */
#define DS_NO_TIME	((TimestampTz) 0)

/* A time given by a user, which is never "no time". */
static inline TimestampTz
ds_some_time(TimestampTz time)
{
	return time == DS_NO_TIME ? time + 1 : time;
}

#endif
