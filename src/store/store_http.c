/*-------------------------------------------------------------------------
 *
 * store_http.c
 *	  Reads and writes the extension's tables: the functions exposed over HTTP.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/query.h"
#include "store/store.h"

static DsParameters function_parameters(const char *schema, const char *bare);

bool
ds_store_is_exposed(const char *schema, const char *bare)
{
	DsParameters p = function_parameters(schema, bare);

	return ds_query_run(DS_SQL_IS_EXPOSED, &p, false) > 0;
}

bool
ds_store_expose(const char *schema, const char *bare)
{
	DsParameters p = function_parameters(schema, bare);

	return ds_query_run(DS_SQL_EXPOSE, &p, false) > 0;
}

bool
ds_store_hide(const char *schema, const char *bare)
{
	DsParameters p = function_parameters(schema, bare);

	return ds_query_run(DS_SQL_HIDE, &p, false) > 0;
}

int64
ds_store_count_exposed(const char *bare)
{
	DsSession	s;
	DsParameters p = {0};
	int64		n;

	ds_query_open(&s);
	ds_param_text(&p, bare);
	ds_query_execute(DS_SQL_COUNT_EXPOSED, &p);
	n = ds_column_int64(0, 1);
	ds_query_close(&s);
	return n;
}

static DsParameters
function_parameters(const char *schema, const char *bare)
{
	DsParameters p = {0};

	ds_param_text(&p, bare);
	ds_param_text(&p, schema);
	return p;
}
