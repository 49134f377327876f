/*-------------------------------------------------------------------------
 *
 * retry_policy.c
 *	  Retry policies: whether and when a failed activity is retried.
 *
 * In delays a month has 30 days and a day 24 hours, as when PostgreSQL
 * compares intervals.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/numeric.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/jsonb_build.h"
#include "function/failure.h"
#include "orchestrator/retry_policy.h"
#include "shmem/shared.h"

PG_FUNCTION_INFO_V1(ds_retry_policy);

/* The maximum delay, whatever the policy says: 100 years. */
#define MAX_DELAY_US	(100 * 365.25 * USECS_PER_DAY)

#define MAX_AUTOMATIC_RETRIES	5
#define AUTOMATIC_DELAY_US		10000

/* A validated policy. */
typedef struct Policy
{
	int			max_attempts;
	double		first_interval; /* intervals in microseconds */
	double		backoff_coefficient;
	double		max_interval;	/* infinity if there is none */
	double		retry_timeout;	/* the same */
	JsonbContainer *retry_on;	/* NULL: all errors */
} Policy;

static void push(JsonbParseState **state, const char *key,
				 const JsonbValue *value);
static void push_backoff(JsonbParseState **state, const char *key,
						 double backoff);
static void push_interval(JsonbParseState **state, const char *key,
						  const Interval *span);
static void push_list(JsonbParseState **state, const char *key,
					  ArrayType *list);
static Policy parse_policy(const Jsonb *policy);
static int	parse_max_attempts(const JsonbValue *value);
static double parse_interval(const char *key, const JsonbValue *value);
static double parse_backoff(const JsonbValue *value);
static JsonbContainer *parse_retry_on(const JsonbValue *value);
static bool is_sqlstate_or_class(const JsonbValue *value);
static bool retry_on_failure(JsonbContainer *retry_on, const char *sqlstate);
static bool retry_on_has(JsonbContainer *retry_on, const char *sqlstate);
static const char *value_text(const JsonbValue *value);

/*
 * df_retry_policy(max_attempts, first_interval, backoff_coefficient,
 * max_interval, retry_timeout, retry_on)
 */
PGDLLEXPORT Datum
ds_retry_policy(PG_FUNCTION_ARGS)
{
	JsonbParseState *state = NULL;
	JsonbValue	attempts;
	Jsonb	   *policy;

	ds_shared_require();
	ds_arg_require(fcinfo, 0, "max_attempts");
	ds_arg_require(fcinfo, 1, "first_interval");
	ds_arg_require(fcinfo, 2, "backoff_coefficient");

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	attempts.type = jbvNumeric;
	attempts.val.numeric = int64_to_numeric(PG_GETARG_INT32(0));
	push(&state, "max_attempts", &attempts);
	push_interval(&state, "first_interval", PG_GETARG_INTERVAL_P(1));
	push_backoff(&state, "backoff_coefficient", PG_GETARG_FLOAT8(2));
	if (!PG_ARGISNULL(3))
		push_interval(&state, "max_interval", PG_GETARG_INTERVAL_P(3));
	if (!PG_ARGISNULL(4))
		push_interval(&state, "retry_timeout", PG_GETARG_INTERVAL_P(4));
	if (!PG_ARGISNULL(5))
		push_list(&state, "retry_on", PG_GETARG_ARRAYTYPE_P(5));
	policy = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));

	ds_retry_check(policy);
	PG_RETURN_JSONB_P(policy);
}

void
ds_retry_check(const Jsonb *policy)
{
	if (policy != NULL)
		(void) parse_policy(policy);
}

bool
ds_retry_next(const Jsonb *policy, int attempts, TimestampTz first_start,
			  TimestampTz failed, const char *sqlstate, TimestampTz *next)
{
	Policy		p;
	double		delay = 0;

	if (policy == NULL)
		return false;
	p = parse_policy(policy);
	if (attempts >= p.max_attempts ||
		(double) failed - first_start >= p.retry_timeout ||
		!retry_on_failure(p.retry_on, sqlstate))
		return false;

	/* infinity is valid here, but zero times infinity is not */
	if (p.first_interval > 0)
		delay = p.first_interval * pow(p.backoff_coefficient, attempts - 1);
	delay = Min(delay, p.max_interval);
	delay = Min(delay, MAX_DELAY_US);
	*next = failed + (int64) delay;
	return true;
}

bool
ds_retry_is_automatic(const char *sqlstate)
{
	return strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0;
}

bool
ds_retry_automatic_next(int automatic_attempts, TimestampTz failed,
						TimestampTz *next)
{
	double		delay = AUTOMATIC_DELAY_US;

	if (automatic_attempts > MAX_AUTOMATIC_RETRIES)
		return false;
	for (int i = 1; i < automatic_attempts; i++)
		delay *= 2;
	delay *= 0.5 + pg_prng_double(&pg_global_prng_state);
	*next = failed + (int64) delay;
	return true;
}

/* --- making a policy --- */

static void
push(JsonbParseState **state, const char *key, const JsonbValue *value)
{
	JsonbValue	k;

	k.type = jbvString;
	k.val.string.val = unconstify(char *, key);
	k.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &k);
	pushJsonbValue(state, WJB_VALUE, unconstify(JsonbValue *, value));
}

/*
 * The shortest digits that represent the number, independent of
 * extra_float_digits.
 */
static void
push_backoff(JsonbParseState **state, const char *key, double backoff)
{
	JsonbValue	value;

	if (!isfinite(backoff))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s must be a finite number", key),
				 errhint("Each delay is the one before times this number: 1 for equal delays, 2 to double them.")));
	value.type = jbvNumeric;
	value.val.numeric =
		DatumGetNumeric(DirectFunctionCall3(numeric_in,
											CStringGetDatum(double_to_shortest_decimal(backoff)),
											ObjectIdGetDatum(InvalidOid),
											Int32GetDatum(-1)));
	push(state, key, &value);
}

/* In ISO 8601, independent of IntervalStyle. */
static void
push_interval(JsonbParseState **state, const char *key, const Interval *span)
{
	struct pg_itm itm;
	char		iso[MAXDATELEN + 1];

#ifdef INTERVAL_NOT_FINITE
	if (INTERVAL_NOT_FINITE(span))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s must be finite", key),
				 errhint("Omit the argument for no limit.")));
#endif
	interval2itm(*span, &itm);
	EncodeInterval(&itm, INTSTYLE_ISO_8601, iso);
	ds_jsonb_push_string(state, key, pstrdup(iso));
}

static void
push_list(JsonbParseState **state, const char *key, ArrayType *list)
{
	JsonbValue	value;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	deconstruct_array(list, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &count);
	value.type = jbvArray;
	value.val.array.rawScalar = false;
	value.val.array.nElems = count;
	value.val.array.elems = palloc0(Max(count, 1) * sizeof(JsonbValue));
	for (int i = 0; i < count; i++)
	{
		JsonbValue *element = &value.val.array.elems[i];

		if (nulls[i])
			element->type = jbvNull;
		else
		{
			element->type = jbvString;
			element->val.string.val = TextDatumGetCString(elements[i]);
			element->val.string.len = strlen(element->val.string.val);
		}
	}
	push(state, key, &value);
}

/* --- reading one --- */

static Policy
parse_policy(const Jsonb *policy)
{
	Policy		p = {
		.first_interval = USECS_PER_SEC,
		.backoff_coefficient = 1,
		.max_interval = get_float8_infinity(),
		.retry_timeout = get_float8_infinity(),
	};
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(policy))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("a retry policy must be a JSON object"),
				 errhint("Make it with df_retry_policy.")));

	it = JsonbIteratorInit(unconstify(JsonbContainer *, &policy->root));
	(void) JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);

		(void) JsonbIteratorNext(&it, &value, true);
		if (strcmp(name, "max_attempts") == 0)
			p.max_attempts = parse_max_attempts(&value);
		else if (strcmp(name, "first_interval") == 0)
			p.first_interval = parse_interval(name, &value);
		else if (strcmp(name, "backoff_coefficient") == 0)
			p.backoff_coefficient = parse_backoff(&value);
		else if (strcmp(name, "max_interval") == 0)
			p.max_interval = parse_interval(name, &value);
		else if (strcmp(name, "retry_timeout") == 0)
			p.retry_timeout = parse_interval(name, &value);
		else if (strcmp(name, "retry_on") == 0)
			p.retry_on = parse_retry_on(&value);
		else
			ereport(ERROR,
					(errcode(DS_ERRCODE_BAD_ARGUMENT),
					 errmsg("unknown key \"%s\" in a retry policy", name),
					 errhint("Make retry policies with df_retry_policy.")));
	}
	if (p.max_attempts == 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("a retry policy must have the key \"max_attempts\""),
				 errhint("Make retry policies with df_retry_policy.")));
	return p;
}

static int
parse_max_attempts(const JsonbValue *value)
{
	bool		failed = value->type != jbvNumeric;
	int			result = 0;

	if (!failed)
		result = numeric_int4_opt_error(value->val.numeric, &failed);
	/* the conversion rounds */
	if (failed || result < 1 ||
		!DatumGetBool(DirectFunctionCall2(numeric_eq,
										  NumericGetDatum(value->val.numeric),
										  NumericGetDatum(int64_to_numeric(result)))))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("max_attempts must be an integer of at least 1"),
				 errdetail("It is %s.", value_text(value)),
				 errhint("The first attempt counts, too: 1 means no retries.")));
	return result;
}

/* In microseconds.  interval_in() would raise its own error. */
static double
parse_interval(const char *key, const JsonbValue *value)
{
	struct pg_itm_in itm;
	int			type;
	Interval	span;
	double		result;
	char	   *iso = NULL;

	if (value->type == jbvString && value->val.string.len <= MAXDATELEN)
		iso = pnstrdup(value->val.string.val, value->val.string.len);
	if (iso == NULL || DecodeISO8601Interval(iso, &type, &itm) != 0 ||
		itmin2interval(&itm, &span) != 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s of a retry policy must be an interval in ISO 8601 format",
						key),
				 errdetail("It is %s.", value_text(value)),
				 errhint("Make retry policies with df_retry_policy.")));

	result = span.time + (double) USECS_PER_DAY *
		(span.day + (double) DAYS_PER_MONTH * span.month);
	if (result < 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s must not be negative", key),
				 errdetail("It is %s.", value_text(value)),
				 errhint("Use an interval of zero or more.")));
	return result;
}

static double
parse_backoff(const JsonbValue *value)
{
	double		result = 0;

	if (value->type == jbvNumeric)
		result = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													NumericGetDatum(value->val.numeric)));
	if (!isfinite(result) || result <= 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("backoff_coefficient must be a number greater than 0"),
				 errdetail("It is %s.", value_text(value)),
				 errhint("Each delay is the one before times this number: 1 for equal delays, 2 to double them.")));
	return result;
}

static JsonbContainer *
parse_retry_on(const JsonbValue *value)
{
	JsonbContainer *list = NULL;
	JsonbIterator *it;
	JsonbValue	element;

	if (value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data))
		list = value->val.binary.data;
	if (list == NULL || JsonContainerSize(list) == 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("retry_on must be a list of at least one SQLSTATE or class"),
				 errhint("Omit it to retry after every error.")));

	it = JsonbIteratorInit(list);
	(void) JsonbIteratorNext(&it, &element, true);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		if (!is_sqlstate_or_class(&element))
			ereport(ERROR,
					(errcode(DS_ERRCODE_BAD_ARGUMENT),
					 errmsg("retry_on must contain SQLSTATEs or classes only"),
					 errdetail("It contains %s.", value_text(&element)),
					 errhint("Write five digits or capital letters, such as 40001, or two for a whole class, such as 08.")));
	}
	return list;
}

static bool
is_sqlstate_or_class(const JsonbValue *value)
{
	if (value->type != jbvString ||
		(value->val.string.len != 5 && value->val.string.len != 2))
		return false;
	for (int i = 0; i < value->val.string.len; i++)
	{
		char		c = value->val.string.val[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z'))
			return false;
	}
	return true;
}

/* By its own SQLSTATE, or by the one that the orchestrator sees. */
static bool
retry_on_failure(JsonbContainer *retry_on, const char *sqlstate)
{
	const char *raised_as = ds_failure_raised_as(sqlstate);

	return retry_on_has(retry_on, sqlstate) ||
		(raised_as != NULL && retry_on_has(retry_on, raised_as));
}

static bool
retry_on_has(JsonbContainer *retry_on, const char *sqlstate)
{
	JsonbIterator *it;
	JsonbValue	element;

	if (retry_on == NULL)
		return true;
	it = JsonbIteratorInit(retry_on);
	(void) JsonbIteratorNext(&it, &element, true);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		if (strncmp(element.val.string.val, sqlstate,
					element.val.string.len) == 0)
			return true;
	}
	return false;
}

/* As JSON, for a message. */
static const char *
value_text(const JsonbValue *value)
{
	Jsonb	   *jsonb = JsonbValueToJsonb(unconstify(JsonbValue *, value));
	char	   *json = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));

	if (strlen(json) > 80)
		memcpy(json + pg_mbcliplen(json, strlen(json), 77), "...", sizeof("..."));
	return json;
}
