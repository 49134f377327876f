/*-------------------------------------------------------------------------
 *
 * client_control.c
 *	  df_raise_event, df_terminate, df_suspend, df_resume and df_rewind.
 *
 * None of them waits for a running step: an event is an INSERT into the inbox,
 * and a step locks the instance's row only for its last write.  Each of the
 * others reads the row, and changes it if it is still the same execution in a
 * suitable status; otherwise it starts again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/jsonb_build.h"
#include "base/no_time.h"
#include "commit/commit_counts.h"
#include "commit/commit_hints.h"
#include "commit/quota.h"
#include "instance/access.h"
#include "instance/end.h"
#include "orchestrator/replay.h"
#include "shmem/claim.h"
#include "shmem/shared.h"
#include "store/store.h"

PG_FUNCTION_INFO_V1(ds_raise_event);
PG_FUNCTION_INFO_V1(ds_terminate);
PG_FUNCTION_INFO_V1(ds_suspend);
PG_FUNCTION_INFO_V1(ds_resume);
PG_FUNCTION_INFO_V1(ds_rewind);

static char *begin(FunctionCallInfo fcinfo, const char *function,
				   Jsonb **reason);
static DsInstance *load_owned(const char *instance_id);
static DsInstance *load_active(const char *instance_id);
static void check_not_own_pass(const DsInstance *inst);
pg_noreturn static void error_status(const DsInstance *inst,
									 const char *hint);

/* df_raise_event(instance_id, event_name, event_data) */
PGDLLEXPORT Datum
ds_raise_event(PG_FUNCTION_ARGS)
{
	char	   *instance_id;
	char	   *name;
	Jsonb	   *data;
	DsInstance *inst;

	instance_id = begin(fcinfo, "df_raise_event()", NULL);
	name = ds_arg_event_name(fcinfo, 1);
	data = ds_arg_payload(fcinfo, 2, "event_data");

	inst = load_active(instance_id);
	ds_store_send(inst, name, data, GetCurrentTimestamp());
	ds_commit_hint_ready(inst->owner, instance_id, DS_NO_TIME);
	PG_RETURN_VOID();
}

/* df_terminate(instance_id, reason) */
PGDLLEXPORT Datum
ds_terminate(PG_FUNCTION_ARGS)
{
	Jsonb	   *reason;
	char	   *instance_id = begin(fcinfo, "df_terminate()", &reason);
	DsInstance *inst;

	do
	{
		CHECK_FOR_INTERRUPTS();
		inst = load_active(instance_id);
		ds_access_check_not_own_step(inst);
	} while (!ds_end_terminate(inst, reason, false));
	PG_RETURN_VOID();
}

/* df_suspend(instance_id, reason) */
PGDLLEXPORT Datum
ds_suspend(PG_FUNCTION_ARGS)
{
	Jsonb	   *reason;
	char	   *instance_id = begin(fcinfo, "df_suspend()", &reason);
	DsInstance *inst;

	do
	{
		CHECK_FOR_INTERRUPTS();
		inst = load_active(instance_id);
		check_not_own_pass(inst);
		if (inst->status == DS_SUSPENDED)
			error_status(inst, "Let it go on with df_resume.");
	} while (!ds_store_suspend(inst));
	ds_store_add_note(inst, DS_NOTE_SUSPENDED, reason);
	PG_RETURN_VOID();
}

/* df_resume(instance_id, reason) */
PGDLLEXPORT Datum
ds_resume(PG_FUNCTION_ARGS)
{
	Jsonb	   *reason;
	char	   *instance_id = begin(fcinfo, "df_resume()", &reason);
	DsInstance *inst;

	do
	{
		CHECK_FOR_INTERRUPTS();
		inst = load_active(instance_id);
		if (inst->status != DS_SUSPENDED)
			error_status(inst, "Only a suspended instance can be resumed.");
	} while (!ds_store_resume(inst));
	ds_store_add_note(inst, DS_NOTE_RESUMED, reason);
	ds_commit_hint_ready(inst->owner, instance_id, DS_NO_TIME);
	/* its tasks may continue, too */
	if (inst->history_length > 0)
		ds_commit_hint_rescan(inst->owner);
	PG_RETURN_VOID();
}

/* df_rewind(instance_id, reason) */
PGDLLEXPORT Datum
ds_rewind(PG_FUNCTION_ARGS)
{
	Jsonb	   *reason;
	char	   *instance_id = begin(fcinfo, "df_rewind()", &reason);
	DsInstance *inst;
	Oid			counted = InvalidOid;

	do
	{
		CHECK_FOR_INTERRUPTS();
		inst = load_owned(instance_id);
		if (ds_status_is_active(inst->status))
			error_status(inst, "Only a failed instance can be rewound.");
		if (inst->status != DS_FAILED)
			ds_access_ended_error(inst);
		ds_access_check_has_owner(inst);
		/* before the change, which a recount of the role would see already */
		if (counted != inst->owner)
		{
			if (OidIsValid(counted))
				ds_quota_give_back(counted);
			ds_quota_take(inst->owner, true);
			counted = inst->owner;
		}
	} while (!ds_store_rewind(inst, false));
	ds_commit_counts_add(DS_INSTANCES_REWOUND);
	ds_store_add_note(inst, DS_NOTE_REWOUND, reason);
	ds_commit_hint_ready(inst->owner, instance_id, DS_NO_TIME);
	PG_RETURN_VOID();
}

/* Returns the id, and the reason if the caller asks for it. */
static char *
begin(FunctionCallInfo fcinfo, const char *function, Jsonb **reason)
{
	char	   *instance_id;

	ds_shared_require();
	instance_id = ds_arg_instance_id(fcinfo, 0);
	if (reason != NULL)
		*reason = PG_ARGISNULL(1) ? NULL :
			ds_jsonb_from_string(ds_arg_text(fcinfo, 1));
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	return instance_id;
}

static DsInstance *
load_owned(const char *instance_id)
{
	DsInstance *inst = ds_store_load(instance_id);

	if (inst == NULL)
		ds_access_no_instance_error(instance_id);
	ds_access_check_owner(inst);
	return inst;
}

static DsInstance *
load_active(const char *instance_id)
{
	DsInstance *inst = load_owned(instance_id);

	if (!ds_status_is_active(inst->status))
		ds_access_ended_error(inst);
	return inst;
}

/*
 * The result of the pass could not be written any more, and it would run
 * forever.
 */
static void
check_not_own_pass(const DsInstance *inst)
{
	if (ds_replay_is_in_pass() && ds_claim_is_own_step(&inst->execution_id))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("instance \"%s\" cannot be suspended by its own orchestrator",
						inst->instance_id),
				 errhint("Suspend it in an activity.")));
}

static void
error_status(const DsInstance *inst, const char *hint)
{
	ereport(ERROR,
			(errcode(DS_ERRCODE_CONFLICT),
			 errmsg("instance \"%s\" is %s", inst->instance_id,
					ds_status_name(inst->status)),
			 errhint("%s", hint)));
}
