/*-------------------------------------------------------------------------
 *
 * client_status.c
 *	  df_get_status: the status of an instance as shown to clients.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/jsonb_build.h"
#include "client/client_status.h"
#include "commit/durability.h"
#include "instance/access.h"
#include "shmem/claim.h"
#include "shmem/shared.h"
#include "store/catalog.h"
#include "store/store.h"

PG_FUNCTION_INFO_V1(ds_get_status);
PG_FUNCTION_INFO_V1(ds_exposed_status);
PG_FUNCTION_INFO_V1(ds_is_executing_execution);

#define NUM_STATUS_COLUMNS	11

static Datum form_status(FunctionCallInfo fcinfo, const DsInstance *inst,
						 Jsonb *history, bool show_input);
static void fill_columns(const DsInstance *inst, Jsonb *history,
						 bool show_input, Datum *values, bool *nulls);
static void push_time(JsonbParseState **state, const char *key, TimestampTz t);

/* df_get_status(instance_id, show_history, show_history_output, show_input) */
PGDLLEXPORT Datum
ds_get_status(PG_FUNCTION_ARGS)
{
	DsReport	report;

	InitMaterializedSRF(fcinfo, 0);
	if (ds_status_report(fcinfo, false, &report))
		ds_status_put((ReturnSetInfo *) fcinfo->resultinfo, report.inst,
					  report.history, report.show_input);
	return (Datum) 0;
}

/*
 * durable_singleton.http_exposed_status(instance_id, show_history,
 * show_history_output, show_input): null for an instance whose function is not
 * exposed over HTTP, as for an unknown one.
 */
PGDLLEXPORT Datum
ds_exposed_status(PG_FUNCTION_ARGS)
{
	DsReport	report;

	if (!ds_status_report(fcinfo, true, &report))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(form_status(fcinfo, report.inst, report.history,
								report.show_input));
}

bool
ds_status_report(FunctionCallInfo fcinfo, bool exposed_only, DsReport *report)
{
	char	   *instance_id;
	bool		show_history = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	bool		show_output = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	DsInstance *inst;
	DsAccess	access;

	ds_shared_require();
	instance_id = ds_arg_instance_id(fcinfo, 0);
	/* a parallel worker cannot take a new snapshot */
	PreventCommandIfParallelMode("df_get_status()");
	report->show_input = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);
	report->history = NULL;

	report->inst = inst = ds_store_load(instance_id);
	if (inst == NULL)
		return false;
	access = ds_access_of(inst->owner);
	if (access == DS_ACCESS_NONE)
		return false;
	if (exposed_only && !ds_access_is_exposed(inst->function_schema, inst->name))
		return false;
	if (show_history)
	{
		bool		payloads = access == DS_ACCESS_FULL;

		report->history = ds_store_history_json(instance_id, show_output && payloads,
												report->show_input && payloads,
												payloads);
	}
	if (access == DS_ACCESS_NO_PAYLOAD)
		inst->input = inst->output = inst->custom_status =
			inst->failure = NULL;
	return true;
}

void
ds_status_put(ReturnSetInfo *result, const DsInstance *inst, Jsonb *history,
			  bool show_input)
{
	Datum		values[NUM_STATUS_COLUMNS] = {0};
	bool		nulls[NUM_STATUS_COLUMNS] = {0};

	fill_columns(inst, history, show_input, values, nulls);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* As a value of type df_status. */
static Datum
form_status(FunctionCallInfo fcinfo, const DsInstance *inst,
			Jsonb *history, bool show_input)
{
	TupleDesc	desc;
	Datum		values[NUM_STATUS_COLUMNS] = {0};
	bool		nulls[NUM_STATUS_COLUMNS] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "a status must be a row");
	fill_columns(inst, history, show_input, values, nulls);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}

static void
fill_columns(const DsInstance *inst, Jsonb *history, bool show_input,
			 Datum *values, bool *nulls)
{
	Jsonb	   *payloads[] = {
		show_input ? inst->input : NULL, inst->custom_status, inst->output,
		inst->failure
	};
	int			n = 0;

	ds_status_make_durable(inst);
	values[n++] = CStringGetTextDatum(inst->name);
	values[n++] = CStringGetTextDatum(inst->instance_id);
	values[n++] = UUIDPGetDatum(&inst->execution_id);
	values[n++] = ObjectIdGetDatum(ds_catalog_status_oid(ds_status_shown(inst)));
	for (int i = 0; i < lengthof(payloads); i++)
	{
		values[n] = PointerGetDatum(payloads[i]);
		nulls[n++] = payloads[i] == NULL;
	}
	values[n++] = TimestampTzGetDatum(inst->created_time);
	values[n++] = TimestampTzGetDatum(inst->last_updated_time);
	values[n] = PointerGetDatum(history);
	nulls[n++] = history == NULL;
	Assert(n == NUM_STATUS_COLUMNS);
}

Jsonb *
ds_status_to_jsonb(const DsInstance *inst)
{
	JsonbParseState *state = NULL;
	Datum		execution = UUIDPGetDatum(&inst->execution_id);

	ds_status_make_durable(inst);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	ds_jsonb_push_string(&state, "name", inst->name);
	ds_jsonb_push_string(&state, "instance_id", inst->instance_id);
	ds_jsonb_push_string(&state, "execution_id",
						 DatumGetCString(DirectFunctionCall1(uuid_out, execution)));
	ds_jsonb_push_string(&state, "runtime_status",
						 ds_status_name(ds_status_shown(inst)));
	ds_jsonb_push_value(&state, "input", inst->input);
	ds_jsonb_push_value(&state, "custom_status", inst->custom_status);
	ds_jsonb_push_value(&state, "output", inst->output);
	ds_jsonb_push_value(&state, "failure", inst->failure);
	push_time(&state, "created_time", inst->created_time);
	push_time(&state, "last_updated_time", inst->last_updated_time);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* durable_singleton.is_executing(execution_id) */
PGDLLEXPORT Datum
ds_is_executing_execution(PG_FUNCTION_ARGS)
{
	ds_shared_require();
	PG_RETURN_BOOL(ds_claim_is_executing(MyDatabaseId, PG_GETARG_UUID_P(0)));
}

DsStatus
ds_status_shown(const DsInstance *inst)
{
	if (inst->status == DS_PENDING &&
		ds_claim_is_executing(MyDatabaseId, &inst->execution_id))
		return DS_RUNNING;
	return inst->status;
}

void
ds_status_make_durable(const DsInstance *inst)
{
	if (!ds_status_is_active(inst->status) &&
		!TransactionIdIsCurrentTransactionId(inst->xmin))
		ds_durability_wait_to_tell(inst->xmin);
}

static void
push_time(JsonbParseState **state, const char *key, TimestampTz t)
{
	char		buf[MAXDATELEN + 1];

	JsonEncodeDateTime(buf, TimestampTzGetDatum(t), TIMESTAMPTZOID, NULL);
	ds_jsonb_push_string(state, key, pstrdup(buf));
}
