/*-------------------------------------------------------------------------
 *
 * cron_parse.c
 *	  Reads a cron expression.
 *
 * The grammar is that of crontab(5), as read by Debian's cron and pg_cron,
 * with the extensions of Quartz and others for days.  An expression that
 * another scheduler reads differently is refused, with a hint: "0/15" is a
 * step for Quartz and invalid for cron; "?", "W" and years exist only in
 * Quartz.
 *
 * This file calls no function of the server, so that a fuzzer can run it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <string.h>

#include "base/cron.h"

#define MAX_FIELDS	6

typedef struct Field
{
	const char *name;
	int			low;
	int			high;
	int			first_name;		/* the value of names[0] */
	int			n_names;
	const char *names[12];
} Field;

static const Field fields[MAX_FIELDS] = {
	{"second", 0, 59},
	{"minute", 0, 59},
	{"hour", 0, 23},
	{"day of the month", 1, 31},
	{"month", 1, 12, 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul",
	"aug", "sep", "oct", "nov", "dec"}},
	/* 7 is also Sunday */
	{"day of the week", 0, 7, 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri",
	"sat"}},
};

#define DAY_FIELD		3
#define WEEKDAY_FIELD	5

static const struct
{
	const char *name;
	const char *expression;
}			macros[] = {
	{"hourly", "0 * * * *"},
	{"daily", "0 0 * * *"},
	{"midnight", "0 0 * * *"},
	{"weekly", "0 0 * * 0"},
	{"monthly", "0 0 1 * *"},
	{"yearly", "0 0 1 1 *"},
	{"annually", "0 0 1 1 *"},
};

/* The position in a field. */
typedef struct Reader
{
	const char *text;			/* of the whole expression */
	const char *at;
	const char *end;			/* of the field */
	const Field *field;
	DsCronError *error;
	uint64		mask;			/* bit n: the value n matches */
	bool		last_day;
	uint8		weekdays[DS_CRON_DAYS_PER_WEEK];
} Reader;

static bool read_macro(const char *text, const char *at, DsCron *cron,
					   DsCronError *error);
static bool read_fields(const char *text, const char *at, DsCron *cron,
						DsCronError *error);
static bool read_field(Reader *r);
static bool read_item(Reader *r);
static bool read_range(Reader *r, int *low, int *high, bool *is_range);
static bool read_step(Reader *r, int *step);
static bool read_value(Reader *r, int *value);
static bool read_number(Reader *r, int *value);
static bool read_name(Reader *r, int *value);
static bool read_last_day(Reader *r);
static bool read_weekday_suffix(Reader *r, int weekday, bool *found);
static bool unexpected(const Reader *r);
static bool fail(const Reader *r, const char *at, const char *message,
				 const char *hint);
static bool fail_at(DsCronError *error, int position, const char *message,
					const char *hint);
static bool at_char(const Reader *r, char c);
static const char *skip_blanks(const char *at);
static const char *skip_word(const char *at);
static char lower(char c);
static bool is_letter(char c);
static bool is_digit(char c);

bool
ds_cron_parse(const char *text, DsCron *cron, DsCronError *error)
{
	const char *at = skip_blanks(text);

	memset(cron, 0, sizeof(DsCron));
	if (strlen(text) > DS_CRON_MAX_LENGTH)
		return fail_at(error, 0, "it is longer than 1000 bytes", NULL);
	if (*at == '@')
		return read_macro(text, at, cron, error);
	return read_fields(text, at, cron, error);
}

/* --- macros --- */

static bool
is_word(const char *at, const char *end, const char *word)
{
	for (; at < end && *word != '\0'; at++, word++)
	{
		if (lower(*at) != *word)
			return false;
	}
	return at == end && *word == '\0';
}

static bool
read_macro(const char *text, const char *at, DsCron *cron, DsCronError *error)
{
	const char *word = at + 1;
	const char *end = skip_word(word);
	const char *rest = skip_blanks(end);

	if (is_word(word, end, "every"))
	{
		if (*rest == '\0')
			return fail_at(error, rest - text + 1, "the interval is missing",
						   "Write for instance \"@every 90 minutes\".");
		cron->interval_at = rest - text;
		return true;
	}
	for (int i = 0; i < lengthof(macros); i++)
	{
		if (!is_word(word, end, macros[i].name))
			continue;
		if (*rest != '\0')
			return fail_at(error, rest - text + 1,
						   "nothing can follow such a name", NULL);
		return read_fields(macros[i].expression, macros[i].expression, cron,
						   error);
	}
	if (is_word(word, end, "reboot"))
		return fail_at(error, at - text + 1, "\"@reboot\" is no time",
					   "Start an instance when your application starts.");
	return fail_at(error, at - text + 1, "there is no such name",
				   "Use @hourly, @daily, @weekly, @monthly, @yearly, or \"@every INTERVAL\".");
}

/* --- fields --- */

static int
count_words(const char *at)
{
	int			n = 0;

	while (*at != '\0')
	{
		n++;
		at = skip_blanks(skip_word(at));
	}
	return n;
}

static bool
read_fields(const char *text, const char *at, DsCron *cron,
			DsCronError *error)
{
	int			n = count_words(at);
	uint64		masks[MAX_FIELDS] = {1};	/* second 0 unless it is given */
	bool		stars[MAX_FIELDS] = {false};
	Reader		r = {.text = text,.error = error};

	for (const char *c = at; *c != '\0' && *c != ' ' && *c != '\t'; c++)
	{
		if (*c == '=')
			return fail_at(error, at - text + 1,
						   "a time zone does not stand in the expression",
						   "Pass it as argument time_zone.");
	}
	if (n == MAX_FIELDS + 1)
		return fail_at(error, 0, "it has seven fields, not five or six",
					   "There is no field for the year: leave it out, or end the schedule by end_at.");
	if (n != MAX_FIELDS && n != MAX_FIELDS - 1)
		return fail_at(error, 0, "it has not five or six fields",
					   "Write minute, hour, day of the month, month and day of the week, with seconds before them if there are six.");

	for (int i = MAX_FIELDS - n; i < MAX_FIELDS; i++)
	{
		r.field = &fields[i];
		r.at = at;
		r.end = skip_word(at);
		r.mask = 0;
		stars[i] = *at == '*';
		if (!read_field(&r))
			return false;
		masks[i] = r.mask;
		at = skip_blanks(r.end);
	}
	cron->seconds = masks[0];
	cron->minutes = masks[1];
	cron->hours = masks[2];
	cron->days = masks[3];
	cron->months = masks[4];
	cron->last_day = r.last_day;
	memcpy(cron->weekdays, r.weekdays, sizeof(cron->weekdays));
	for (int i = 0; i <= 7; i++)
	{
		if (masks[WEEKDAY_FIELD] & (UINT64CONST(1) << i))
			cron->weekdays[i % DS_CRON_DAYS_PER_WEEK] |= DS_CRON_EACH_WEEK;
	}
	cron->both_days = stars[DAY_FIELD] || stars[WEEKDAY_FIELD];
	cron->recurs = stars[0] || stars[1] || stars[2];
	return true;
}

/* A list of items. */
static bool
read_field(Reader *r)
{
	for (;;)
	{
		if (!read_item(r))
			return false;
		if (r->at == r->end)
			return true;
		if (!at_char(r, ','))
			return unexpected(r);
		r->at++;
	}
}

/*
 * "*", "n", "a-b", the first and the last with "/step"; days have more forms.
 */
static bool
read_item(Reader *r)
{
	bool		is_range;
	int			low;
	int			high;
	int			step = 1;

	if (r->at == r->end || at_char(r, ','))
		return fail(r, r->at, "a value is missing", NULL);
	if (r->field == &fields[DAY_FIELD] &&
		(at_char(r, 'L') || at_char(r, 'l') || at_char(r, '$')))
		return read_last_day(r);
	if (!read_range(r, &low, &high, &is_range))
		return false;
	if (r->field == &fields[WEEKDAY_FIELD] && !is_range)
	{
		bool		found;

		if (!read_weekday_suffix(r, low % DS_CRON_DAYS_PER_WEEK, &found))
			return false;
		if (found)
			return true;
	}
	if (at_char(r, '/'))
	{
		if (!is_range)
			return fail(r, r->at, "only \"*\" and a range can have a step",
						"cron ignores such a step and other schedulers do not: write the range, for instance 0-59/15.");
		if (!read_step(r, &step))
			return false;
	}
	for (int value = low; value <= high; value += step)
		r->mask |= UINT64CONST(1) << value;
	return true;
}

static bool
read_range(Reader *r, int *low, int *high, bool *is_range)
{
	const char *start = r->at;

	*is_range = true;
	if (at_char(r, '*'))
	{
		r->at++;
		*low = r->field->low;
		*high = r->field->high;
		return true;
	}
	if (!read_value(r, low))
		return false;
	*high = *low;
	*is_range = at_char(r, '-');
	if (!*is_range)
		return true;
	r->at++;
	if (!read_value(r, high))
		return false;
	/* a week may also end with Sunday as a name */
	if (r->field == &fields[WEEKDAY_FIELD] && *high == 0 && *low > 0)
		*high = 7;
	if (*high < *low)
		return fail(r, start, "the range runs backward",
					"Write two ranges with a comma, for instance 22-23,0-5.");
	return true;
}

static bool
read_step(Reader *r, int *step)
{
	const char *start = ++r->at;

	if (!read_number(r, step))
		return false;
	if (*step == 0)
		return fail(r, start, "a step cannot be 0", NULL);
	if (*step > r->field->high)
		return fail(r, start, "the step is larger than the field",
					"A step begins again with each round of its field: for an interval write for instance \"@every 90 minutes\".");
	return true;
}

static bool
read_value(Reader *r, int *value)
{
	const char *start = r->at;

	if (r->at < r->end && is_letter(*r->at))
		return read_name(r, value);
	if (!read_number(r, value))
		return false;
	if (*value < r->field->low || *value > r->field->high)
		return fail(r, start, "the number is outside the field's range", NULL);
	return true;
}

static bool
read_number(Reader *r, int *value)
{
	const char *start = r->at;

	*value = 0;
	for (; r->at < r->end && is_digit(*r->at); r->at++)
	{
		if (r->at - start == 3)
			return fail(r, start, "the number is outside the field's range",
						NULL);
		*value = *value * 10 + (*r->at - '0');
	}
	return r->at > start || unexpected(r);
}

static bool
read_name(Reader *r, int *value)
{
	const char *start = r->at;
	const char *end = start;

	while (end < r->end && is_letter(*end))
		end++;
	for (int i = 0; i < r->field->n_names; i++)
	{
		const char *name = r->field->names[i];
		const char *name_end = start + strlen(name);

		/* "FRIL" is the last Friday */
		if (r->field == &fields[WEEKDAY_FIELD] && end == name_end + 1 &&
			lower(*name_end) == 'l')
			end = name_end;
		if (is_word(start, end, name))
		{
			*value = r->field->first_name + i;
			r->at = end;
			return true;
		}
	}
	if (r->field->n_names > 0 && !(end - start == 1))
		return fail(r, start, "there is no such name",
					"Names have three letters, such as JAN or MON.");
	return unexpected(r);
}

/* --- days --- */

static bool
read_last_day(Reader *r)
{
	r->at++;
	if (r->at < r->end && !at_char(r, ','))
		return unexpected(r);
	r->last_day = true;
	return true;
}

/* "FRI#2", "FRIL" */
static bool
read_weekday_suffix(Reader *r, int weekday, bool *found)
{
	const char *start = r->at;
	int			nth;

	*found = true;
	if (at_char(r, 'L') || at_char(r, 'l'))
	{
		r->at++;
		r->weekdays[weekday] |= DS_CRON_LAST_OF_MONTH;
		return true;
	}
	if (!at_char(r, '#'))
	{
		*found = false;
		return true;
	}
	r->at++;
	if (!read_number(r, &nth))
		return false;
	if (nth < 1 || nth > 5)
		return fail(r, start, "a month has the first to the fifth such day",
					"Write a number from 1 to 5 after \"#\", or L for the last one.");
	r->weekdays[weekday] |= 1 << nth;
	return true;
}

/* --- errors --- */

/* Syntax of other schedulers gets a specific hint. */
static bool
unexpected(const Reader *r)
{
	const char *message = "this is not expected here";
	const char *hint = NULL;
	char		c = r->at < r->end ? lower(*r->at) : '\0';

	if (c == '\0')
		message = "a value is missing";
	else if (c == '?')
		hint = "Write \"*\" in place of \"?\".";
	else if (c == 'w')
		hint = "The nearest weekday is not supported: choose it in the orchestrator.";
	else if (c == 'h')
		hint = "A random time is not supported: see argument jitter.";
	else if (c == 'l' && r->field == &fields[WEEKDAY_FIELD])
		hint = "Write the day, too: FRIL is the last Friday of the month.";
	else if (c == '-' && r->field == &fields[DAY_FIELD])
		hint = "Days before the last one are not supported: choose the day in the orchestrator.";
	else if (c == '#')
		hint = "\"#\" stands only after a day of the week, such as FRI#2.";
	else if (c == '/')
		hint = "Write \"*/15\", or a range with a step.";
	else if (is_letter(c))
		hint = "Names are those of months and of days of the week, in their fields.";
	return fail(r, r->at, message, hint);
}

static bool
fail(const Reader *r, const char *at, const char *message, const char *hint)
{
	return fail_at(r->error, at - r->text + 1, message, hint);
}

static bool
fail_at(DsCronError *error, int position, const char *message,
		const char *hint)
{
	error->position = position;
	error->message = message;
	error->hint = hint;
	return false;
}

/* characters: ASCII, independent of the locale */

static bool
at_char(const Reader *r, char c)
{
	return r->at < r->end && *r->at == c;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *
skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

static const char *
skip_word(const char *at)
{
	while (*at != '\0' && !is_blank(*at))
		at++;
	return at;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool
is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}
