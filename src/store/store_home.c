/*-------------------------------------------------------------------------
 *
 * store_home.c
 *	  Reads and writes the extension's tables: the home database.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/query.h"
#include "store/store.h"

bool
ds_store_any_foreign(int stamp)
{
	DsParameters p = {0};

	ds_param_int(&p, stamp);
	return ds_query_run(DS_SQL_ANY_FOREIGN, &p, false) > 0;
}

bool
ds_store_is_home(int64 system_identifier, Oid database)
{
	DsSession	s;
	DsParameters p = {0};
	bool		result = false;

	ds_query_open(&s);
	ds_param_int64(&p, system_identifier);
	ds_param_oid(&p, database);
	if (ds_query_execute(DS_SQL_LOAD_HOME, &p) > 0)
		result = ds_column_bool(0, 1);
	ds_query_close(&s);
	return result;
}

bool
ds_store_has_one_home(void)
{
	DsSession	s;
	DsParameters p = {0};
	bool		result;

	ds_query_open(&s);
	result = ds_query_execute(DS_SQL_COUNT_HOMES, &p) > 0 &&
		ds_column_int64(0, 1) == 1;
	ds_query_close(&s);
	return result;
}

void
ds_store_move_home(int64 system_identifier, Oid database, int stamp)
{
	DsSession	s;
	DsParameters none = {0};
	DsParameters home = {0};
	DsParameters instances = {0};
	DsParameters tasks = {0};

	ds_query_open(&s);
	ds_query_execute(DS_SQL_DELETE_HOME, &none);
	ds_param_int64(&home, system_identifier);
	ds_param_oid(&home, database);
	ds_query_execute(DS_SQL_INSERT_HOME, &home);
	ds_param_int(&instances, stamp);
	ds_query_execute(DS_SQL_MOVE_HOME, &instances);
	ds_param_int(&tasks, stamp);
	ds_query_execute(DS_SQL_MOVE_TASKS_HOME, &tasks);
	ds_query_execute(DS_SQL_MOVE_MESSAGE_IDS, &none);
	ds_query_close(&s);
}
