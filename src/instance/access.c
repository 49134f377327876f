/*-------------------------------------------------------------------------
 *
 * access.c
 *	  Which role may see and steer which instances, and which are open to HTTP.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/errors.h"
#include "function/function_ref.h"
#include "instance/access.h"
#include "shmem/claim.h"
#include "store/store.h"

PG_FUNCTION_INFO_V1(ds_access_level);
PG_FUNCTION_INFO_V1(ds_refuse_strangers);

DsAccess
ds_access_of(Oid owner)
{
	Oid			user = GetUserId();

	if (has_privs_of_role(user, owner) ||
		has_privs_of_role(user, ROLE_PG_READ_ALL_DATA))
		return DS_ACCESS_FULL;
	if (has_privs_of_role(user, ROLE_PG_MONITOR))
		return DS_ACCESS_NO_PAYLOAD;
	return DS_ACCESS_NONE;
}

/*
 * Applies to every status: otherwise a role could take over the id of another
 * role's ended instance and erase its result.
 */
void
ds_access_check_owner(const DsInstance *inst)
{
	if (!has_privs_of_role(GetUserId(), inst->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("instance \"%s\" belongs to another role",
						inst->instance_id),
				 errhint("Use another id, or become a member of the role that started it.")));
}

void
ds_access_check_has_owner(const DsInstance *inst)
{
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(inst->owner)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the role that owns instance \"%s\" no longer exists",
						inst->instance_id),
				 errhint("Remove the instance with df_purge(). Then a role that exists can start the function again, and will own the new instance.")));
}

void
ds_access_check_not_own_step(const DsInstance *inst)
{
	if (ds_claim_is_own_step(&inst->execution_id))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("instance \"%s\" cannot be ended by its own step",
						inst->instance_id),
				 errhint("Let the orchestrator return, or raise an error in it.")));
}

void
ds_access_check_not_waiting_for_itself(const DsInstance *inst)
{
	if (ds_claim_is_own_step(&inst->execution_id))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("a step of instance \"%s\" cannot wait for its end",
						inst->instance_id),
				 errhint("The instance ends after its last step.")));
}

void
ds_access_no_instance_error(const char *instance_id)
{
	ereport(ERROR,
			(errcode(DS_ERRCODE_NO_INSTANCE),
			 errmsg("no instance with ID \"%s\" exists", instance_id),
			 errhint("Start it with df_start_singleton or df_start_new.")));
}

void
ds_access_ended_error(const DsInstance *inst)
{
	ereport(ERROR,
			(errcode(DS_ERRCODE_ENDED),
			 errmsg("instance \"%s\" has ended", inst->instance_id),
			 errdetail("Its status is %s.", ds_status_name(inst->status)),
			 errhint("Start it again with df_start_singleton.")));
}

bool
ds_access_is_exposed(const char *schema, const char *name)
{
	char	   *given_schema;
	char	   *bare;

	ds_function_name_parts(name, &given_schema, &bare);
	return ds_store_is_exposed(schema, bare);
}

/* durable_singleton.access_level(owner) */
PGDLLEXPORT Datum
ds_access_level(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(ds_access_of(PG_GETARG_OID(0)));
}

/*
 * durable_singleton.refuse_strangers(), called before each statement that
 * changes one of the extension's tables.  A row makes code run as the owner
 * that it names, so the right to write the tables would be the right to act as
 * any role.
 */
PGDLLEXPORT Datum
ds_refuse_strangers(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a trigger",
						"refuse_strangers")));
	if (!has_privs_of_role(GetUserId(),
						   trigger->tg_relation->rd_rel->relowner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("table \"%s\" of extension \"%s\" cannot be changed directly",
						RelationGetRelationName(trigger->tg_relation),
						"durable_singleton"),
				 errhint("Use the functions of the extension.")));
	PG_RETURN_POINTER(NULL);
}
