/*-------------------------------------------------------------------------
 *
 * client_control.c
 *	  df_raise_event and df_terminate.
 *
 * Neither waits for a running step: the event is an INSERT into the inbox,
 * and a step locks the instance's row for its last write only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "access.h"
#include "arguments.h"
#include "commit_hints.h"
#include "hub.h"
#include "jsonb_build.h"
#include "store.h"

PG_FUNCTION_INFO_V1(ds_raise_event);
PG_FUNCTION_INFO_V1(ds_terminate);

static DsInstance *load_active(const char *instance_id);

/* df_raise_event(instance_id, event_name, event_data) */
PGDLLEXPORT Datum
ds_raise_event(PG_FUNCTION_ARGS)
{
	char	   *instance_id;
	char	   *name;
	Jsonb	   *data;
	DsInstance *inst;

	ds_hub_require();
	instance_id = ds_arg_instance_id(fcinfo, 0);
	name = ds_arg_event_name(fcinfo, 1);
	data = ds_arg_payload(fcinfo, 2, "event_data");
	PreventCommandIfReadOnly("df_raise_event()");
	PreventCommandIfParallelMode("df_raise_event()");

	inst = load_active(instance_id);
	ds_store_send(inst, name, data, GetCurrentTimestamp());
	ds_at_commit_ready(inst->owner, instance_id, 0);
	PG_RETURN_VOID();
}

/* df_terminate(instance_id, reason) */
PGDLLEXPORT Datum
ds_terminate(PG_FUNCTION_ARGS)
{
	char	   *instance_id;
	Jsonb	   *output = NULL;

	ds_hub_require();
	instance_id = ds_arg_instance_id(fcinfo, 0);
	if (!PG_ARGISNULL(1))
		output = ds_string_to_jsonb(ds_arg_text(fcinfo, 1));
	PreventCommandIfReadOnly("df_terminate()");
	PreventCommandIfParallelMode("df_terminate()");

	for (;;)
	{
		DsInstance *inst;

		CHECK_FOR_INTERRUPTS();
		inst = load_active(instance_id);
		ds_check_not_own_step(inst);
		if (ds_store_terminate(inst, GetCurrentTimestamp(), output))
		{
			ds_at_commit_cancel(instance_id, &inst->execution_id);
			ds_at_commit_ended(instance_id);
			PG_RETURN_VOID();
		}
		/* it has just ended or gone on to another execution: look again */
	}
}

static DsInstance *
load_active(const char *instance_id)
{
	DsInstance *inst = ds_store_load(instance_id);

	if (inst == NULL)
		ds_error_no_instance(instance_id);
	ds_check_owner(inst);
	if (!ds_status_is_active(inst->status))
		ds_error_ended(inst);
	return inst;
}
