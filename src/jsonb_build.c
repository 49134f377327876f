/*-------------------------------------------------------------------------
 *
 * jsonb_build.c
 *	  Building small jsonb values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "jsonb_build.h"

static JsonbValue string_value(const char *s);

Jsonb *
ds_string_to_jsonb(const char *s)
{
	JsonbValue	v = string_value(s);

	return JsonbValueToJsonb(&v);
}

void
ds_push_string(JsonbParseState **state, const char *key, const char *value)
{
	JsonbValue	k = string_value(key);
	JsonbValue	v = string_value(value);

	pushJsonbValue(state, WJB_KEY, &k);
	pushJsonbValue(state, WJB_VALUE, &v);
}

void
ds_push_jsonb(JsonbParseState **state, const char *key, Jsonb *value)
{
	JsonbValue	k = string_value(key);
	JsonbValue	v;

	pushJsonbValue(state, WJB_KEY, &k);
	if (value == NULL)
		v.type = jbvNull;
	else if (JB_ROOT_IS_SCALAR(value))
		JsonbExtractScalar(&value->root, &v);
	else
	{
		v.type = jbvBinary;
		v.val.binary.data = &value->root;
		v.val.binary.len = VARSIZE(value) - VARHDRSZ;
	}
	pushJsonbValue(state, WJB_VALUE, &v);
}

static JsonbValue
string_value(const char *s)
{
	JsonbValue	v;

	v.type = jbvString;
	v.val.string.val = unconstify(char *, s);
	v.val.string.len = strlen(s);
	return v;
}
