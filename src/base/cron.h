/*-------------------------------------------------------------------------
 *
 * cron.h
 *	  Cron expressions: their meaning, and when they are due next.
 *
 * Five fields as in crontab(5), or six with seconds first; names of months and
 * days; "L" (or "$") for the last day of the month, "FRI#2" and "FRIL" in the
 * day of the week; @hourly and the like; "@every INTERVAL".
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CRON_H
#define DS_CRON_H

#include "datatype/timestamp.h"
#include "pgtime.h"

/* In bytes. */
#define DS_CRON_MAX_LENGTH	1000

#define DS_CRON_DAYS_PER_WEEK	7

/* In a mask of DsCron.weekdays: bit n means the nth such day of the month. */
#define DS_CRON_LAST_OF_MONTH	1
#define DS_CRON_EACH_WEEK		0x3e

typedef struct DsCron
{
	/* "@every": the position of the interval in the text, otherwise 0 */
	int			interval_at;

	/* bit n: the value n matches */
	uint64		seconds;
	uint64		minutes;
	uint32		hours;
	uint32		days;			/* of the month */
	uint16		months;
	bool		last_day;		/* of the month, whatever its number */
	uint8		weekdays[DS_CRON_DAYS_PER_WEEK];	/* from Sunday */

	/* both day fields must match, not one of them: one begins with "*" */
	bool		both_days;

	/* one of second, minute and hour begins with "*" */
	bool		recurs;
} DsCron;

typedef struct DsCronError
{
	int			position;		/* of a byte, from 1; 0: the whole expression */
	const char *message;
	const char *hint;			/* NULL: none */
} DsCronError;

/*
 * Reads an expression.  False: it is invalid, and *error has the reason.
 * Needs no function of the server.
 */
extern bool ds_cron_parse(const char *text, DsCron *cron, DsCronError *error);

/* The same; raises SD400, also for an expression that is never due. */
extern DsCron ds_cron_read(const char *text);

/*
 * The interval of "@every", in microseconds: at least a second, otherwise
 * SD400.
 */
extern int64 ds_cron_interval(const DsCron *cron, const char *text);

/*
 * The zone of this name in the time zone database.  SD400 for anything else:
 * abbreviations, and the POSIX strings that PostgreSQL accepts elsewhere,
 * whose sign is reversed.
 */
extern pg_tz *ds_cron_zone(const char *name);

/*
 * The first time after the given one at which the expression is due in the
 * zone; DT_NOEND if it is never due again.  Not for "@every".
 *
 * In nights when the clock changes, it follows cron(8).  An expression that
 * recurs is due whenever the local time matches.  One that does not recur is
 * due once for each local time: at the first of two, and for times in a gap at
 * the end of the gap.  A change by three hours or more is one of the date, not
 * of the clock.
 */
extern TimestampTz ds_cron_next(const DsCron *cron, const pg_tz *zone,
								TimestampTz after);

/*
 * The first time after the given one at which an expression of either kind is
 * due.  "@every" counts elapsed time from the anchor.
 */
extern TimestampTz ds_cron_next_run(const DsCron *cron, const char *text,
									const pg_tz *zone, TimestampTz anchor,
									TimestampTz after);

#endif
