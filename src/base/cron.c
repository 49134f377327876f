/*-------------------------------------------------------------------------
 *
 * cron.c
 *	  Computes when a cron expression is due.
 *
 * A time zone is a sequence of spans with a constant offset to UTC, which
 * PostgreSQL's zone functions return one after another.  Within a span, local
 * times are searched field by field: an expression such as "0 0 29 2 *" with a
 * day of the week may be due once in 40 years, which is too many minutes to
 * try. AT TIME ZONE cannot be used, because it takes the second of two local
 * times.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/cron.h"
#include "base/errors.h"

/* 400 years, after which the calendar repeats, including the weekdays. */
#define CALENDAR			((int64) 146097 * SECS_PER_DAY)

/* The number of bytes of an expression shown in a message. */
#define MAX_SHOWN			100

/*
 * A change of a zone's offset by at least this many seconds counts as a change
 * of the date.
 */
#define DATE_CHANGE			((int64) 3 * SECS_PER_HOUR)

pg_noreturn static void refuse(const char *text, int position,
							   const char *message, const char *hint);
static Interval *read_interval(const char *text);
static bool is_zone_of_database(const char *name);
static bool next_local(const DsCron *cron, int64 from, int64 until,
					   int64 *found);
static bool matches_day(const DsCron *cron, int month_days, int day,
						int weekday);
static bool next_time_of_day(const DsCron *cron, int from, int *found);
static int	next_bit(uint64 mask, unsigned int from);

/* --- reading --- */

DsCron
ds_cron_read(const char *text)
{
	DsCron		cron;
	DsCronError error;
	int64		found;

	if (!ds_cron_parse(text, &cron, &error))
		refuse(text, error.position, error.message, error.hint);
	if (cron.interval_at > 0)
		(void) ds_cron_interval(&cron, text);
	else if (!next_local(&cron, 0, CALENDAR, &found))
		refuse(text, 0, "no such day ever comes", NULL);
	return cron;
}

int64
ds_cron_interval(const DsCron *cron, const char *text)
{
	Interval   *interval = read_interval(text + cron->interval_at);
	int64		days;
	int64		span;

	if (interval == NULL)
		refuse(text, cron->interval_at + 1, "this is no interval",
			   "Write for instance \"@every 90 minutes\".");
	days = (int64) interval->day * USECS_PER_DAY;
	if (interval->month != 0)
		refuse(text, cron->interval_at + 1,
			   "months and years have no fixed length",
			   "Write fields, for instance \"0 0 1 * *\" for the first day of each month.");
	if (pg_add_s64_overflow(days, interval->time, &span) ||
		span < USECS_PER_SEC)
		refuse(text, cron->interval_at + 1,
			   "the interval is shorter than a second, or too long", NULL);
	return span;
}

/* NULL if it is not an interval. */
static Interval *
read_interval(const char *text)
{
	MemoryContext caller = CurrentMemoryContext;
	Interval   *volatile interval = NULL;

	/* nothing to clean up: an input function only reads the text */
	PG_TRY();
	{
		interval =
			DatumGetIntervalP(DirectFunctionCall3(interval_in,
												  CStringGetDatum(text),
												  ObjectIdGetDatum(InvalidOid),
												  Int32GetDatum(-1)));
	}
	PG_CATCH();
	{
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		MemoryContextSwitchTo(caller);
		FlushErrorState();
	}
	PG_END_TRY();
	return interval;
}

static void
refuse(const char *text, int position, const char *message, const char *hint)
{
	ereport(ERROR,
			(errcode(DS_ERRCODE_BAD_ARGUMENT),
			 errmsg("cron expression \"%.*s\" is not valid",
					pg_mbcliplen(text, strlen(text), MAX_SHOWN), text),
			 position > 0 ? errdetail("At byte %d: %s.", position, message) :
			 errdetail("%c%s.", pg_toupper(message[0]), message + 1),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

pg_tz *
ds_cron_zone(const char *name)
{
	pg_tz	   *zone = is_zone_of_database(name) ? pg_tzset(name) : NULL;

	if (zone == NULL || !pg_tz_acceptable(zone))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("time zone \"%s\" does not exist", name),
				 errhint("Use a name from view pg_timezone_names, for instance Europe/Berlin; abbreviations and offsets are none.")));
	return zone;
}

/*
 * pg_tzset() also accepts a POSIX string if there is no file of that name.
 * Every such string contains a digit; few names of the database do.
 */
static bool
is_zone_of_database(const char *name)
{
	static const char *const with_digits[] = {
		"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "GMT0", "GMT+0", "GMT-0",
		"Etc/GMT0"
	};
	const char *offset = name + strlen("Etc/GMT");
	int			hours;
	int			used = 0;

	if (strpbrk(name, "0123456789") == NULL)
		return name[0] != '\0';
	/* Etc/GMT-14 to Etc/GMT+12 */
	if (pg_strncasecmp(name, "Etc/GMT", offset - name) == 0 &&
		(*offset == '+' || *offset == '-') &&
		sscanf(offset, "%3d%n", &hours, &used) == 1 && offset[used] == '\0')
		return hours >= -14 && hours <= 12;
	for (int i = 0; i < lengthof(with_digits); i++)
	{
		if (pg_strcasecmp(name, with_digits[i]) == 0)
			return true;
	}
	return false;
}

/* --- the next time --- */

TimestampTz
ds_cron_next(const DsCron *cron, const pg_tz *zone, TimestampTz after)
{
	int64		offset_of_epoch = (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
	int64		first;			/* the first whole second after it */
	int64		limit;
	pg_time_t	at;
	int64		suppressed_until = PG_INT64_MIN;
	int64		local;

	Assert(cron->interval_at == 0);
	if (TIMESTAMP_NOT_FINITE(after))
		return DT_NOEND;
	first = after / USECS_PER_SEC - (after % USECS_PER_SEC < 0) + 1 +
		offset_of_epoch;
	limit = Min(first + CALENDAR,
				END_TIMESTAMP / USECS_PER_SEC + offset_of_epoch);

	/*
	 * the previous span may end in a gap, or contain the first of two
	 * repeated hours
	 */
	at = first - DATE_CHANGE;
	while (at < limit)
	{
		pg_time_t	boundary = limit;
		long		offset = 0;
		long		next_offset = 0;
		int			is_dst;
		int			next_is_dst;
		int			more = pg_next_dst_boundary(&at, &offset, &is_dst,
												&boundary, &next_offset,
												&next_is_dst, zone);
		int64		end = more > 0 ? Min(boundary, limit) : limit;
		int64		from = Max(at, first);
		long		shift = next_offset - offset;

		CHECK_FOR_INTERRUPTS();
		if (!cron->recurs)
			from = Max(from, suppressed_until);
		if (from < end && next_local(cron, from + offset, end + offset, &local))
			return time_t_to_timestamptz(local - offset);
		if (more <= 0)
			break;
		if (!cron->recurs && shift > 0 && shift < DATE_CHANGE &&
			boundary >= first && boundary < limit &&
			next_local(cron, boundary + offset, boundary + next_offset, &local))
			return time_t_to_timestamptz(boundary);
		if (shift < 0 && -shift < DATE_CHANGE)
			suppressed_until = boundary - shift;
		at = boundary;
	}
	return DT_NOEND;
}

TimestampTz
ds_cron_next_run(const DsCron *cron, const char *text, const pg_tz *zone,
				 TimestampTz anchor, TimestampTz after)
{
	int64		span;
	int64		rounds;
	TimestampTz next;

	if (cron->interval_at == 0)
		return ds_cron_next(cron, zone, after);
	if (TIMESTAMP_NOT_FINITE(after) || TIMESTAMP_NOT_FINITE(anchor))
		return DT_NOEND;
	if (after < anchor)
		return anchor;
	span = ds_cron_interval(cron, text);
	rounds = (after - anchor) / span + 1;
	if (pg_mul_s64_overflow(rounds, span, &next) ||
		pg_add_s64_overflow(anchor, next, &next) || !IS_VALID_TIMESTAMP(next))
		return DT_NOEND;
	return next;
}

/*
 * The first matching local time in ["from", "until"), all in seconds since
 * 1970 of the local clock.
 */
static bool
next_local(const DsCron *cron, int64 from, int64 until, int64 *found)
{
	int64		day_of_epoch = from / SECS_PER_DAY - (from % SECS_PER_DAY < 0);
	int			time = from - day_of_epoch * SECS_PER_DAY;
	int64		last_day = (until - 1) / SECS_PER_DAY;
	int			year;
	int			month;
	int			day;

	j2date(day_of_epoch + UNIX_EPOCH_JDATE, &year, &month, &day);
	while (day_of_epoch <= last_day)
	{
		int			month_days = day_tab[isleap(year)][month - 1];

		if (!(cron->months & (1 << month)))
		{
			day_of_epoch += month_days - day + 1;
			day = month_days + 1;
		}
		for (; day <= month_days; day++, day_of_epoch++, time = 0)
		{
			if (matches_day(cron, month_days, day,
							j2day(day_of_epoch + UNIX_EPOCH_JDATE)) &&
				next_time_of_day(cron, time, &time))
			{
				*found = day_of_epoch * SECS_PER_DAY + time;
				return *found < until;
			}
		}
		time = 0;
		day = 1;
		if (++month > MONTHS_PER_YEAR)
		{
			month = 1;
			year++;
		}
	}
	return false;
}

static bool
matches_day(const DsCron *cron, int month_days, int day, int weekday)
{
	uint8		mask = cron->weekdays[weekday];
	bool		by_number = (cron->days & (1u << day)) != 0 ||
	(cron->last_day && day == month_days);
	bool		by_weekday = (mask & (1 << ((day - 1) / 7 + 1))) != 0 ||
	((mask & DS_CRON_LAST_OF_MONTH) && day > month_days - 7);

	return cron->both_days ? by_number && by_weekday :
		by_number || by_weekday;
}

/* In seconds since midnight. */
static bool
next_time_of_day(const DsCron *cron, int from, int *found)
{
	int			hour = from / SECS_PER_HOUR;
	int			minute = from / SECS_PER_MINUTE % MINS_PER_HOUR;
	int			second = next_bit(cron->seconds, from % SECS_PER_MINUTE);

	if (second < 0)
		minute++;
	if (next_bit(cron->minutes, minute) != minute || second < 0)
		second = next_bit(cron->seconds, 0);
	minute = next_bit(cron->minutes, minute);
	if (minute < 0)
		hour++;
	if (next_bit(cron->hours, hour) != hour || minute < 0)
	{
		second = next_bit(cron->seconds, 0);
		minute = next_bit(cron->minutes, 0);
	}
	hour = next_bit(cron->hours, hour);
	if (hour < 0)
		return false;
	*found = hour * SECS_PER_HOUR + minute * SECS_PER_MINUTE + second;
	return true;
}

/* The lowest set bit from that one on; -1: there is none. */
static int
next_bit(uint64 mask, unsigned int from)
{
	if (from > 63)
		return -1;
	mask &= PG_UINT64_MAX << from;
	return mask == 0 ? -1 : pg_rightmost_one_pos64(mask);
}
