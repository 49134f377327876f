/*-------------------------------------------------------------------------
 *
 * store_purge.c
 *	  Reads and writes the extension's tables: removes ended instances.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "store/query.h"
#include "store/store_parts.h"

bool
ds_store_purge(const DsInstance *inst, bool skip_locked)
{
	if (skip_locked &&
		(!ds_store_change_status(DS_SQL_LOCK_ENDED, inst, false) ||
		 ds_query_run_for(DS_SQL_LOCK_TASKS, &inst->execution_id, false) == 0))
		return false;
	if (!ds_store_change_status(DS_SQL_DELETE_INSTANCE, inst, false))
		return false;
	/* in this order: a task that ends meanwhile adds to the history */
	ds_store_delete_tasks(&inst->execution_id, false);
	ds_store_delete_history(&inst->execution_id);
	ds_store_delete_messages(&inst->run_id);
	ds_store_prune_archive(inst, 0);
	return true;
}

List *
ds_store_find_purgeable(TimestampTz created_from, TimestampTz created_to,
						int n_statuses, const DsStatus *statuses, Oid user,
						bool exposed_only, const char *after_id, int limit)
{
	DsParameters p = {0};

	ds_param_datum(&p, TimestampTzGetDatum(created_from), false);
	ds_param_datum(&p, TimestampTzGetDatum(created_to), false);
	ds_param_status_array(&p, n_statuses, statuses);
	ds_param_oid(&p, user);
	ds_param_text(&p, after_id);
	ds_param_int(&p, limit);
	ds_param_bool(&p, exposed_only);
	return ds_query_run_list(DS_SQL_FIND_PURGEABLE, &p);
}

List *
ds_store_find_expired(TimestampTz ended_before, const char *after_id,
					  int limit)
{
	DsParameters p = {0};

	ds_param_datum(&p, TimestampTzGetDatum(ended_before), false);
	ds_param_text(&p, after_id);
	ds_param_int(&p, limit);
	return ds_query_run_list(DS_SQL_FIND_EXPIRED, &p);
}

List *
ds_store_find_ended_children(const char *parent_id, Oid owner,
							 TimestampTz ended_before, const char *after_id,
							 int limit)
{
	DsParameters p = {0};

	ds_param_text(&p, parent_id);
	ds_param_oid(&p, owner);
	ds_param_text(&p, after_id);
	ds_param_datum(&p, TimestampTzGetDatum(ended_before), false);
	ds_param_int(&p, limit);
	return ds_query_run_list(DS_SQL_FIND_ENDED_CHILDREN, &p);
}
