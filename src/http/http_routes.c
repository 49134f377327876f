/*-------------------------------------------------------------------------
 *
 * http_routes.c
 *	  The most frequent routes of the gateway: starts and the status.  The
 *	  others are in extension/http.sql.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "http/http_json.h"
#include "instance/access.h"
#include "instance/start.h"
#include "shmem/shared.h"

PG_FUNCTION_INFO_V1(ds_http_start);
PG_FUNCTION_INFO_V1(ds_http_start_singleton);
PG_FUNCTION_INFO_V1(ds_http_status);
PG_FUNCTION_INFO_V1(ds_http_accepted);

/* In seconds. */
#define RETRY_START		10
#define RETRY_STATUS	5

/* A value of type durable_singleton.http_response; NULL and 0 become null. */
typedef struct Response
{
	int			status;
	const char *body;
	const char *content_type;
	const char *location;
	int			retry_after;
	const char *instance_id;
} Response;

#define NUM_RESPONSE_COLUMNS	7

static Datum form(FunctionCallInfo fcinfo, const Response *response);
static DsLinkBase link_arguments(FunctionCallInfo fcinfo, int n);
static bool start_exposed(FunctionCallInfo fcinfo, char *instance_id);
static Datum accepted(FunctionCallInfo fcinfo, const char *instance_id,
					  const DsLinkBase *link);
static void check_id(const char *instance_id);
static Jsonb *body_argument(FunctionCallInfo fcinfo, int n);
static char *random_digits(void);
static Datum exists(FunctionCallInfo fcinfo, const char *instance_id);

/*
 * http_start(search_path, function_name, instance_id, body, origin, task_hub,
 * connection, code)
 */
PGDLLEXPORT Datum
ds_http_start(PG_FUNCTION_ARGS)
{
	char	   *instance_id = PG_ARGISNULL(2) ? random_digits() :
	ds_arg_text(fcinfo, 2);
	DsLinkBase	link = link_arguments(fcinfo, 4);

	if (start_exposed(fcinfo, instance_id))
		return accepted(fcinfo, instance_id, &link);
	return exists(fcinfo, instance_id);
}

/*
 * The same arguments; answers like the sample of the Durable Functions
 * documentation.
 */
PGDLLEXPORT Datum
ds_http_start_singleton(PG_FUNCTION_ARGS)
{
	char	   *instance_id = ds_arg_instance_id(fcinfo, 2);
	DsLinkBase	link = link_arguments(fcinfo, 4);
	Response	conflict = {
		.status = 409,
		.content_type = "text/plain; charset=utf-8",
	};

	if (start_exposed(fcinfo, instance_id))
		return accepted(fcinfo, instance_id, &link);
	conflict.body = psprintf("An instance with ID '%s' already exists.",
							 instance_id);
	return form(fcinfo, &conflict);
}

/*
 * http_accepted(instance_id, origin, task_hub, connection, code): the answer
 * to a start
 */
PGDLLEXPORT Datum
ds_http_accepted(PG_FUNCTION_ARGS)
{
	DsLinkBase	link = link_arguments(fcinfo, 1);

	return accepted(fcinfo, ds_arg_instance_id(fcinfo, 0), &link);
}

/*
 * http_status(instance_id, show_history, show_history_output, show_input,
 * error_on_failure)
 */
PGDLLEXPORT Datum
ds_http_status(PG_FUNCTION_ARGS)
{
	bool		error_on_failure = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	DsReport	report;
	Response	response = {.status = 404};
	StringInfoData body;

	if (!ds_status_report(fcinfo, true, &report))
		return form(fcinfo, &response);
	if (report.inst->status == DS_PENDING)
		report.history = NULL;
	if (ds_status_is_active(report.inst->status))
	{
		response.status = 202;
		response.retry_after = RETRY_STATUS;
	}
	else
		response.status = error_on_failure &&
			report.inst->status == DS_FAILED ? 500 : 200;
	initStringInfo(&body);
	ds_http_append_status(&body, &report);
	response.body = body.data;
	return form(fcinfo, &response);
}

/*
 * A function that is not on the list raises 42883, like one that does not
 * exist. Returns false if the id is taken.
 */
static bool
start_exposed(FunctionCallInfo fcinfo, char *instance_id)
{
	DsStart		start = {0};

	ds_shared_require();
	check_id(instance_id);
	ds_arg_require(fcinfo, 0, "search_path");
	start.name = ds_arg_function_name(fcinfo, 1);
	start.instance_id = instance_id;
	start.input = body_argument(fcinfo, 3);
	PreventCommandIfReadOnly("a start over HTTP");
	PreventCommandIfParallelMode("a start over HTTP");
	ds_start_prepare(&start, ds_arg_text(fcinfo, 0), 0);
	if (!ds_access_is_exposed(start.function_schema, start.name))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s is not exposed over HTTP", start.name),
				 errhint("The extension's owner may call df_expose_http().")));
	return ds_start_exposed(&start);
}

/*
 * Ids that are valid in SQL but cannot be a segment of a path, or would be
 * taken for one with another meaning.
 */
static void
check_id(const char *instance_id)
{
	if (instance_id[0] == '@' || strpbrk(instance_id, "/\\#?") != NULL ||
		strcmp(instance_id, ".") == 0 || strcmp(instance_id, "..") == 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("Instance IDs must not start with '@' and must not contain '/', '\\', '#', '?', and control characters."),
				 errhint("Choose another id, or start the instance in SQL.")));
	ds_arg_check_instance_id(instance_id);
}

/* JSON, or nothing. */
static Jsonb *
body_argument(FunctionCallInfo fcinfo, int n)
{
	char	   *text = ds_arg_text(fcinfo, n);
	Jsonb	   *body;

	if (text == NULL || text[strspn(text, " \t\r\n")] == '\0')
		return NULL;
	body = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	ds_arg_check_payload(body, "input");
	return body;
}

/* 32 digits, as in Durable Functions. */
static char *
random_digits(void)
{
	pg_uuid_t  *uuid = DatumGetUUIDP(DirectFunctionCall1(gen_random_uuid,
														 (Datum) 0));
	char	   *id = palloc(2 * UUID_LEN + 1);

	for (Size i = 0; i < UUID_LEN; i++)
		sprintf(id + 2 * i, "%02x", uuid->data[i]);
	return id;
}

/* Argument n and the three after it. */
static DsLinkBase
link_arguments(FunctionCallInfo fcinfo, int n)
{
	DsLinkBase	link;

	ds_arg_require(fcinfo, n, "origin");
	link.base = ds_arg_text(fcinfo, n);
	link.task_hub = ds_arg_text(fcinfo, n + 1);
	link.connection = ds_arg_text(fcinfo, n + 2);
	link.code = ds_arg_text(fcinfo, n + 3);
	return link;
}

static Datum
accepted(FunctionCallInfo fcinfo, const char *instance_id,
		 const DsLinkBase *link)
{
	StringInfoData body;
	StringInfoData location;
	Response	response = {
		.status = 202,
		.retry_after = RETRY_START,
		.instance_id = instance_id,
	};

	initStringInfo(&body);
	initStringInfo(&location);
	ds_http_append_links(&body, instance_id, link, false);
	ds_http_append_status_link(&location, instance_id, link);
	response.body = body.data;
	response.location = location.data;
	return form(fcinfo, &response);
}

/*
 * Reports the status if the instance may be seen over HTTP and is still
 * active.
 */
static Datum
exists(FunctionCallInfo fcinfo, const char *instance_id)
{
	DsInstance *present = ds_store_load(instance_id);
	Response	response = {.status = 409};
	StringInfoData body;
	char	   *message;

	if (present != NULL && ds_status_is_active(present->status) &&
		ds_access_of(present->owner) != DS_ACCESS_NONE &&
		ds_access_is_exposed(present->function_schema, present->name))
		message = psprintf("An Orchestration instance with the status %s already exists.",
						   ds_status_name(ds_status_shown(present)));
	else
		message = psprintf("An Orchestration instance with the ID %s already exists.",
						   instance_id);
	initStringInfo(&body);
	ds_http_append_failure(&body, "Something went wrong while processing your request",
						   message,
						   "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException");
	response.body = body.data;
	return form(fcinfo, &response);
}

static Datum
form(FunctionCallInfo fcinfo, const Response *response)
{
	TupleDesc	desc;
	Datum		values[NUM_RESPONSE_COLUMNS] = {0};
	bool		nulls[NUM_RESPONSE_COLUMNS] = {0};
	const char *texts[] = {
		response->body, response->content_type, response->location, NULL, NULL,
		response->instance_id
	};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != NUM_RESPONSE_COLUMNS)
		elog(ERROR, "unexpected type of result");
	values[0] = Int32GetDatum(response->status);
	for (int i = 1; i < NUM_RESPONSE_COLUMNS; i++)
	{
		nulls[i] = texts[i - 1] == NULL;
		if (!nulls[i])
			values[i] = CStringGetTextDatum(texts[i - 1]);
	}
	nulls[4] = response->retry_after == 0;
	values[4] = Int32GetDatum(response->retry_after);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}
