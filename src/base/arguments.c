/*-------------------------------------------------------------------------
 *
 * arguments.c
 *	  Checks the arguments of SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/settings.h"

static char *name_argument(FunctionCallInfo fcinfo, int n, const char *what);
static void check_name(const char *name, const char *what);
static bool has_control_character(const char *s);

void
ds_arg_require(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s must not be null", name),
				 errhint("Pass a value for %s.", name)));
}

char *
ds_arg_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

Jsonb *
ds_arg_payload(FunctionCallInfo fcinfo, int n, const char *what)
{
	Jsonb	   *payload;

	if (PG_ARGISNULL(n))
		return NULL;
	payload = PG_GETARG_JSONB_P(n);
	ds_arg_check_payload(payload, what);
	return payload;
}

void
ds_arg_check_payload(const Jsonb *payload, const char *what)
{
	if (payload != NULL &&
		VARSIZE(payload) > (Size) ds_max_payload_size * 1024)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s of %zu bytes is larger than the limit of %d kB",
						what, (Size) VARSIZE(payload), ds_max_payload_size),
				 errhint("Keep the data in a table and pass its key, or raise durable_singleton.max_payload_size.")));
}

char *
ds_arg_instance_id(FunctionCallInfo fcinfo, int n)
{
	return name_argument(fcinfo, n, "instance_id");
}

char *
ds_arg_event_name(FunctionCallInfo fcinfo, int n)
{
	return name_argument(fcinfo, n, "event_name");
}

char *
ds_arg_name(FunctionCallInfo fcinfo, int n, const char *what)
{
	return name_argument(fcinfo, n, what);
}

char *
ds_arg_function_name(FunctionCallInfo fcinfo, int n)
{
	return name_argument(fcinfo, n, "function_name");
}

void
ds_arg_check_instance_id(const char *instance_id)
{
	check_name(instance_id, "instance_id");
}

TimestampTz
ds_arg_time_after(const Interval *span)
{
	TimestampTz now = GetCurrentTimestamp();
	Datum		then = DirectFunctionCall2(timestamptz_pl_interval,
										   TimestampTzGetDatum(now),
										   IntervalPGetDatum(span));

	return Max(now, DatumGetTimestampTz(then));
}

static char *
name_argument(FunctionCallInfo fcinfo, int n, const char *what)
{
	char	   *name;

	ds_arg_require(fcinfo, n, what);
	name = text_to_cstring(PG_GETARG_TEXT_PP(n));
	check_name(name, what);
	return name;
}

static void
check_name(const char *name, const char *what)
{
	size_t		length = strlen(name);

	if (length == 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s must not be empty", what),
				 errhint("It may have 1 to %d bytes.", DS_MAX_ID_LENGTH)));
	if (length > DS_MAX_ID_LENGTH)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s \"%.*s...\" is too long", what,
						pg_mbcliplen(name, length, 40), name),
				 errdetail("It has %zu bytes.", length),
				 errhint("It may have 1 to %d bytes.", DS_MAX_ID_LENGTH)));
	if (has_control_character(name))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s must not contain control characters", what),
				 errhint("Use printable characters only.")));
}

/* C0, DEL, and C1 in encodings where it can be recognized. */
static bool
has_control_character(const char *s)
{
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;

	for (const unsigned char *p = (const unsigned char *) s; *p; p++)
	{
		if (*p < 0x20 || *p == 0x7f)
			return true;
		if (utf8 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			return true;
	}
	return false;
}
