/*-------------------------------------------------------------------------
 *
 * http_exposed.c
 *	  The list of functions that may be started over HTTP.
 *
 * The list contains qualified names.  A name in a request is looked up like
 * that of any start; then the schema in which the function was found, and its
 * name, are compared with the list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/arguments.h"
#include "function/function_ref.h"
#include "shmem/shared.h"
#include "store/store.h"

PG_FUNCTION_INFO_V1(ds_expose_http);
PG_FUNCTION_INFO_V1(ds_hide_http);
PG_FUNCTION_INFO_V1(ds_bare_name);

/* df_expose_http(function_name): true if it was not on the list */
PGDLLEXPORT Datum
ds_expose_http(PG_FUNCTION_ARGS)
{
	char	   *name;
	char	   *schema;
	char	   *bare;

	ds_shared_require();
	name = ds_arg_function_name(fcinfo, 0);
	PreventCommandIfReadOnly("df_expose_http()");
	ds_function_name_parts(name, &schema, &bare);
	schema = ds_function_only_schema(name);

	PG_RETURN_BOOL(ds_store_expose(schema, bare));
}

/*
 * df_hide_http(function_name): true if it was on the list.  The function may
 * no longer exist, so an unqualified name refers to the entry of that name on
 * the list.
 */
PGDLLEXPORT Datum
ds_hide_http(PG_FUNCTION_ARGS)
{
	char	   *name;
	char	   *schema;
	char	   *bare;

	ds_shared_require();
	name = ds_arg_function_name(fcinfo, 0);
	PreventCommandIfReadOnly("df_hide_http()");
	ds_function_name_parts(name, &schema, &bare);

	if (schema == NULL && ds_store_count_exposed(bare) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
				 errmsg("functions %s in several schemas are exposed over HTTP",
						name),
				 errhint("Write schema.name.")));
	PG_RETURN_BOOL(ds_store_hide(schema, bare));
}

/* durable_singleton.http_bare_name(function_name): without its schema */
PGDLLEXPORT Datum
ds_bare_name(PG_FUNCTION_ARGS)
{
	char	   *schema;
	char	   *bare;

	ds_function_name_parts(text_to_cstring(PG_GETARG_TEXT_PP(0)), &schema,
						   &bare);
	PG_RETURN_TEXT_P(cstring_to_text(bare));
}
