/*-------------------------------------------------------------------------
 *
 * version.c
 *	  The version of the library and that of the extension in this database.
 *
 * They differ from a restart with a new library until ALTER EXTENSION UPDATE.
 * Meanwhile instances continue if the tables have the columns that the library
 * knows (table_read.c); otherwise they wait.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "store/catalog.h"
#include "store/version.h"

PG_FUNCTION_INFO_V1(ds_library_version);

static int	compare_versions(const char *a, const char *b);

const char *
ds_version_library(void)
{
	return DS_VERSION;
}

/* durable_singleton.library_version() */
PGDLLEXPORT Datum
ds_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(DS_VERSION));
}

/* Read each time, because an update of pg_extension invalidates no cache. */
void
ds_version_extension(char version[DS_MAX_VERSION])
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	version[0] = '\0';
	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(DS_EXTENSION_NAME));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		datum = heap_getattr(tuple, Anum_pg_extension_extversion,
										 RelationGetDescr(rel), &isnull);

		if (!isnull)
			strlcpy(version, TextDatumGetCString(datum), DS_MAX_VERSION);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

int
ds_version_errhint(const char *extension_version)
{
	if (compare_versions(extension_version, DS_VERSION) > 0)
		return errhint("Install the library of version %s and restart the server.",
					   extension_version);
	return errhint("Run ALTER EXTENSION %s UPDATE, or restart the server if the library was just replaced.",
				   DS_EXTENSION_NAME);
}

/* Compares number by number: 1.10 is later than 1.9. */
static int
compare_versions(const char *a, const char *b)
{
	while (*a != '\0' || *b != '\0')
	{
		char	   *a_end;
		char	   *b_end;
		unsigned long x = strtoul(a, &a_end, 10);
		unsigned long y = strtoul(b, &b_end, 10);

		if (x != y)
			return x < y ? -1 : 1;
		a = a_end;
		b = b_end;
		while (*a != '\0' && !isdigit((unsigned char) *a))
			a++;
		while (*b != '\0' && !isdigit((unsigned char) *b))
			b++;
	}
	return 0;
}
