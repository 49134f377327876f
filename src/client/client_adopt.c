/*-------------------------------------------------------------------------
 *
 * client_adopt.c
 *	  Lets a restored or copied database run its instances: df_adopt_database.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "commit/commit_hints.h"
#include "instance/home.h"
#include "shmem/shared.h"
#include "store/catalog.h"

PG_FUNCTION_INFO_V1(ds_adopt_database);

/* df_adopt_database() */
PGDLLEXPORT Datum
ds_adopt_database(PG_FUNCTION_ARGS)
{
	ds_shared_require();
	PreventCommandIfReadOnly("df_adopt_database()");
	if (!has_privs_of_role(GetUserId(), ds_catalog(false)->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of extension durable_singleton to adopt the database")));
	ds_home_adopt();
	ds_commit_hint_visit(MyDatabaseId);
	PG_RETURN_VOID();
}
