/*-------------------------------------------------------------------------
 *
 * client_next_runs.c
 *	  df_next_runs: when a cron expression is due.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/cron.h"
#include "base/errors.h"

PG_FUNCTION_INFO_V1(ds_next_runs);

/* df_next_runs(cron, time_zone, n, after) */
PGDLLEXPORT Datum
ds_next_runs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	static const char *const names[] = {"cron", "time_zone", "n", "after"};
	char	   *text;
	DsCron		cron;
	pg_tz	   *zone;
	int32		n;
	TimestampTz at;

	for (int i = 0; i < lengthof(names); i++)
		ds_arg_require(fcinfo, i, names[i]);
	text = ds_arg_text(fcinfo, 0);
	cron = ds_cron_read(text);
	zone = ds_cron_zone(ds_arg_text(fcinfo, 1));
	n = PG_GETARG_INT32(2);
	at = PG_GETARG_TIMESTAMPTZ(3);
	if (n < 0)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("argument \"n\" cannot be negative")));

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < n; i++)
	{
		Datum		value;
		bool		null = false;

		CHECK_FOR_INTERRUPTS();
		at = ds_cron_next_run(&cron, text, zone, at, at);
		if (TIMESTAMP_IS_NOEND(at))
			break;
		value = TimestampTzGetDatum(at);
		tuplestore_putvalues(result->setResult, result->setDesc, &value,
							 &null);
	}
	return (Datum) 0;
}
