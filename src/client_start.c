/*-------------------------------------------------------------------------
 *
 * client_start.c
 *	  df_start_singleton and df_start_new.
 *
 * The Durable Functions singleton documentation reads the status and then
 * starts, and warns that two callers may both be told that they started.
 * Here the primary key decides, inside the caller's transaction:
 *
 *	1. look at the row under the latest snapshot, at any isolation level.
 *	   Active: conflict, without a write.  None: 2.  Ended and reusable: 3.
 *	2. INSERT ... ON CONFLICT DO NOTHING.  No row: back to 1.
 *	3. UPDATE the row that was seen, fenced by its execution and turn.  No
 *	   row: back to 1.
 *
 * 2 and 3 wait only for another uncommitted starter of the same id, never for
 * a running step: steps lock the row for their last write only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "access.h"
#include "arguments.h"
#include "catalog.h"
#include "commit_hints.h"
#include "errors.h"
#include "function_ref.h"
#include "home.h"
#include "hub.h"
#include "store.h"

PG_FUNCTION_INFO_V1(ds_start_singleton);
PG_FUNCTION_INFO_V1(ds_start_new);

typedef enum OnConflict
{
	ON_CONFLICT_SKIP,
	ON_CONFLICT_ERROR,
	ON_CONFLICT_TERMINATE
} OnConflict;

/* Which statuses of the present execution allow a new one. */
typedef struct Reuse
{
	int			n;
	DsStatus	statuses[DS_NUM_STATUS];
} Reuse;

static bool start(DsStart *what, OnConflict on_conflict, Reuse reuse);
static void prepare(DsStart *what, const char *caller,
					FunctionCallInfo fcinfo, int start_at_arg);
static OnConflict conflict_argument(FunctionCallInfo fcinfo, int n);
static Reuse reuse_argument(FunctionCallInfo fcinfo, int n);
static bool reuse_has(const Reuse *reuse, DsStatus status);
static void check_login(Oid role);
pg_noreturn static void error_exists(const DsInstance *inst);

/* df_start_singleton(function_name, instance_id, input, on_conflict, reuse, start_at) */
PGDLLEXPORT Datum
ds_start_singleton(PG_FUNCTION_ARGS)
{
	DsStart		what = {0};
	OnConflict	on_conflict;
	Reuse		reuse;

	ds_hub_require();
	what.name = ds_arg_function_name(fcinfo, 0);
	what.instance_id = ds_arg_instance_id(fcinfo, 1);
	what.input = ds_arg_payload(fcinfo, 2, "input");
	on_conflict = conflict_argument(fcinfo, 3);
	reuse = reuse_argument(fcinfo, 4);
	prepare(&what, "df_start_singleton()", fcinfo, 5);

	PG_RETURN_BOOL(start(&what, on_conflict, reuse));
}

/* df_start_new(function_name, instance_id, input, start_at) */
PGDLLEXPORT Datum
ds_start_new(PG_FUNCTION_ARGS)
{
	static const Reuse any_ended = {3, {DS_COMPLETED, DS_FAILED, DS_TERMINATED}};
	DsStart		what = {0};

	ds_hub_require();
	what.name = ds_arg_function_name(fcinfo, 0);
	if (PG_ARGISNULL(1))
		what.instance_id =
			DatumGetCString(DirectFunctionCall1(uuid_out,
												DirectFunctionCall1(gen_random_uuid, (Datum) 0)));
	else
		what.instance_id = ds_arg_instance_id(fcinfo, 1);
	what.input = ds_arg_payload(fcinfo, 2, "input");
	prepare(&what, "df_start_new()", fcinfo, 3);

	start(&what, ON_CONFLICT_ERROR, any_ended);
	PG_RETURN_TEXT_P(cstring_to_text(what.instance_id));
}

/* All that does not depend on the present row. */
static void
prepare(DsStart *what, const char *caller, FunctionCallInfo fcinfo,
		int start_at_arg)
{
	Oid			function;

	PreventCommandIfReadOnly(caller);
	PreventCommandIfParallelMode(caller);

	what->owner = GetUserId();
	function = ds_function_lookup(what->name);
	ds_function_check(function, what->name, what->owner, what->input == NULL);
	what->function_schema = ds_function_schema(function);
	check_login(what->owner);

	what->now = GetCurrentTimestamp();
	what->ready_time = what->now;
	if (!PG_ARGISNULL(start_at_arg))
		what->ready_time = Max(what->now, PG_GETARG_TIMESTAMPTZ(start_at_arg));
	what->execution_id = ds_new_execution_id();
	what->home = ds_home_stamp();
}

/*
 * True: started.  False: the id is taken, and on_conflict says to skip.
 */
static bool
start(DsStart *what, OnConflict on_conflict, Reuse reuse)
{
	Reuse		allowed = reuse;

	if (on_conflict == ON_CONFLICT_TERMINATE)
	{
		for (DsStatus s = DS_PENDING; ds_status_is_active(s); s++)
			allowed.statuses[allowed.n++] = s;
	}

	for (;;)
	{
		DsInstance *present;
		bool		done;

		CHECK_FOR_INTERRUPTS();
		present = ds_store_load(what->instance_id);
		if (present == NULL)
			done = ds_store_insert(what);
		else
		{
			ds_check_owner(present);
			if (!reuse_has(&allowed, present->status))
			{
				if (on_conflict == ON_CONFLICT_SKIP)
					return false;
				error_exists(present);
			}
			ds_check_not_own_step(present);
			done = ds_store_start_over(what, present, allowed.n,
									   allowed.statuses);
		}
		if (!done)
			continue;			/* somebody was faster: look again */

		if (present != NULL && ds_status_is_active(present->status))
			ds_at_commit_cancel(what->instance_id, &present->execution_id);
		ds_at_commit_ready(what->owner, what->instance_id, what->ready_time);
		return true;
	}
}

static OnConflict
conflict_argument(FunctionCallInfo fcinfo, int n)
{
	char	   *value;

	ds_require_arg(fcinfo, n, "on_conflict");
	value = ds_arg_text(fcinfo, n);
	if (strcmp(value, "skip") == 0)
		return ON_CONFLICT_SKIP;
	if (strcmp(value, "error") == 0)
		return ON_CONFLICT_ERROR;
	if (strcmp(value, "terminate") == 0)
		return ON_CONFLICT_TERMINATE;
	ereport(ERROR,
			(errcode(DS_ERRCODE_BAD_ARGUMENT),
			 errmsg("unknown value \"%s\" for on_conflict", value),
			 errhint("Use skip, error or terminate.")));
}

static Reuse
reuse_argument(FunctionCallInfo fcinfo, int n)
{
	Reuse		reuse = {0};
	Datum	   *values;
	bool	   *nulls;
	int			count;

	ds_require_arg(fcinfo, n, "reuse");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), ds_catalog(false)->status_type,
					  sizeof(Oid), true, TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		DsStatus	status;

		if (nulls[i])
			ereport(ERROR,
					(errcode(DS_ERRCODE_BAD_ARGUMENT),
					 errmsg("reuse must not contain null"),
					 errhint("List ended statuses: Completed, Failed, Terminated.")));
		status = ds_status_from_oid(DatumGetObjectId(values[i]));
		if (status != DS_COMPLETED && status != DS_FAILED &&
			status != DS_TERMINATED)
			ereport(ERROR,
					(errcode(DS_ERRCODE_BAD_ARGUMENT),
					 errmsg("reuse must not contain the status %s",
							ds_status_name(status)),
					 errhint("List ended statuses: Completed, Failed, Terminated. To replace an active instance use on_conflict => 'terminate'.")));
		if (!reuse_has(&reuse, status))
			reuse.statuses[reuse.n++] = status;
	}
	return reuse;
}

static bool
reuse_has(const Reuse *reuse, DsStatus status)
{
	for (int i = 0; i < reuse->n; i++)
	{
		if (reuse->statuses[i] == status)
			return true;
	}
	return false;
}

/*
 * Before PostgreSQL 17 a background worker cannot connect as a role that may
 * not log in, so its instances would never run.
 */
static void
check_login(Oid role)
{
#if PG_VERSION_NUM < 170000
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		can_login = true;

	if (HeapTupleIsValid(tuple))
	{
		can_login = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
		ReleaseSysCache(tuple);
	}
	if (!can_login)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("role \"%s\" cannot own instances because it is not permitted to log in",
						GetUserNameFromId(role, false)),
				 errdetail("Background workers run the steps of an instance as its owner."),
				 errhint("ALTER ROLE ... LOGIN PASSWORD NULL lets workers connect as it, but nobody with a password.")));
#endif
}

static void
error_exists(const DsInstance *inst)
{
	bool		active = ds_status_is_active(inst->status);

	ereport(ERROR,
			(errcode(DS_ERRCODE_CONFLICT),
			 errmsg("An instance with ID \"%s\" already exists.",
					inst->instance_id),
			 errdetail("Its status is %s.", ds_status_name(inst->status)),
			 active ?
			 errhint("Wait for its end with df_wait_for_completion, or end it with df_terminate.") :
			 errhint("Add the status to reuse to start over it.")));
}
