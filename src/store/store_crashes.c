/*-------------------------------------------------------------------------
 *
 * store_crashes.c
 *	  Reading and writing the extension's tables: crashes in a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/store_parts.h"

int
ds_store_count_crash(const char *instance_id, const pg_uuid_t *execution_id,
					 int seq, int progress, TimestampTz crash_time)
{
	DsSession	s;
	DsParameters p = {0};
	int			crashes;

	ds_open_session(&s);
	ds_execute(DS_SQL_FORGET_CRASHES, &p);
	ds_add_text(&p, instance_id);
	ds_add_uuid(&p, execution_id);
	ds_add_int(&p, seq);
	ds_add_int(&p, progress);
	ds_add_time(&p, crash_time);
	ds_execute_bounded(DS_SQL_COUNT_CRASH, &p, true);
	crashes = ds_column_int(0, 1);
	ds_close_session(&s);
	return crashes;
}
