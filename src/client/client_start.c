/*-------------------------------------------------------------------------
 *
 * client_start.c
 *	  df_start_singleton, df_start_new and df_restart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/no_time.h"
#include "instance/access.h"
#include "instance/start.h"
#include "shmem/shared.h"

PG_FUNCTION_INFO_V1(ds_start_singleton);
PG_FUNCTION_INFO_V1(ds_start_new);
PG_FUNCTION_INFO_V1(ds_restart);

static void prepare(DsStart *start, const char *caller,
					FunctionCallInfo fcinfo, int start_at_arg);
static char *random_uuid(void);
static DsOnConflict conflict_argument(FunctionCallInfo fcinfo, int n);

/*
 * df_start_singleton(function_name, instance_id, input, on_conflict, reuse,
 * start_at)
 */
PGDLLEXPORT Datum
ds_start_singleton(PG_FUNCTION_ARGS)
{
	DsStart		start = {0};
	DsOnConflict on_conflict;
	DsReuse		reuse;

	ds_shared_require();
	start.name = ds_arg_function_name(fcinfo, 0);
	start.instance_id = ds_arg_instance_id(fcinfo, 1);
	start.input = ds_arg_payload(fcinfo, 2, "input");
	on_conflict = conflict_argument(fcinfo, 3);
	reuse = ds_start_arg_statuses(fcinfo, 4, "reuse");
	prepare(&start, "df_start_singleton()", fcinfo, 5);

	PG_RETURN_BOOL(ds_start(&start, on_conflict, reuse));
}

/* df_start_new(function_name, instance_id, input, start_at) */
PGDLLEXPORT Datum
ds_start_new(PG_FUNCTION_ARGS)
{
	DsStart		start = {0};

	ds_shared_require();
	start.name = ds_arg_function_name(fcinfo, 0);
	start.instance_id = PG_ARGISNULL(1) ? random_uuid() :
		ds_arg_instance_id(fcinfo, 1);
	start.input = ds_arg_payload(fcinfo, 2, "input");
	prepare(&start, "df_start_new()", fcinfo, 3);

	ds_start(&start, DS_ON_CONFLICT_ERROR, ds_start_any_ended);
	PG_RETURN_TEXT_P(cstring_to_text(start.instance_id));
}

/* df_restart(instance_id, restart_with_new_instance_id) */
PGDLLEXPORT Datum
ds_restart(PG_FUNCTION_ARGS)
{
	DsStart		start = {0};
	char	   *instance_id;
	DsInstance *present;

	ds_shared_require();
	instance_id = ds_arg_instance_id(fcinfo, 0);
	ds_arg_require(fcinfo, 1, "restart_with_new_instance_id");
	PreventCommandIfReadOnly("df_restart()");
	PreventCommandIfParallelMode("df_restart()");

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		present = ds_store_load(instance_id);
		if (present == NULL)
			ds_access_no_instance_error(instance_id);
		ds_access_check_owner(present);
		ds_access_check_has_owner(present);
		start.name = present->name;
		start.function_schema = present->function_schema;
		start.input = present->input;
		if (PG_GETARG_BOOL(1))
		{
			start.instance_id = random_uuid();
			ds_start_prepare_again(&start, present->owner);
			ds_start(&start, DS_ON_CONFLICT_ERROR, ds_start_any_ended);
			break;
		}
		if (ds_status_is_active(present->status))
			ds_start_exists_error(present);
		start.instance_id = instance_id;
		ds_start_prepare_again(&start, present->owner);

		/*
		 * the execution that is replaced must be the one read above;
		 * otherwise try again
		 */
		if (ds_start_over(&start, present))
			break;
	}
	PG_RETURN_TEXT_P(cstring_to_text(start.instance_id));
}

static void
prepare(DsStart *start, const char *caller, FunctionCallInfo fcinfo,
		int start_at_arg)
{
	PreventCommandIfReadOnly(caller);
	PreventCommandIfParallelMode(caller);
	ds_start_prepare(start, namespace_search_path,
					 PG_ARGISNULL(start_at_arg) ? DS_NO_TIME :
					 PG_GETARG_TIMESTAMPTZ(start_at_arg));
}

static char *
random_uuid(void)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out,
											   DirectFunctionCall1(gen_random_uuid,
																   (Datum) 0)));
}

static DsOnConflict
conflict_argument(FunctionCallInfo fcinfo, int n)
{
	char	   *value;

	ds_arg_require(fcinfo, n, "on_conflict");
	value = ds_arg_text(fcinfo, n);
	if (strcmp(value, "skip") == 0)
		return DS_ON_CONFLICT_SKIP;
	if (strcmp(value, "error") == 0)
		return DS_ON_CONFLICT_ERROR;
	if (strcmp(value, "terminate") == 0)
		return DS_ON_CONFLICT_TERMINATE;
	ereport(ERROR,
			(errcode(DS_ERRCODE_BAD_ARGUMENT),
			 errmsg("unknown value \"%s\" for on_conflict", value),
			 errhint("Use skip, error or terminate.")));
}
