/*-------------------------------------------------------------------------
 *
 * http_json.c
 *	  JSON in the form of the HTTP management API of Durable Functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "http/http_json.h"

PG_FUNCTION_INFO_V1(ds_http_links);
PG_FUNCTION_INFO_V1(ds_http_instance);

#define WEBHOOK				"/runtime/webhooks/durabletask"
#define DEFAULT_CONNECTION	"Storage"

static void append_instance_url(StringInfo out, const char *instance_id,
								const DsLinkBase *link);
static void append_query(StringInfo out, const DsLinkBase *link);
static void append_url_encoded(StringInfo out, const char *s);
static void append_key(StringInfo out, const char *key);
static void append_jsonb(StringInfo out, const Jsonb *value);
static void append_time(StringInfo out, TimestampTz t);
static void append_output(StringInfo out, const DsInstance *inst);

/* --- links --- */

void
ds_http_append_links(StringInfo out, const char *instance_id,
					 const DsLinkBase *link, bool with_rewind)
{
	static const struct
	{
		const char *key;
		const char *operation;
	}			links[] = {
		{"statusQueryGetUri", "?"},
		{"sendEventPostUri", "/raiseEvent/{eventName}?"},
		{"terminatePostUri", "/terminate?reason={text}&"},
		{"rewindPostUri", "/rewind?reason={text}&"},
		{"purgeHistoryDeleteUri", "?"},
		{"restartPostUri", "/restart?"},
		{"suspendPostUri", "/suspend?reason={text}&"},
		{"resumePostUri", "/resume?reason={text}&"},
	};
	StringInfoData url;
	StringInfoData query;

	initStringInfo(&url);
	initStringInfo(&query);
	append_instance_url(&url, instance_id, link);
	append_query(&query, link);

	appendStringInfoChar(out, '{');
	append_key(out, "id");
	escape_json(out, instance_id);
	for (int i = 0; i < lengthof(links); i++)
	{
		StringInfoData whole;

		if (!with_rewind && strcmp(links[i].key, "rewindPostUri") == 0)
			continue;
		initStringInfo(&whole);
		appendStringInfo(&whole, "%s%s%s", url.data, links[i].operation,
						 query.data);
		append_key(out, links[i].key);
		escape_json(out, whole.data);
		pfree(whole.data);
	}
	appendStringInfoChar(out, '}');
}

void
ds_http_append_status_link(StringInfo out, const char *instance_id,
						   const DsLinkBase *link)
{
	append_instance_url(out, instance_id, link);
	appendStringInfoChar(out, '?');
	append_query(out, link);
}

static void
append_instance_url(StringInfo out, const char *instance_id,
					const DsLinkBase *link)
{
	int			length = strlen(link->base);

	while (length > 0 && link->base[length - 1] == '/')
		length--;
	appendBinaryStringInfo(out, link->base, length);
	if (length < (int) strlen(WEBHOOK) ||
		strncmp(link->base + length - strlen(WEBHOOK), WEBHOOK,
				strlen(WEBHOOK)) != 0)
		appendStringInfoString(out, WEBHOOK);
	appendStringInfoString(out, "/instances/");
	append_url_encoded(out, instance_id);
}

static void
append_query(StringInfo out, const DsLinkBase *link)
{
	appendStringInfoString(out, "taskHub=");
	append_url_encoded(out, link->task_hub ? link->task_hub :
					   get_database_name(MyDatabaseId));
	appendStringInfoString(out, "&connection=");
	append_url_encoded(out, link->connection ? link->connection :
					   DEFAULT_CONNECTION);
	if (link->code != NULL)
	{
		appendStringInfoString(out, "&code=");
		append_url_encoded(out, link->code);
	}
}

/* A space becomes %20, because a plus in a path is a literal plus. */
static void
append_url_encoded(StringInfo out, const char *s)
{
	char	   *utf8 = pg_server_to_any(s, strlen(s), PG_UTF8);

	for (const unsigned char *p = (const unsigned char *) utf8; *p; p++)
	{
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= '0' && *p <= '9') || strchr("-._~", *p) != NULL)
			appendStringInfoChar(out, *p);
		else
			appendStringInfo(out, "%%%02X", *p);
	}
}

/*
 * http_links(instance_id, base_url, task_hub, connection, code, with_rewind)
 */
PGDLLEXPORT Datum
ds_http_links(PG_FUNCTION_ARGS)
{
	char	   *instance_id = ds_arg_instance_id(fcinfo, 0);
	DsLinkBase	link;
	StringInfoData out;

	ds_arg_require(fcinfo, 1, "base_url");
	link.base = ds_arg_text(fcinfo, 1);
	link.task_hub = ds_arg_text(fcinfo, 2);
	link.connection = ds_arg_text(fcinfo, 3);
	link.code = ds_arg_text(fcinfo, 4);
	initStringInfo(&out);
	ds_http_append_links(&out, instance_id, &link, PG_GETARG_BOOL(5));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* --- the status object --- */

void
ds_http_append_status(StringInfo out, const DsReport *report)
{
	const DsInstance *inst = report->inst;

	ds_status_make_durable(inst);
	appendStringInfoChar(out, '{');
	append_key(out, "name");
	escape_json(out, inst->name);
	append_key(out, "instanceId");
	escape_json(out, inst->instance_id);
	append_key(out, "runtimeStatus");
	escape_json(out, ds_status_name(ds_status_shown(inst)));
	append_key(out, "input");
	append_jsonb(out, report->show_input ? inst->input : NULL);
	append_key(out, "customStatus");
	append_jsonb(out, inst->custom_status);
	append_key(out, "output");
	append_output(out, inst);
	append_key(out, "createdTime");
	append_time(out, inst->created_time);
	append_key(out, "lastUpdatedTime");
	append_time(out, inst->last_updated_time);
	if (report->history != NULL)
	{
		/* clients use one or the other name */
		append_key(out, "historyEvents");
		append_jsonb(out, report->history);
		append_key(out, "history");
		append_jsonb(out, report->history);
	}
	appendStringInfoChar(out, '}');
}

/* http_instance(instance_id, show_history, show_history_output, show_input) */
PGDLLEXPORT Datum
ds_http_instance(PG_FUNCTION_ARGS)
{
	DsReport	report;
	StringInfoData out;

	if (!ds_status_report(fcinfo, true, &report))
		PG_RETURN_NULL();
	initStringInfo(&out);
	ds_http_append_status(&out, &report);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* Clients expect a failure as text. */
static void
append_output(StringInfo out, const DsInstance *inst)
{
	if (inst->status == DS_FAILED && inst->failure != NULL)
	{
		JsonbValue	value;
		StringInfoData text;

		initStringInfo(&text);
		appendStringInfo(&text, "Orchestrator function '%s' failed", inst->name);
		if (getKeyJsonValueFromContainer(&inst->failure->root, "message", 7,
										 &value) != NULL &&
			value.type == jbvString)
			appendStringInfo(&text, ": %.*s", value.val.string.len,
							 value.val.string.val);
		escape_json(out, text.data);
	}
	else
		append_jsonb(out, inst->output);
}

/* --- parts --- */

static void
append_key(StringInfo out, const char *key)
{
	if (out->data[out->len - 1] != '{')
		appendStringInfoChar(out, ',');
	appendStringInfo(out, "\"%s\":", key);
}

static void
append_jsonb(StringInfo out, const Jsonb *value)
{
	if (value == NULL)
		appendStringInfoString(out, "null");
	else
		JsonbToCString(out, &((Jsonb *) value)->root, VARSIZE(value));
}

/* Whole seconds, UTC. */
static void
append_time(StringInfo out, TimestampTz t)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(t, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	appendStringInfo(out, "\"%04d-%02d-%02dT%02d:%02d:%02dZ\"", tm.tm_year,
					 tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void
ds_http_append_failure(StringInfo out, const char *message,
					   const char *exception_message, const char *exception_type)
{
	appendStringInfoChar(out, '{');
	append_key(out, "Message");
	escape_json(out, message);
	append_key(out, "ExceptionMessage");
	escape_json(out, exception_message);
	append_key(out, "ExceptionType");
	escape_json(out, exception_type);
	append_key(out, "StackTrace");
	escape_json(out, "");
	appendStringInfoChar(out, '}');
}
