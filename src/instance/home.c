/*-------------------------------------------------------------------------
 *
 * home.c
 *	  Is this database the one that its instances belong to?
 *
 * A restored dump, a copy made by CREATE DATABASE ... TEMPLATE and a
 * subscriber hold instances that still run where they came from.  To run them
 * here, too, would do everything twice.  So the system identifier and the
 * database oid are dumped with the data, and every instance carries a short
 * stamp of them.  A promoted standby keeps both and goes on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "commit/at_commit.h"
#include "instance/home.h"
#include "shmem/shared.h"
#include "store/catalog.h"
#include "store/store.h"

PG_FUNCTION_INFO_V1(ds_adopt_database);

static void adopt(void);

int
ds_home_stamp(void)
{
	uint64		system = GetSystemIdentifier();

	return (int) hash_combine(hash_bytes((unsigned char *) &system,
										 sizeof(system)),
							  hash_bytes_uint32(MyDatabaseId));
}

bool
ds_home_is_here(void)
{
	return ds_store_is_home((int64) GetSystemIdentifier(), MyDatabaseId);
}

bool
ds_home_settle(void)
{
	if (ds_home_is_here())
		return true;

	/*
	 * A clone has the home of its original and no other.  In a database that
	 * is being restored, CREATE EXTENSION has left one, too: the instances
	 * may still be to come.
	 */
	if (!ds_store_has_one_home() || ds_store_any_foreign(ds_home_stamp()))
		return false;
	adopt();
	return true;
}

static void
adopt(void)
{
	ds_store_move_home((int64) GetSystemIdentifier(), MyDatabaseId,
					   ds_home_stamp());
}

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
	adopt();
	ds_at_commit_visit(MyDatabaseId);
	PG_RETURN_VOID();
}
