/*-------------------------------------------------------------------------
 *
 * closed_databases.c
 *	  Databases that the extension's processes may not enter for a while.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"

#include "shmem/closed_databases.h"

/*
 * Databases that are being dropped or copied; more than this are not closed.
 */
#define MAX_CLOSED	32

typedef struct Closed
{
	Oid			database;		/* InvalidOid if free */
	pid_t		by;
} Closed;

static Closed *closed = NULL;

Size
ds_closed_databases_size(void)
{
	return MAX_CLOSED * sizeof(Closed);
}

void
ds_closed_databases_startup(void)
{
	bool		found;

	closed = ShmemInitStruct("durable_singleton closed databases",
							 ds_closed_databases_size(), &found);
	if (!found)
		memset(closed, 0, ds_closed_databases_size());
}

bool
ds_closed_databases_has(Oid database)
{
	for (int i = 0; i < MAX_CLOSED; i++)
	{
		if (closed[i].database == database)
			return true;
	}
	return false;
}

void
ds_closed_databases_add(Oid database)
{
	for (int i = 0; i < MAX_CLOSED; i++)
	{
		if (!OidIsValid(closed[i].database))
		{
			closed[i].database = database;
			closed[i].by = MyProcPid;
			break;
		}
	}
}

void
ds_closed_databases_remove(Oid database)
{
	for (int i = 0; i < MAX_CLOSED; i++)
	{
		if (closed[i].database == database && closed[i].by == MyProcPid)
		{
			closed[i].database = InvalidOid;
			break;
		}
	}
}
