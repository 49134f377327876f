/*-------------------------------------------------------------------------
 *
 * failure.c
 *	  Converts errors to jsonb and back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/errors.h"
#include "base/jsonb_build.h"
#include "function/failure.h"

/* A failure must always fit into the history, so longer texts are cut. */
#define MAX_TEXT	((Size) 64 * 1024)

static bool is_task_field(const JsonbValue *key);
static void push_task_fields(JsonbParseState **state, const Jsonb *failure);
static void push_other_fields(JsonbParseState **state, const Jsonb *failure);
static void push_fields(JsonbParseState **state, const Jsonb *failure,
						bool task_fields);
static const char *raised_sqlstate(const Jsonb *failure);
static bool has_field(const Jsonb *failure, const char *key,
					  const char *value);
static bool has_context_of(const Jsonb *failure, const Jsonb *delivered);
static void push_string(JsonbParseState **state, const char *key,
						const char *value);

Jsonb *
ds_failure_from_error(const ErrorData *edata)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_string(&state, "sqlstate", unpack_sql_state(edata->sqlerrcode));
	push_string(&state, "message",
				edata->message ? edata->message : "missing error text");
	push_string(&state, "detail", edata->detail);
	push_string(&state, "hint", edata->hint);
	push_string(&state, "context", edata->context);
	push_string(&state, "schema", edata->schema_name);
	push_string(&state, "table", edata->table_name);
	push_string(&state, "column", edata->column_name);
	push_string(&state, "datatype", edata->datatype_name);
	push_string(&state, "constraint", edata->constraint_name);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

const char *
ds_failure_raised_as(const char *sqlstate)
{
	if (strcmp(sqlstate, "57014") == 0)
		return pstrdup(unpack_sql_state(DS_ERRCODE_TASK_CANCELED));
	if (strcmp(sqlstate, "P0004") == 0)
		return pstrdup(unpack_sql_state(DS_ERRCODE_TASK_ASSERTION));
	return NULL;
}

Jsonb *
ds_failure_of_task(const Jsonb *failure, const char *name, int seq,
				   int attempts, const char *child_id)
{
	JsonbParseState *state = NULL;
	const char *sqlstate = ds_failure_field(failure, "sqlstate");
	const char *raised_as = sqlstate ? ds_failure_raised_as(sqlstate) : NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	/* for a child's failure, the child itself is the task */
	push_other_fields(&state, failure);
	ds_jsonb_push_string(&state, "name", name);
	ds_jsonb_push_int(&state, "seq", seq);
	ds_jsonb_push_int(&state, "attempts", attempts);
	if (child_id != NULL)
		ds_jsonb_push_string(&state, "instance_id", child_id);
	if (raised_as != NULL)
		ds_jsonb_push_string(&state, "raised_as", raised_as);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

Jsonb *
ds_failure_let_through(Jsonb *failure, const Jsonb *delivered)
{
	JsonbParseState *state = NULL;

	if (delivered == NULL || !has_field(failure, "sqlstate", raised_sqlstate(delivered)) ||
		!has_field(failure, "message", ds_failure_field(delivered, "message")) ||
		!has_context_of(failure, delivered))
		return failure;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_other_fields(&state, failure);
	/* of two values for one key, the last one wins */
	ds_jsonb_push_string(&state, "sqlstate", ds_failure_field(delivered, "sqlstate"));
	push_task_fields(&state, delivered);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * Distinguishes a cancel from an error with the same SQLSTATE that was raised
 * otherwise, such as the recorded failure of an activity, by PostgreSQL's
 * message.
 */
bool
ds_failure_is_cancel(const ErrorData *edata)
{
	static const char prefix[] = "canceling statement due to";

	return edata->sqlerrcode == ERRCODE_QUERY_CANCELED &&
		edata->message_id != NULL &&
		strncmp(edata->message_id, prefix, sizeof(prefix) - 1) == 0;
}

void
ds_failure_raise(const Jsonb *failure)
{
	const char *sqlstate = raised_sqlstate(failure);
	const char *message = ds_failure_field(failure, "message");
	const char *detail = ds_failure_field(failure, "detail");
	const char *hint = ds_failure_field(failure, "hint");
	const char *context = ds_failure_field(failure, "context");
	static const struct
	{
		const char *key;
		int			field;
	}			objects[] = {
		{"schema", PG_DIAG_SCHEMA_NAME},
		{"table", PG_DIAG_TABLE_NAME},
		{"column", PG_DIAG_COLUMN_NAME},
		{"datatype", PG_DIAG_DATATYPE_NAME},
		{"constraint", PG_DIAG_CONSTRAINT_NAME},
	};

	if (errstart(ERROR, TEXTDOMAIN))
	{
		if (sqlstate != NULL && strlen(sqlstate) == 5)
			errcode(MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2],
								  sqlstate[3], sqlstate[4]));
		errmsg_internal("%s", message ? message : "missing error text");
		if (detail != NULL)
			errdetail_internal("%s", detail);
		if (hint != NULL)
			errhint("%s", hint);
		if (context != NULL)
			errcontext_msg("%s", context);
		for (int i = 0; i < lengthof(objects); i++)
		{
			const char *value = ds_failure_field(failure, objects[i].key);

			if (value != NULL)
				err_generic_string(objects[i].field, value);
		}
		errfinish(__FILE__, __LINE__, __func__);
	}
	pg_unreachable();
}

char *
ds_failure_field(const Jsonb *failure, const char *key)
{
	JsonbValue	value;

	if (failure == NULL || !JB_ROOT_IS_OBJECT(failure) ||
		getKeyJsonValueFromContainer((JsonbContainer *) &failure->root, key,
									 strlen(key), &value) == NULL ||
		value.type != jbvString)
		return NULL;
	return pnstrdup(value.val.string.val, value.val.string.len);
}

/* Fields that identify the failed task; all others describe the cause. */
static bool
is_task_field(const JsonbValue *key)
{
	static const char *const fields[] = {"name", "seq", "attempts", "instance_id"};

	for (int i = 0; i < lengthof(fields); i++)
	{
		if (key->val.string.len == strlen(fields[i]) &&
			memcmp(key->val.string.val, fields[i], key->val.string.len) == 0)
			return true;
	}
	return false;
}

static void
push_task_fields(JsonbParseState **state, const Jsonb *failure)
{
	push_fields(state, failure, true);
}

static void
push_other_fields(JsonbParseState **state, const Jsonb *failure)
{
	push_fields(state, failure, false);
}

static void
push_fields(JsonbParseState **state, const Jsonb *failure, bool task_fields)
{
	JsonbIterator *it = JsonbIteratorInit(unconstify(JsonbContainer *,
													 &failure->root));
	JsonbValue	key;
	JsonbValue	value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		if (is_task_field(&key) == task_fields)
		{
			pushJsonbValue(state, WJB_KEY, &key);
			pushJsonbValue(state, WJB_VALUE, &value);
		}
	}
}

/* A failure written by version 1.0 is raised unchanged. */
static const char *
raised_sqlstate(const Jsonb *failure)
{
	const char *raised_as = ds_failure_field(failure, "raised_as");

	return raised_as != NULL ? raised_as : ds_failure_field(failure, "sqlstate");
}

static bool
has_field(const Jsonb *failure, const char *key, const char *value)
{
	const char *present = ds_failure_field(failure, key);

	return present != NULL && value != NULL && strcmp(present, value) == 0;
}

/* An error that is passed on keeps the lines of its origin. */
static bool
has_context_of(const Jsonb *failure, const Jsonb *delivered)
{
	const char *context = ds_failure_field(failure, "context");
	const char *of_met = ds_failure_field(delivered, "context");

	return of_met == NULL ||
		(context != NULL && strncmp(context, of_met, strlen(of_met)) == 0);
}

static void
push_string(JsonbParseState **state, const char *key, const char *value)
{
	if (value == NULL)
		return;
	if (strlen(value) > MAX_TEXT)
		value = pnstrdup(value, pg_mbcliplen(value, strlen(value), MAX_TEXT));
	ds_jsonb_push_string(state, key, value);
}
