/*-------------------------------------------------------------------------
 *
 * table_read.c
 *	  Reads rows by primary key, without a statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "store/table_parts.h"
#include "store/version.h"

#define COLUMN_NAME(name)	#name,

/* The form that the code expects of a table. */
typedef struct TableForm
{
	RegProcedure key_equal[DS_KEY_COLUMNS]; /* for the first columns of the
											 * primary key */
	int			n_columns;
	const char *const *names;
} TableForm;

static const char *const instance_names[] = {
	DS_INSTANCE_COLUMNS(COLUMN_NAME)
};
static const char *const history_names[] = {
	DS_HISTORY_COLUMNS(COLUMN_NAME)
};
static const char *const task_names[] = {
	DS_TASK_COLUMNS(COLUMN_NAME)
};
static const char *const inbox_names[] = {
	DS_INBOX_COLUMNS(COLUMN_NAME)
};
static const char *const execution_names[] = {
	DS_EXECUTION_COLUMNS(COLUMN_NAME)
};

static const TableForm forms[DS_NUM_TABLES] = {
	[DS_INSTANCE] = {{F_TEXTEQ}, lengthof(instance_names), instance_names},
	[DS_HISTORY] = {{F_UUID_EQ, F_INT4EQ}, lengthof(history_names), history_names},
	[DS_TASK] = {{F_UUID_EQ, F_INT4EQ}, lengthof(task_names), task_names},
	[DS_INBOX] = {{F_UUID_EQ, F_INT8EQ}, lengthof(inbox_names), inbox_names},
	[DS_EXECUTION] = {{F_TEXTEQ}, lengthof(execution_names), execution_names},
};

static bool has_form(TupleDesc desc, const TableForm *form);
pg_noreturn static void refuse_tables(void);
static Oid	key_index(Relation rel);
static void make_room_at(Relation rel, const ItemPointerData *at);

void
ds_table_scan_begin(DsScan *scan, DsTable table, DsKey key)
{
	ds_table_scan_begin_rel(scan, table, ds_table_open(table, AccessShareLock),
							key, GetLatestSnapshot());
}

void
ds_table_scan_begin_seen(DsScan *scan, DsTable table, DsKey key)
{
	ds_table_scan_begin_rel(scan, table, ds_table_open(table, AccessShareLock),
							key, GetTransactionSnapshot());
}

bool
ds_table_scan_next(DsScan *scan)
{
	bool		found;

	CHECK_FOR_INTERRUPTS();
	found = index_getnext_slot(scan->scan, scan->direction, scan->slot);
	if (found)
		slot_getallattrs(scan->slot);
	ds_column_read_slot(found ? scan->slot : NULL);
	return found;
}

void
ds_table_scan_end(DsScan *scan)
{
	ds_table_scan_end_rel(scan);
	table_close(scan->table, AccessShareLock);
}

bool
ds_table_scan_begin_tid(DsScan *scan, DsTable table, const ItemPointerData *at)
{
	return ds_table_fetch_tid(scan, ds_table_open(table, AccessShareLock), at,
							  false);
}

TransactionId
ds_table_scan_xmin(const DsScan *scan)
{
	bool		isnull;

	return DatumGetTransactionId(slot_getsysattr(scan->slot,
												 MinTransactionIdAttributeNumber,
												 &isnull));
}

ItemPointerData
ds_table_scan_tid(const DsScan *scan)
{
	return scan->slot->tts_tid;
}

int
ds_table_n_columns(DsTable table)
{
	return forms[table].n_columns;
}

Relation
ds_table_open(DsTable table, LOCKMODE mode)
{
	static uint64 checked[DS_NUM_TABLES];
	const DsCatalog *catalog = ds_catalog(false);
	Relation	rel;

	if (!OidIsValid(catalog->table[table]))
		refuse_tables();
	rel = try_relation_open(catalog->table[table], mode);

	/*
	 * after a wait for DROP EXTENSION: raises an error, or finds the new one
	 */
	if (rel == NULL)
	{
		catalog = ds_catalog(false);
		rel = table_open(catalog->table[table], mode);
	}
	if (checked[table] != catalog->generation ||
		RelationGetNumberOfAttributes(rel) != forms[table].n_columns)
	{
		if (!has_form(RelationGetDescr(rel), &forms[table]))
			refuse_tables();
		checked[table] = catalog->generation;
	}
	return rel;
}

bool
ds_table_all_fit(void)
{
	const DsCatalog *catalog = ds_catalog(false);

	for (int i = 0; i < DS_NUM_TABLES; i++)
	{
		Relation	rel;
		bool		fits;

		if (!OidIsValid(catalog->table[i]))
			return false;
		rel = table_open(catalog->table[i], AccessShareLock);
		fits = has_form(RelationGetDescr(rel), &forms[i]);
		table_close(rel, AccessShareLock);
		if (!fits)
			return false;
	}
	return true;
}

static bool
has_form(TupleDesc desc, const TableForm *form)
{
	bool		same = desc->natts == form->n_columns;

	for (int i = 0; same && i < desc->natts; i++)
		same = strcmp(NameStr(TupleDescAttr(desc, i)->attname),
					  form->names[i]) == 0;
	return same;
}

/* A library must not touch tables of another version. */
static void
refuse_tables(void)
{
	char		version[DS_MAX_VERSION];

	ds_version_extension(version);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("tables of extension \"%s\" do not match the version of its library",
					DS_EXTENSION_NAME),
			 errdetail("The extension has version %s in this database, the library has version %s.",
					   version, ds_version_library()),
			 ds_version_errhint(version)));
}

/* Looked up each time: REINDEX CONCURRENTLY replaces the index. */
static Oid
key_index(Relation rel)
{
	Oid			index = ds_compat_RelationGetPrimaryKeyIndex(rel);

	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" of extension \"%s\" has no primary key",
						RelationGetRelationName(rel), DS_EXTENSION_NAME),
				 errhint("Create it as in the extension's script.")));
	return index;
}

void
ds_table_scan_begin_rel(DsScan *scan, DsTable table, Relation rel, DsKey key,
						Snapshot snapshot)
{
	ScanKeyData scan_keys[DS_KEY_COLUMNS];

	scan->table = rel;
	scan->session.caller = CurrentMemoryContext;
	scan->index = index_open(key_index(rel), AccessShareLock);
	scan->snapshot = RegisterSnapshot(snapshot);
	scan->slot = table_slot_create(rel, NULL);

	/*
	 * For a complete key there is one row.  While an old snapshot is held,
	 * its dead versions stay in the index, in the order of their TIDs, and
	 * the newest one usually comes last.
	 */
	scan->direction =
		key.n == IndexRelationGetNumberOfKeyAttributes(scan->index) ?
		BackwardScanDirection : ForwardScanDirection;
	for (int i = 0; i < key.n; i++)
		ScanKeyInit(&scan_keys[i], i + 1, BTEqualStrategyNumber,
					forms[table].key_equal[i], key.values[i]);
	scan->scan = ds_compat_index_beginscan(rel, scan->index, scan->snapshot,
										   key.n);
	index_rescan(scan->scan, scan_keys, key.n, NULL, 0);
}

/*
 * A scan by index prunes a page that is nearly full.  This function must do
 * the same if the next version would not fit; otherwise it would go to another
 * page, and each update would write entries into all indexes.
 */
static void
make_room_at(Relation rel, const ItemPointerData *at)
{
	OffsetNumber offset = ItemPointerGetOffsetNumber(at);
	Size		needed = 0;
	Buffer		buffer;
	Page		page;

	if (rel->rd_tableam != GetHeapamTableAmRoutine())
		return;
	buffer = ReadBuffer(rel, ItemPointerGetBlockNumber(at));
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (offset <= PageGetMaxOffsetNumber(page))
		needed = ItemIdGetLength(PageGetItemId(page, offset)) * 3 / 2;
	if (PageGetHeapFreeSpace(page) >= needed)
		needed = 0;
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (needed > 0)
		heap_page_prune_opt(rel, buffer);
	ReleaseBuffer(buffer);
}

bool
ds_table_fetch_tid(DsScan *scan, Relation rel, const ItemPointerData *at,
				   bool make_room)
{
	ItemPointerData tid = *at;
	bool		found;

	scan->table = rel;
	scan->session.caller = CurrentMemoryContext;
	scan->index = NULL;
	scan->snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan->slot = table_slot_create(rel, NULL);

	/*
	 * the file may have been truncated since; not at the block last written
	 * to
	 */
	found = ItemPointerGetBlockNumber(at) == RelationGetTargetBlock(rel) ||
		ItemPointerGetBlockNumber(at) < RelationGetNumberOfBlocks(rel);
	if (found && make_room)
		make_room_at(rel, at);
	found = found &&
		table_tuple_fetch_row_version(rel, &tid, scan->snapshot, scan->slot);
	if (found)
	{
		slot_getallattrs(scan->slot);
		ds_column_read_slot(scan->slot);
	}
	return found;
}

void
ds_table_scan_end_rel(DsScan *scan)
{
	ds_column_read_slot(NULL);
	if (scan->index != NULL)
		index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	UnregisterSnapshot(scan->snapshot);
	if (scan->index != NULL)
		index_close(scan->index, AccessShareLock);
}

bool
ds_table_has(DsTable table, DsKey key)
{
	DsScan		scan;
	bool		found;

	ds_table_scan_begin(&scan, table, key);
	found = ds_table_scan_next(&scan);
	ds_table_scan_end(&scan);
	return found;
}
