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
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "store/table_parts.h"

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
					ds_table_key_equal(table, i), key.values[i]);
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
