/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  Finds the extension's objects in this database.
 *
 * Tables are trusted only as members of the extension, which a superuser
 * created: a schema of the same name that another role created is ignored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "store/catalog.h"
#include "store/status.h"

#define TABLE_SCHEMA	"durable_singleton"

static const char *const table_names[DS_NUM_TABLES] = {
	"instance", "history", "task", "inbox", "execution"
};

static DsCatalog cache;
static bool cache_valid = false;
static Oid	cached_table = InvalidOid;

static bool load_catalog(void);
static Oid	extension_schema(Oid extension);
static void table_changed(Datum arg, Oid relid);

void
ds_catalog_init(void)
{
	CacheRegisterRelcacheCallback(table_changed, (Datum) 0);
}

const DsCatalog *
ds_catalog(bool missing_ok)
{
	if (!cache_valid && !load_catalog())
	{
		if (missing_ok)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"%s\" is not installed in this database",
						DS_EXTENSION_NAME),
				 errhint("Run CREATE EXTENSION %s.", DS_EXTENSION_NAME)));
	}
	return &cache;
}

DsStatus
ds_catalog_status(Oid value)
{
	const DsCatalog *catalog = ds_catalog(false);

	for (int i = 0; i < DS_NUM_STATUS; i++)
	{
		if (catalog->status_value[i] == value)
			return (DsStatus) i;
	}
	elog(ERROR, "unknown value %u of type df_runtime_status", value);
}

Oid
ds_catalog_status_oid(DsStatus status)
{
	return ds_catalog(false)->status_value[status];
}

static bool
load_catalog(void)
{
	Oid			extension = get_extension_oid(DS_EXTENSION_NAME, true);
	DsCatalog	fresh;
	Oid			namespace;
	Oid			table;
	HeapTuple	tuple;
	bool		complete = true;

	if (!OidIsValid(extension))
		return false;
	namespace = get_namespace_oid(TABLE_SCHEMA, true);
	table = OidIsValid(namespace) ?
		get_relname_relid(table_names[DS_INSTANCE], namespace) : InvalidOid;
	/* while CREATE EXTENSION runs, the extension exists before its tables */
	if (!OidIsValid(table) ||
		getExtensionOfObject(RelationRelationId, table) != extension)
		return false;

	memset(&fresh, 0, sizeof(fresh));
	fresh.extension = extension;
	fresh.schema = extension_schema(extension);
	fresh.status_type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
										CStringGetDatum("df_runtime_status"),
										ObjectIdGetDatum(fresh.schema));
	fresh.result_type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
										CStringGetDatum("df_status"),
										ObjectIdGetDatum(fresh.schema));
	if (!OidIsValid(fresh.status_type) || !OidIsValid(fresh.result_type))
		return false;
	for (int i = 0; i < DS_NUM_TABLES; i++)
	{
		fresh.table[i] = get_relname_relid(table_names[i], namespace);
		complete = complete && OidIsValid(fresh.table[i]);
	}
	fresh.status_array_type = get_array_type(fresh.status_type);
	for (int i = 0; i < DS_NUM_STATUS; i++)
	{
		fresh.status_value[i] =
			GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
							ObjectIdGetDatum(fresh.status_type),
							CStringGetDatum(ds_status_name(i)));
		if (!OidIsValid(fresh.status_value[i]))
			return false;
	}

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	if (!HeapTupleIsValid(tuple))
		return false;
	fresh.owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);

	/* vacuum invalidates the cache, too, without a change */
	fresh.generation = cache.generation;
	if (memcmp(&fresh, &cache, sizeof(fresh)) != 0)
	{
		fresh.generation++;
		cache = fresh;
	}
	cached_table = table;
	/* missing objects may be created by ALTER EXTENSION UPDATE */
	cache_valid = complete;
	return true;
}

static Oid
extension_schema(Oid extension)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(rel, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		result = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* DROP EXTENSION and ALTER TABLE ... OWNER invalidate the cache. */
static void
table_changed(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == cached_table)
		cache_valid = false;
}
