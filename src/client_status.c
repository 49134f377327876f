/*-------------------------------------------------------------------------
 *
 * client_status.c
 *	  df_get_status: the status of an instance as clients see it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "access.h"
#include "arguments.h"
#include "catalog.h"
#include "client_status.h"
#include "durability.h"
#include "hub.h"
#include "jsonb_build.h"
#include "slot.h"
#include "store.h"

PG_FUNCTION_INFO_V1(ds_get_status);

#define NUM_STATUS_COLUMNS	11

static DsStatus shown_status(const DsInstance *inst);
static void make_end_durable(const DsInstance *inst);
static void push_time(JsonbParseState **state, const char *key, TimestampTz t);

/* df_get_status(instance_id, show_history, show_history_output, show_input) */
PGDLLEXPORT Datum
ds_get_status(PG_FUNCTION_ARGS)
{
	char	   *instance_id;
	bool		show_history = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	bool		show_output = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	bool		show_input = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);
	DsInstance *inst;

	ds_hub_require();
	instance_id = ds_arg_instance_id(fcinfo, 0);
	/* it has no new snapshots */
	PreventCommandIfParallelMode("df_get_status()");
	InitMaterializedSRF(fcinfo, 0);

	inst = ds_store_load(instance_id);
	if (inst != NULL)
	{
		DsAccess	access = ds_access(inst->owner);
		Jsonb	   *history = NULL;

		if (access == DS_ACCESS_NONE)
			return (Datum) 0;
		if (show_history)
		{
			bool		payloads = access == DS_ACCESS_FULL;

			history = ds_store_story(instance_id, show_output && payloads,
									 show_input && payloads, payloads);
		}
		if (access == DS_ACCESS_NO_PAYLOAD)
			inst->input = inst->output = inst->custom_status =
				inst->failure = NULL;
		ds_status_put((ReturnSetInfo *) fcinfo->resultinfo, inst, history,
					  show_input);
	}
	return (Datum) 0;
}

void
ds_status_put(ReturnSetInfo *result, const DsInstance *inst, Jsonb *history,
			  bool show_input)
{
	Datum		values[NUM_STATUS_COLUMNS] = {0};
	bool		nulls[NUM_STATUS_COLUMNS] = {0};
	Jsonb	   *payloads[] = {
		show_input ? inst->input : NULL, inst->custom_status, inst->output,
		inst->failure
	};
	int			n = 0;

	make_end_durable(inst);
	values[n++] = CStringGetTextDatum(inst->name);
	values[n++] = CStringGetTextDatum(inst->instance_id);
	values[n++] = UUIDPGetDatum(&inst->execution_id);
	values[n++] = ObjectIdGetDatum(ds_status_to_oid(shown_status(inst)));
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
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Jsonb *
ds_status_to_jsonb(const DsInstance *inst)
{
	JsonbParseState *state = NULL;
	Datum		execution = UUIDPGetDatum(&inst->execution_id);

	make_end_durable(inst);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	ds_push_string(&state, "name", inst->name);
	ds_push_string(&state, "instance_id", inst->instance_id);
	ds_push_string(&state, "execution_id",
				   DatumGetCString(DirectFunctionCall1(uuid_out, execution)));
	ds_push_string(&state, "runtime_status",
				   ds_status_name(shown_status(inst)));
	ds_push_jsonb(&state, "input", inst->input);
	ds_push_jsonb(&state, "custom_status", inst->custom_status);
	ds_push_jsonb(&state, "output", inst->output);
	ds_push_jsonb(&state, "failure", inst->failure);
	push_time(&state, "created_time", inst->created_time);
	push_time(&state, "last_updated_time", inst->last_updated_time);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* durable_singleton.is_executing(execution_id) */
PG_FUNCTION_INFO_V1(ds_is_executing_execution);
PGDLLEXPORT Datum
ds_is_executing_execution(PG_FUNCTION_ARGS)
{
	ds_hub_require();
	PG_RETURN_BOOL(ds_is_executing(MyDatabaseId, PG_GETARG_UUID_P(0)));
}

/*
 * Running is shown while even the first step executes, of which nothing is
 * committed yet.
 */
static DsStatus
shown_status(const DsInstance *inst)
{
	if (inst->status == DS_PENDING &&
		ds_is_executing(MyDatabaseId, &inst->execution_id))
		return DS_RUNNING;
	return inst->status;
}

/* What is reported as ended stays ended. */
static void
make_end_durable(const DsInstance *inst)
{
	if (!ds_status_is_active(inst->status) &&
		!TransactionIdIsCurrentTransactionId(inst->xmin))
		ds_wait_durable(ds_commit_lsn_of(inst->xmin));
}

static void
push_time(JsonbParseState **state, const char *key, TimestampTz t)
{
	char		buf[MAXDATELEN + 1];

	JsonEncodeDateTime(buf, TimestampTzGetDatum(t), TIMESTAMPTZOID, NULL);
	ds_push_string(state, key, pstrdup(buf));
}
