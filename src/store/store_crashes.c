/*-------------------------------------------------------------------------
 *
 * store_crashes.c
 *	  Reads and writes the extension's tables: consecutive crashes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/query.h"
#include "store/store.h"


int
ds_store_count_crash(const char *instance_id, const pg_uuid_t *execution_id,
					 int seq, int progress, TimestampTz crash_time)
{
	DsSession	s;
	DsParameters p = {0};
	int			crashes;

	ds_query_open(&s);
	ds_query_execute(DS_SQL_FORGET_CRASHES, &p);
	ds_param_text(&p, instance_id);
	ds_param_uuid(&p, execution_id);
	ds_param_int(&p, seq);
	ds_param_int(&p, progress);
	ds_param_time(&p, crash_time);
	ds_query_execute_limited(DS_SQL_COUNT_CRASH, &p, true);
	crashes = ds_column_int(0, 1);
	ds_query_close(&s);
	return crashes;
}
