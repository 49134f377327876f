/*-------------------------------------------------------------------------
 *
 * start.c
 *	  Starts an instance under an id.
 *
 * The singleton sample of Durable Functions reads the status and then starts,
 * and its documentation warns that two callers may both be told that they
 * started the instance.  Here the primary key decides, inside the caller's
 * transaction:
 *
 *	1. Read the row under the latest snapshot, at any isolation level.
 *	   Active: conflict, without a write.  None: 2.  Ended and reusable: 3.
 *	2. INSERT ... ON CONFLICT DO NOTHING.  No row inserted: back to 1.
 *	3. UPDATE the row that was read, if nothing in it has changed.
 *	   Otherwise: back to 1.
 *
 * 2 and 3 wait only for another uncommitted starter of the same id, never for
 * a running step, because a step locks the row only for its last write.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/no_time.h"
#include "commit/commit_counts.h"
#include "commit/commit_hints.h"
#include "commit/quota.h"
#include "function/function_ref.h"
#include "function/trust.h"
#include "instance/access.h"
#include "instance/end.h"
#include "instance/home.h"
#include "instance/start.h"
#include "store/catalog.h"
#include "store/execution_id.h"

const DsReuse ds_start_any_ended = {3, {DS_COMPLETED, DS_FAILED, DS_TERMINATED}};

static bool start_instance(DsStart *start, DsOnConflict on_conflict,
						   DsReuse reuse, bool exposed_only);
static bool allows(const DsReuse *reuse, DsStatus status);
static void prepare(DsStart *start, Oid function, TimestampTz start_at);
static void check_role(Oid role);
static void check_serializable(const DsStart *start, const DsInstance *present,
							   const DsReuse *allowed);
static bool is_open_to_http(const DsInstance *present);

void
ds_start_prepare(DsStart *start, const char *search_path,
				 TimestampTz start_at)
{
	start->owner = GetUserId();
	prepare(start,
			ds_function_find_with(search_path, start->name, start->input),
			start_at);
}

void
ds_start_prepare_again(DsStart *start, Oid owner)
{
	start->owner = owner;
	prepare(start, ds_function_find_in(start->function_schema, start->name,
									   start->input), 0);
}

static void
prepare(DsStart *start, Oid function, TimestampTz start_at)
{
	check_role(start->owner);
	ds_function_check(function, start->name, DS_USE_ORCHESTRATOR, start->owner,
					  start->input);
	ds_trust_check_function(function, start->name, start->owner);
	start->function_schema = ds_function_schema(function);

	start->now = GetCurrentTimestamp();
	start->ready_time = start_at == DS_NO_TIME ?
		start->now : Max(start->now, start_at);
	start->home = ds_home_stamp();
}

bool
ds_start(DsStart *start, DsOnConflict on_conflict, DsReuse reuse)
{
	return start_instance(start, on_conflict, reuse, false);
}

bool
ds_start_exposed(DsStart *start)
{
	return start_instance(start, DS_ON_CONFLICT_SKIP, ds_start_any_ended, true);
}

static bool
start_instance(DsStart *start, DsOnConflict on_conflict, DsReuse reuse,
			   bool exposed_only)
{
	DsReuse		allowed = reuse;
	bool		child = start->parent.instance_id != NULL;

	if (on_conflict == DS_ON_CONFLICT_TERMINATE)
	{
		for (DsStatus s = DS_PENDING; ds_status_is_active(s); s++)
			allowed.statuses[allowed.n++] = s;
	}

	for (;;)
	{
		DsInstance *present;

		CHECK_FOR_INTERRUPTS();
		present = ds_store_load_for_start(start->instance_id,
										  on_conflict != DS_ON_CONFLICT_TERMINATE);
		/* for a child the parent's step checks, which is repeated anyway */
		if (IsolationIsSerializable() && !child)
			check_serializable(start, present, &allowed);
		if (present == NULL)
		{
			start->execution_id = ds_execution_id_new();
			ds_quota_take(start->owner, !child);
			if (ds_store_insert(start, child))
			{
				ds_commit_hint_started(start);
				ds_commit_counts_add(DS_INSTANCES_STARTED);
				return true;
			}
			ds_quota_give_back(start->owner);
			continue;			/* another process was faster: start again */
		}
		if (exposed_only && !is_open_to_http(present))
			return false;
		ds_access_check_owner(present);
		if (!allows(&allowed, present->status))
		{
			if (on_conflict == DS_ON_CONFLICT_SKIP)
				return false;
			ds_start_exists_error(present);
		}
		if (ds_start_over(start, present))
			return true;
	}
}

/*
 * A start decides by the committed state, which is later than the snapshot of
 * a serializable transaction.  Its answer must still be that of the snapshot;
 * otherwise it would fit no order of transactions.  PostgreSQL's INSERT ... ON
 * CONFLICT DO NOTHING raises the same error.
 */
static void
check_serializable(const DsStart *start, const DsInstance *present,
				   const DsReuse *allowed)
{
	const DsInstance *seen = ds_store_load_seen(start->instance_id);
	bool		over = present != NULL && allows(allowed, present->status);

	if ((seen == NULL) == (present == NULL) &&
		(seen == NULL ||
		 (allows(allowed, seen->status) == over &&
		  (!over || memcmp(&seen->execution_id, &present->execution_id,
						   sizeof(pg_uuid_t)) == 0))))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update"),
			 errdetail("Instance \"%s\" is not as the snapshot of the transaction has it.",
					   start->instance_id),
			 errhint("The transaction might succeed if retried.")));
}

/* May a caller over HTTP replace it, once it has ended? */
static bool
is_open_to_http(const DsInstance *present)
{
	return !ds_status_is_active(present->status) &&
		has_privs_of_role(GetUserId(), present->owner) &&
		ds_access_is_exposed(present->function_schema, present->name);
}

bool
ds_start_over(DsStart *start, DsInstance *present)
{
	/* an open transaction of another session must not block a parent's step */
	bool		child = start->parent.instance_id != NULL;
	bool		had_tasks;

	ds_access_check_not_own_step(present);
	start->execution_id = ds_execution_id_new();

	/*
	 * for a child it was checked before (child.c), because it is not an error
	 * of the step
	 */
	ds_quota_take(start->owner,
				  !child && !ds_status_is_active(present->status));
	if (!ds_store_start_over(start, present, child, &had_tasks))
	{
		ds_quota_give_back(start->owner);
		return false;
	}
	if (ds_status_is_active(present->status))
		ds_end_tell_terminated(present, NULL, false);
	else if (had_tasks)
		ds_commit_hint_cancel(start->instance_id, &present->execution_id);
	ds_commit_hint_started(start);
	ds_commit_counts_add(DS_INSTANCES_STARTED);
	return true;
}

DsReuse
ds_start_arg_statuses(FunctionCallInfo fcinfo, int n, const char *what)
{
	DsReuse		reuse = {0};
	Datum	   *values;
	bool	   *nulls;
	int			count;

	ds_arg_require(fcinfo, n, what);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), ds_catalog(false)->status_type,
					  sizeof(Oid), true, TYPALIGN_INT, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		DsStatus	status;

		if (nulls[i])
			ereport(ERROR,
					(errcode(DS_ERRCODE_BAD_ARGUMENT),
					 errmsg("%s must not contain null", what),
					 errhint("List ended statuses: Completed, Failed, Terminated.")));
		status = ds_catalog_status(DatumGetObjectId(values[i]));
		if (!allows(&ds_start_any_ended, status))
			ereport(ERROR,
					(errcode(DS_ERRCODE_BAD_ARGUMENT),
					 errmsg("%s must not contain the status %s", what,
							ds_status_name(status)),
					 errhint("List ended statuses: Completed, Failed, Terminated.")));
		if (!allows(&reuse, status))
			reuse.statuses[reuse.n++] = status;
	}
	return reuse;
}

static bool
allows(const DsReuse *reuse, DsStatus status)
{
	for (int i = 0; i < reuse->n; i++)
	{
		if (reuse->statuses[i] == status)
			return true;
	}
	return false;
}

/*
 * A session can outlive its role.  And before PostgreSQL 17 a background
 * worker cannot connect as a role without LOGIN, so its instances would never
 * run.
 */
static void
check_role(Oid role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		can_login;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role with OID %u no longer exists", role),
				 errhint("Connect as a role that exists: it will own the instance.")));
	can_login = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
	ReleaseSysCache(tuple);
	if (DS_COMPAT_WORKER_NEEDS_LOGIN && !can_login)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("role \"%s\" cannot own instances because it is not permitted to log in",
						GetUserNameFromId(role, false)),
				 errdetail("Background workers run the steps of an instance as its owner."),
				 errhint("ALTER ROLE ... LOGIN PASSWORD NULL lets workers connect as this role, and allows no password login.")));
}

void
ds_start_exists_error(const DsInstance *inst)
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
