/*-------------------------------------------------------------------------
 *
 * http_exposed.c
 *	  Which functions may be started over HTTP.
 *
 * The list has qualified names.  A name that comes over HTTP is looked up
 * like that of any start; what is compared with the list is the schema that
 * the function was found in, and its name.
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
 * df_hide_http(function_name): true if it was on the list.  The function need
 * not exist any more, so a bare name means what the list has of that name.
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
				 errmsg("functions %s of several schemas are exposed over HTTP",
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
