/*-------------------------------------------------------------------------
 *
 * table.c
 *	  Reading and writing rows by primary key, without a statement.
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
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "table.h"

#define COLUMN_NAME(name)	#name,

/* What an update says about the indexes; 0: no index has to know. */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes UpdateIndexes;
#define ONLY_SUMMARIZING(indexes)	((indexes) == TU_Summarizing)
#else
typedef bool UpdateIndexes;
#define ONLY_SUMMARIZING(indexes)	false
#endif

/* What the code expects of a table. */
typedef struct TableForm
{
	RegProcedure key_equal;		/* for the first column of the primary key */
	int			n_columns;
	const char *const *names;
} TableForm;

static const char *const instance_names[] = {
	DS_INSTANCE_COLUMNS(COLUMN_NAME)
};
static const char *const history_names[] = {
	DS_HISTORY_COLUMNS(COLUMN_NAME)
};

static const char *const inbox_names[] = {
	DS_INBOX_COLUMNS(COLUMN_NAME)
};
static const char *const execution_names[] = {
	DS_EXECUTION_COLUMNS(COLUMN_NAME)
};

static const TableForm forms[DS_NUM_TABLES] = {
	[DS_INSTANCE] = {F_TEXTEQ, lengthof(instance_names), instance_names},
	[DS_HISTORY] = {F_UUID_EQ, lengthof(history_names), history_names},
	[DS_INBOX] = {F_UUID_EQ, lengthof(inbox_names), inbox_names},
	[DS_EXECUTION] = {F_TEXTEQ, lengthof(execution_names), execution_names},
};

/* A table opened for a write. */
typedef struct Writer
{
	Relation	table;
	bool		pushed_snapshot;
	TupleTableSlot *slot;		/* the new row */
	EState	   *estate;			/* these two when the indexes are open */
	ResultRelInfo *result;
} Writer;

static Relation open_table(DsTable table, LOCKMODE mode);
static void check_form(DsTable table, TupleDesc desc);
static Oid	key_index(Relation rel);
static void begin_scan(DsScan *scan, DsTable table, Relation rel, Datum key);
static void prune_page(Relation rel, BlockNumber block);
static bool fetch_at(DsScan *scan, Relation rel, ItemPointer place,
					 bool make_room);
static void end_scan(DsScan *scan);
static void begin_write(Writer *w, DsTable table);
static void open_indexes(Writer *w, bool speculative);
static void put_index_entries(Writer *w, bool update, bool *taken,
							  bool only_summarizing);
static void end_write(Writer *w);
static void fill_slot(Writer *w, const DsParameters *p);
static bool insert_if_absent(Writer *w);
static bool update_row(Writer *w, DsTable table, Datum key, ItemPointer place,
					   bool at_place, DsChange change, void *arg);
static void load_row(DsParameters *p, TupleTableSlot *slot);

/* --- reading --- */

void
ds_scan_begin(DsScan *scan, DsTable table, Datum key)
{
	begin_scan(scan, table, open_table(table, AccessShareLock), key);
}

bool
ds_scan_next(DsScan *scan)
{
	bool		found;

	CHECK_FOR_INTERRUPTS();
	found = index_getnext_slot(scan->scan, ForwardScanDirection, scan->slot);
	if (found)
		slot_getallattrs(scan->slot);
	ds_read_slot(found ? scan->slot : NULL);
	return found;
}

void
ds_scan_end(DsScan *scan)
{
	end_scan(scan);
	table_close(scan->table, AccessShareLock);
}

bool
ds_scan_begin_at(DsScan *scan, DsTable table, ItemPointer place)
{
	return fetch_at(scan, open_table(table, AccessShareLock), place, false);
}

TransactionId
ds_scan_xmin(const DsScan *scan)
{
	bool		isnull;

	return DatumGetTransactionId(slot_getsysattr(scan->slot,
												 MinTransactionIdAttributeNumber,
												 &isnull));
}

ItemPointerData
ds_scan_place(const DsScan *scan)
{
	return scan->slot->tts_tid;
}

static Relation
open_table(DsTable table, LOCKMODE mode)
{
	static uint64 checked[DS_NUM_TABLES];
	const DsCatalog *catalog = ds_catalog(false);
	Relation	rel = try_relation_open(catalog->table[table], mode);

	/* we have waited for a DROP EXTENSION: says so, or finds the new one */
	if (rel == NULL)
	{
		catalog = ds_catalog(false);
		rel = table_open(catalog->table[table], mode);
	}
	if (checked[table] != catalog->generation ||
		RelationGetNumberOfAttributes(rel) != forms[table].n_columns)
	{
		check_form(table, RelationGetDescr(rel));
		checked[table] = catalog->generation;
	}
	return rel;
}

/* A library of another version than the tables must not touch them. */
static void
check_form(DsTable table, TupleDesc desc)
{
	const TableForm *form = &forms[table];
	bool		same = desc->natts == form->n_columns;

	for (int i = 0; same && i < desc->natts; i++)
		same = strcmp(NameStr(TupleDescAttr(desc, i)->attname),
					  form->names[i]) == 0;
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the tables of extension \"%s\" are of another version than its library",
						"durable_singleton"),
				 errhint("Run ALTER EXTENSION %s UPDATE, or restart the server if the library was just replaced.",
						 "durable_singleton")));
}

/* Asked for each time: REINDEX CONCURRENTLY makes another one of it. */
static Oid
key_index(Relation rel)
{
#if PG_VERSION_NUM >= 180000
	Oid			index = RelationGetPrimaryKeyIndex(rel, false);
#else
	Oid			index = RelationGetPrimaryKeyIndex(rel);
#endif

	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" of extension \"%s\" has no primary key",
						RelationGetRelationName(rel), "durable_singleton"),
				 errhint("Create it again as the extension's script does.")));
	return index;
}

static void
begin_scan(DsScan *scan, DsTable table, Relation rel, Datum key)
{
	ScanKeyData scan_key;

	scan->table = rel;
	scan->session.caller = CurrentMemoryContext;
	scan->index = index_open(key_index(rel), AccessShareLock);
	scan->snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan->slot = table_slot_create(rel, NULL);
	ScanKeyInit(&scan_key, 1, BTEqualStrategyNumber, forms[table].key_equal,
				key);
	scan->scan = index_beginscan(rel, scan->index, scan->snapshot,
#if PG_VERSION_NUM >= 180000
								 NULL,
#endif
								 1, 0);
	index_rescan(scan->scan, &scan_key, 1, NULL, 0);
}

/*
 * Who comes by the index removes dead versions from a page that is nearly full.
 * So must we, or soon there is no room for the next version on the same page,
 * and each update has to write entries into all indexes.
 */
static void
prune_page(Relation rel, BlockNumber block)
{
	Buffer		buffer;

	if (rel->rd_tableam != GetHeapamTableAmRoutine())
		return;
	buffer = ReadBuffer(rel, block);
	heap_page_prune_opt(rel, buffer);
	ReleaseBuffer(buffer);
}

/*
 * A scan of one row, which is found without the index or not at all.
 * make_room: on its page, for another version of it.
 */
static bool
fetch_at(DsScan *scan, Relation rel, ItemPointer place, bool make_room)
{
	bool		found;

	scan->table = rel;
	scan->index = NULL;
	scan->snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan->slot = table_slot_create(rel, NULL);
	/* the file may have been cut off since */
	found = ItemPointerGetBlockNumber(place) < RelationGetNumberOfBlocks(rel);
	if (found && make_room)
		prune_page(rel, ItemPointerGetBlockNumber(place));
	found = found &&
		table_tuple_fetch_row_version(rel, place, scan->snapshot, scan->slot);
	if (found)
	{
		slot_getallattrs(scan->slot);
		ds_read_slot(scan->slot);
	}
	return found;
}

static void
end_scan(DsScan *scan)
{
	ds_read_slot(NULL);
	if (scan->index != NULL)
		index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	UnregisterSnapshot(scan->snapshot);
	if (scan->index != NULL)
		index_close(scan->index, AccessShareLock);
}

bool
ds_table_has(DsTable table, Datum key)
{
	DsScan		scan;
	bool		found;

	ds_scan_begin(&scan, table, key);
	found = ds_scan_next(&scan);
	ds_scan_end(&scan);
	return found;
}

/* --- writing --- */

void
ds_row_begin(DsParameters *p, DsTable table)
{
	StaticAssertStmt(INSTANCE_END <= DS_MAX_PARAMETERS, "too many columns");
	p->n = forms[table].n_columns;
	memset(p->values, 0, p->n * sizeof(Datum));
	memset(p->nulls, 'n', p->n);
}

void
ds_table_insert(DsTable table, const DsParameters *p)
{
	Writer		w;

	begin_write(&w, table);
	fill_slot(&w, p);
	open_indexes(&w, false);
	table_tuple_insert(w.table, w.slot, GetCurrentCommandId(true), 0, NULL);
	put_index_entries(&w, false, NULL, false);
	end_write(&w);
}

bool
ds_table_insert_if_absent(DsTable table, const DsParameters *p, bool bounded)
{
	Writer		w;
	DsLockBound bound;
	volatile bool done = false;

	ds_bound_locks(&bound, bounded);
	PG_TRY();
	{
		begin_write(&w, table);
		fill_slot(&w, p);
		open_indexes(&w, true);
		done = insert_if_absent(&w);
		end_write(&w);
	}
	PG_FINALLY();
	{
		ds_unbound_locks(&bound);
	}
	PG_END_TRY();
	return done;
}

bool
ds_table_update(DsTable table, Datum key, ItemPointer place, bool bounded,
				DsChange change, void *arg)
{
	Writer		w;
	DsLockBound bound;
	volatile bool done = false;

	ds_bound_locks(&bound, bounded);
	PG_TRY();
	{
		begin_write(&w, table);
		done = (ItemPointerIsValid(place) &&
				update_row(&w, table, key, place, true, change, arg)) ||
			update_row(&w, table, key, place, false, change, arg);
		end_write(&w);
	}
	PG_FINALLY();
	{
		ds_unbound_locks(&bound);
	}
	PG_END_TRY();
	return done;
}

static void
begin_write(Writer *w, DsTable table)
{
	w->table = open_table(table, RowExclusiveLock);
	w->result = NULL;
	/* large values go to other tables under one */
	w->pushed_snapshot = !ActiveSnapshotSet();
	if (w->pushed_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	w->slot = MakeSingleTupleTableSlot(RelationGetDescr(w->table),
									   &TTSOpsVirtual);
}

static void
open_indexes(Writer *w, bool speculative)
{
	w->estate = CreateExecutorState();
	w->result = makeNode(ResultRelInfo);
	InitResultRelInfo(w->result, w->table, 0, NULL, 0);
	ExecOpenIndices(w->result, speculative);
}

/* taken: becomes true where a unique key is taken; NULL: that is an error */
static void
put_index_entries(Writer *w, bool update, bool *taken, bool only_summarizing)
{
	ExecInsertIndexTuples(w->result, w->slot, w->estate, update,
						  taken != NULL, taken, NIL
#if PG_VERSION_NUM >= 160000
						  ,only_summarizing
#endif
		);
}

static void
end_write(Writer *w)
{
	if (w->result != NULL)
	{
		ExecCloseIndices(w->result);
		FreeExecutorState(w->estate);
	}
	ExecDropSingleTupleTableSlot(w->slot);
	if (w->pushed_snapshot)
		PopActiveSnapshot();
	table_close(w->table, NoLock);
	/* what was written is there for whatever comes next in the transaction */
	CommandCounterIncrement();
}

static void
fill_slot(Writer *w, const DsParameters *p)
{
	TupleTableSlot *slot = w->slot;

	ExecClearTuple(slot);
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_values[i] = p->values[i];
		slot->tts_isnull[i] = p->nulls[i] == 'n';
	}
	ExecStoreVirtualTuple(slot);
}

/*
 * As INSERT ... ON CONFLICT DO NOTHING does it, only that nobody looks for a
 * conflict first: the caller just has.  Any unique index counts: while REINDEX
 * CONCURRENTLY runs there are two of the primary key.
 */
static bool
insert_if_absent(Writer *w)
{
	ItemPointerData conflict;
#if PG_VERSION_NUM >= 180000
	ItemPointerData none;

	ItemPointerSetInvalid(&none);
#endif

	for (;;)
	{
		uint32		token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
		bool		taken = false;

		table_tuple_insert_speculative(w->table, w->slot,
									   GetCurrentCommandId(true), 0, NULL,
									   token);
		put_index_entries(w, false, &taken, false);
		table_tuple_complete_speculative(w->table, w->slot, token, !taken);
		SpeculativeInsertionLockRelease(GetCurrentTransactionId());
		if (!taken)
			return true;

		CHECK_FOR_INTERRUPTS();
		/* waits for the other transaction if it has not ended yet */
		if (!ExecCheckIndexConstraints(w->result, w->slot, w->estate, &conflict,
#if PG_VERSION_NUM >= 180000
									   &none,
#endif
									   NIL))
			return false;
	}
}

/*
 * at_place: only if the row is still where it was last seen, which saves the
 * way through the index.  By now it may be another row there: "change" sees
 * that.
 */
static bool
update_row(Writer *w, DsTable table, Datum key, ItemPointer place,
		   bool at_place, DsChange change, void *arg)
{
	for (;;)
	{
		DsScan		scan;
		DsParameters p;
		TM_Result	result = TM_Deleted;
		bool		changed;

		if (at_place)
			changed = fetch_at(&scan, w->table, place, true);
		else
		{
			begin_scan(&scan, table, w->table, key);
			changed = ds_scan_next(&scan);
		}
		if (changed)
		{
			load_row(&p, scan.slot);
			changed = change(&p, arg);
		}
		if (changed)
		{
			TM_FailureData failure;
			LockTupleMode mode;
			UpdateIndexes indexes;

			fill_slot(w, &p);
			result = table_tuple_update(w->table, &scan.slot->tts_tid, w->slot,
										GetCurrentCommandId(true),
										scan.snapshot, InvalidSnapshot, true,
										&failure, &mode, &indexes);
			/* most updates touch no indexed column, and stay on their page */
			if (result == TM_Ok && indexes)
			{
				open_indexes(w, false);
				put_index_entries(w, true, NULL, ONLY_SUMMARIZING(indexes));
			}
		}
		end_scan(&scan);
		if (changed && result == TM_Ok)
			*place = w->slot->tts_tid;
		if (!changed || result == TM_Ok)
			return changed;
		/* somebody else was faster, and has committed by now */
		if (result != TM_Updated && result != TM_Deleted)
			elog(ERROR, "unexpected result %d of an update", result);
		if (IsolationUsesXactSnapshot())
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to concurrent update")));
		CHECK_FOR_INTERRUPTS();
	}
}

static void
load_row(DsParameters *p, TupleTableSlot *slot)
{
	p->n = slot->tts_tupleDescriptor->natts;
	for (int i = 0; i < p->n; i++)
	{
		p->values[i] = slot->tts_values[i];
		p->nulls[i] = slot->tts_isnull[i] ? 'n' : ' ';
	}
}
