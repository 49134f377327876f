/*-------------------------------------------------------------------------
 *
 * home.c
 *	  Is this database the home of its instances?
 *
 * A restored dump, a copy made by CREATE DATABASE ... TEMPLATE and a
 * subscriber contain instances that still run where they came from.  If they
 * ran here as well, everything would happen twice.  So the system identifier
 * and the database OID are dumped with the data, and every instance carries a
 * short stamp of them.  A promoted standby keeps both and continues.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "common/hashfn.h"
#include "miscadmin.h"

#include "instance/home.h"
#include "store/store.h"

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
	 * is being restored, CREATE EXTENSION has left one, too, and the
	 * instances may still be missing.
	 */
	if (!ds_store_has_one_home() || ds_store_any_foreign(ds_home_stamp()))
		return false;
	ds_home_adopt();
	return true;
}

void
ds_home_adopt(void)
{
	ds_store_move_home((int64) GetSystemIdentifier(), MyDatabaseId,
					   ds_home_stamp());
}
