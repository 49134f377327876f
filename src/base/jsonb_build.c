/*-------------------------------------------------------------------------
 *
 * jsonb_build.c
 *	  Builds small jsonb values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/jsonb_build.h"

static void push_value(JsonbParseState **state, JsonbIteratorToken token,
					   Jsonb *value);
static JsonbValue int_value(int i);
static JsonbValue string_value(const char *s);

Jsonb *
ds_jsonb_from_string(const char *s)
{
	JsonbValue	v = string_value(s);

	return JsonbValueToJsonb(&v);
}

Jsonb *
ds_jsonb_from_int(int i)
{
	JsonbValue	v = int_value(i);

	return JsonbValueToJsonb(&v);
}

char *
ds_jsonb_to_text(const Jsonb *value)
{
	JsonbValue	v;
	JsonbContainer *root;

	if (value == NULL)
		return NULL;
	root = unconstify(JsonbContainer *, &value->root);
	if (JB_ROOT_IS_SCALAR(value) && JsonbExtractScalar(root, &v) &&
		v.type == jbvString)
		return pnstrdup(v.val.string.val, v.val.string.len);
	return JsonbToCString(NULL, root, VARSIZE(value));
}

int
ds_jsonb_to_int(const Jsonb *value)
{
	JsonbValue	v;

	if (value == NULL || !JB_ROOT_IS_SCALAR(value) ||
		!JsonbExtractScalar(unconstify(JsonbContainer *, &value->root), &v) ||
		v.type != jbvNumeric)
		return 0;
	return DatumGetInt32(DirectFunctionCall1(numeric_int4,
											 NumericGetDatum(v.val.numeric)));
}

uint64
ds_jsonb_hash(const Jsonb *value)
{
	return ds_jsonb_hash_datum(JsonbPGetDatum(value), value == NULL);
}

uint64
ds_jsonb_hash_datum(Datum value, bool isnull)
{
	struct varlena *plain;
	uint64		hash;

	if (isnull)
		return 1;
	plain = PG_DETOAST_DATUM_PACKED(value);
	hash = hash_bytes_extended((unsigned char *) VARDATA_ANY(plain),
							   VARSIZE_ANY_EXHDR(plain), 0);
	if (DatumGetPointer(value) != (Pointer) plain)
		pfree(plain);
	return hash != 0 ? hash : 1;
}

void
ds_jsonb_push_string(JsonbParseState **state, const char *key, const char *value)
{
	JsonbValue	k = string_value(key);
	JsonbValue	v = string_value(value);

	pushJsonbValue(state, WJB_KEY, &k);
	pushJsonbValue(state, WJB_VALUE, &v);
}

void
ds_jsonb_push_int(JsonbParseState **state, const char *key, int value)
{
	JsonbValue	k = string_value(key);
	JsonbValue	v = int_value(value);

	pushJsonbValue(state, WJB_KEY, &k);
	pushJsonbValue(state, WJB_VALUE, &v);
}

void
ds_jsonb_push_value(JsonbParseState **state, const char *key, Jsonb *value)
{
	JsonbValue	k = string_value(key);

	pushJsonbValue(state, WJB_KEY, &k);
	push_value(state, WJB_VALUE, value);
}

void
ds_jsonb_push_fields(JsonbParseState **state, const Jsonb *object)
{
	JsonbIterator *it = JsonbIteratorInit(unconstify(JsonbContainer *,
													 &object->root));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		pushJsonbValue(state, WJB_KEY, &key);
		pushJsonbValue(state, WJB_VALUE, &value);
	}
}

void
ds_jsonb_push_element(JsonbParseState **state, Jsonb *value)
{
	push_value(state, WJB_ELEM, value);
}

static void
push_value(JsonbParseState **state, JsonbIteratorToken token, Jsonb *value)
{
	JsonbValue	v;

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
	pushJsonbValue(state, token, &v);
}

static JsonbValue
int_value(int i)
{
	JsonbValue	v;

	v.type = jbvNumeric;
	v.val.numeric = int64_to_numeric(i);
	return v;
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
