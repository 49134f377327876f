/*-------------------------------------------------------------------------
 *
 * cron.h
 *	  Cron expressions: what they mean, and when they are due next.
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

/* In a mask of DsCron.weekdays: bit n is the nth such day of the month. */
#define DS_CRON_LAST_OF_MONTH	1
#define DS_CRON_EACH_WEEK		0x3e

typedef struct DsCron
{
	/* "@every": where the text of the interval begins, else 0 */
	int			interval_at;

	/* bit n: the value n matches */
	uint64		seconds;
	uint64		minutes;
	uint32		hours;
	uint32		days;			/* of the month */
	uint16		months;
	bool		last_day;		/* of the month, whatever its number */
	uint8		weekdays[DS_CRON_DAYS_PER_WEEK];	/* from Sunday */

	/* both day fields must match, not either: one of them begins with "*" */
	bool		both_days;

	/* one of second, minute and hour begins with "*" */
	bool		recurs;
} DsCron;

typedef struct DsCronError
{
	int			position;		/* of a byte, from 1; 0: of the whole */
	const char *message;
	const char *hint;			/* NULL: none */
} DsCronError;

/*
 * Reads an expression.  False: it is not valid, and *error says why.  Needs
 * nothing of the server.
 */
extern bool ds_cron_parse(const char *text, DsCron *cron, DsCronError *error);

/* The same, with SD400 also for an expression that never is due. */
extern DsCron ds_cron_read(const char *text);

/* The interval of "@every", in microseconds: a second at least, else SD400. */
extern int64 ds_cron_interval(const DsCron *cron, const char *text);

/*
 * The zone of that name in the time zone database.  SD400 for others:
 * abbreviations, and the POSIX strings that PostgreSQL takes elsewhere, whose
 * sign is turned round.
 */
extern pg_tz *ds_cron_zone(const char *name);

/*
 * The first moment after the given one at which the expression is due in the
 * zone; DT_NOEND if it is never due again.  Not for "@every".
 *
 * In the nights of the clock as cron(8) has them.  An expression that recurs
 * is due whenever the local time matches.  One that does not is due once for
 * each local time: at the first of two, and at the end of a gap for those that
 * lie in it.  A change by three hours or more is one of the date, not of the
 * clock.
 */
extern TimestampTz ds_cron_next(const DsCron *cron, const pg_tz *zone,
								TimestampTz after);

/*
 * The first moment after the given one at which an expression of either kind
 * is due.  "@every" counts from the anchor, in elapsed time.
 */
extern TimestampTz ds_cron_next_run(const DsCron *cron, const char *text,
									const pg_tz *zone, TimestampTz anchor,
									TimestampTz after);

#endif
