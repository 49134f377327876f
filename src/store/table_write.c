/*-------------------------------------------------------------------------
 *
 * table_write.c
 *	  Writes rows by primary key, without a statement.
 *
 * The set-up that an INSERT or UPDATE needs for each statement is kept from
 * one write to the next: the form of a row, the indexes, and their predicates,
 * prepared for evaluation.  Locks are taken for each write.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "store/table_parts.h"

/* What an update says about the indexes; 0: no index needs a new entry. */
/* The set-up that is kept for a table. */
typedef struct Kept
{
	MemoryContext cxt;			/* of the following fields */
	bool		valid;
	/* in use by this transaction, or left in use by an error in it */
	LocalTransactionId user;
	Oid			table;
	TupleTableSlot *slot;		/* for a new row */
	int			n_indexes;
	Oid		   *indexes;
	EState	   *estate;
	ResultRelInfo *result;		/* NULL: no index was needed yet */
	bool		key_is_the_only_constraint;
	int			obeyed;			/* see ds_table_obeyed_commands() */
	bool		may_change[2];	/* update, delete: no publication forbids it */
} Kept;

/* A table opened for a write. */
typedef struct Writer
{
	DsTable		number;
	int			n_columns;		/* known to the code */
	Relation	table;
	Kept	   *kept;
	bool		pushed_snapshot;
	bool		indexes_open;
	bool		deletes;
} Writer;

/* See ds_table_follow_latest(). */
static bool follow_latest = false;

static Kept all_kept[DS_NUM_TABLES];

static void begin_write(Writer *w, DsTable table);
static Kept *get_kept(DsTable table, Relation rel);
static void forget_kept(Datum arg, Oid relid);
static void open_indexes(Writer *w);
static void close_indexes(Writer *w);
static void put_index_entries(Writer *w, bool update, bool *taken,
							  bool only_summarizing);
static void put_entries_of_same_key(Writer *w);
static void end_write(Writer *w);
static bool write_row(Writer *w, DsKey key, ItemPointer tid,
					  bool limit_lock_wait,
					  DsChange change, void *arg);
static void fill_slot(Writer *w, const DsParameters *p);
static bool is_obeyed(const Writer *w, CmdType command);
static bool try_insert(Writer *w, const DsParameters *p, ItemPointer tid);
static bool insert_if_absent(Writer *w);
static bool key_exists(Writer *w, DsKey key);
static bool change_row(Writer *w, DsKey key, ItemPointer tid,
					   bool at_place, DsChange change, void *arg);
static TM_Result change_version(Writer *w, const DsScan *scan,
								const DsParameters *p, ItemPointer tid);
static TM_Result change_by_statement(Writer *w, const DsScan *scan,
									 const DsParameters *p, ItemPointer tid);
static void load_row(DsParameters *p, const Writer *w, TupleTableSlot *slot);

void
ds_table_row_begin(DsParameters *p, DsTable table)
{
	StaticAssertStmt(INSTANCE_END <= DS_MAX_PARAMETERS, "too many columns");
	p->n = ds_table_n_columns(table);
	memset(p->values, 0, p->n * sizeof(Datum));
	memset(p->nulls, 'n', p->n);
}

void
ds_table_follow_latest(bool follow)
{
	follow_latest = follow;
}

void
ds_table_insert(DsTable table, const DsParameters *p)
{
	Writer		w = {0};
	ItemPointerData tid;

	begin_write(&w, table);
	if (!is_obeyed(&w, CMD_INSERT))
	{
		fill_slot(&w, p);
		open_indexes(&w);
		table_tuple_insert(w.table, w.kept->slot, GetCurrentCommandId(true), 0,
						   NULL);
		put_index_entries(&w, false, NULL, false);
	}
	else if (!ds_table_statement_insert(table, w.table, p, &tid))
		ds_table_refuse_loss(w.table);
	end_write(&w);
}

bool
ds_table_insert_if_absent(DsTable table, DsKey key, const DsParameters *p,
						  bool limit_lock_wait, ItemPointer tid)
{
	Writer		w = {0};
	DsLockWait	bound;
	volatile bool done = false;

	ds_query_limit_lock_wait(&bound, limit_lock_wait);
	PG_TRY();
	{
		begin_write(&w, table);
		done = try_insert(&w, p, tid);
		if (!done && !key_exists(&w, key))
		{
			/* the row with this key may just have been removed */
			done = try_insert(&w, p, tid);
			if (!done && !key_exists(&w, key))
				ds_table_refuse_loss(w.table);
		}
		end_write(&w);
	}
	PG_FINALLY();
	{
		ds_query_restore_lock_wait(&bound);
	}
	PG_END_TRY();
	return done;
}

bool
ds_table_update(DsTable table, DsKey key, ItemPointer tid,
				bool limit_lock_wait,
				DsChange change, void *arg)
{
	Writer		w = {.number = table};

	return write_row(&w, key, tid, limit_lock_wait, change, arg);
}

bool
ds_table_delete(DsTable table, DsKey key, bool limit_lock_wait,
				DsChange change,
				void *arg)
{
	Writer		w = {.number = table,.deletes = true};
	ItemPointerData nowhere;

	ItemPointerSetInvalid(&nowhere);
	return write_row(&w, key, &nowhere, limit_lock_wait, change, arg);
}

static bool
write_row(Writer *w, DsKey key, ItemPointer tid, bool limit_lock_wait,
		  DsChange change, void *arg)
{
	DsLockWait	bound;
	volatile bool done = false;

	ds_query_limit_lock_wait(&bound, limit_lock_wait);
	PG_TRY();
	{
		begin_write(w, w->number);
		done = (ItemPointerIsValid(tid) &&
				change_row(w, key, tid, true, change, arg)) ||
			change_row(w, key, tid, false, change, arg);
		end_write(w);
	}
	PG_FINALLY();
	{
		ds_query_restore_lock_wait(&bound);
	}
	PG_END_TRY();
	return done;
}

static void
begin_write(Writer *w, DsTable table)
{
	w->number = table;
	w->n_columns = ds_table_n_columns(table);
	w->table = ds_table_open(table, RowExclusiveLock);
	w->kept = get_kept(table, w->table);
	w->indexes_open = false;
	/* storing large values needs an active snapshot */
	w->pushed_snapshot = !ActiveSnapshotSet();
	if (w->pushed_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
}

/*
 * The lock on the table ensures that earlier changes are known.  An index may
 * have an expression that writes to the same table; this write, and those
 * after an error in the same transaction, get their own set-up.
 */
static Kept *
get_kept(DsTable table, Relation rel)
{
	static bool registered = false;
	Kept	   *kept = &all_kept[table];
	MemoryContext parent = CacheMemoryContext;
	MemoryContext old;

	if (!registered)
		CacheRegisterRelcacheCallback(forget_kept, (Datum) 0);
	registered = true;

	if (kept->user == ds_compat_lxid(MyProc))
	{
		kept = palloc0(sizeof(Kept));
		parent = CurrentMemoryContext;
	}
	kept->user = ds_compat_lxid(MyProc);
	if (kept->valid)
		return kept;

	if (kept->cxt != NULL)
		MemoryContextDelete(kept->cxt);
	memset(kept, 0, sizeof(Kept));
	kept->cxt = AllocSetContextCreate(parent, "durable_singleton table",
									  ALLOCSET_SMALL_SIZES);
	kept->user = ds_compat_lxid(MyProc);
	kept->table = RelationGetRelid(rel);
	kept->obeyed = ds_table_obeyed_commands(table, rel);
	/* changes during the set-up invalidate it again */
	kept->valid = true;
	old = MemoryContextSwitchTo(kept->cxt);
	kept->slot =
		MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(rel)),
								 &TTSOpsVirtual);
	MemoryContextSwitchTo(old);
	return kept;
}

/* The table or one of its indexes has changed. */
static void
forget_kept(Datum arg, Oid relid)
{
	for (int t = 0; t < DS_NUM_TABLES; t++)
	{
		Kept	   *kept = &all_kept[t];

		if (relid == InvalidOid || relid == kept->table)
			kept->valid = false;
		for (int i = 0; i < kept->n_indexes; i++)
		{
			if (relid == kept->indexes[i])
				kept->valid = false;
		}
	}
}

/*
 * Indexes stay locked until the end of the transaction, as the table does:
 * locking them again for the next row is then very cheap.
 */
static void
open_indexes(Writer *w)
{
	Kept	   *kept = w->kept;

	if (kept->result != NULL)
	{
		kept->result->ri_RelationDesc = w->table;
		for (int i = 0; i < kept->n_indexes; i++)
			kept->result->ri_IndexRelationDescs[i] =
				index_open(kept->indexes[i], RowExclusiveLock);
	}
	else
	{
		MemoryContext old = MemoryContextSwitchTo(kept->cxt);
		ResultRelInfo *result = makeNode(ResultRelInfo);

		kept->estate = CreateExecutorState();
		InitResultRelInfo(result, w->table, 0, NULL, 0);
		/* for all writes, including speculative ones */
		ExecOpenIndices(result, true);
		kept->indexes = palloc(result->ri_NumIndices * sizeof(Oid));
		for (int i = 0; i < result->ri_NumIndices; i++)
			kept->indexes[i] =
				RelationGetRelid(result->ri_IndexRelationDescs[i]);
		kept->n_indexes = result->ri_NumIndices;
		kept->key_is_the_only_constraint = true;
		for (int i = 0; i < result->ri_NumIndices; i++)
		{
			const IndexInfo *info = result->ri_IndexRelationInfo[i];

			if (info->ii_ExclusionOps != NULL ||
				(info->ii_Unique &&
				 !result->ri_IndexRelationDescs[i]->rd_index->indisprimary))
				kept->key_is_the_only_constraint = false;
		}
		kept->result = result;
		MemoryContextSwitchTo(old);
	}
	w->indexes_open = true;
}

static void
close_indexes(Writer *w)
{
	ResultRelInfo *result = w->kept->result;

	for (int i = 0; i < result->ri_NumIndices; i++)
	{
		Relation	index = result->ri_IndexRelationDescs[i];

		ds_compat_index_insert_cleanup(index, result->ri_IndexRelationInfo[i]);
		index_close(index, NoLock);
	}
}

/* taken: set to true if a unique key exists already; NULL: that is an error */
static void
put_index_entries(Writer *w, bool update, bool *taken, bool only_summarizing)
{
	Kept	   *kept = w->kept;

	ds_compat_ExecInsertIndexTuples(kept->result, kept->slot, kept->estate,
									update, taken != NULL, taken,
									only_summarizing);
	ResetPerTupleExprContext(kept->estate);
}

/*
 * Like ExecInsertIndexTuples(), for a new version of a row with an unchanged
 * key. This is as unique as before: a concurrent inserter of the same key
 * finds the entry of the old version, and waits for the end of this
 * transaction. PostgreSQL's executor checks the key anyway, which visits each
 * dead version that is still in the index: while an old snapshot is held,
 * these are all.
 */
static void
put_entries_of_same_key(Writer *w)
{
	Kept	   *kept = w->kept;
	ResultRelInfo *result = kept->result;
	ExprContext *econtext = GetPerTupleExprContext(kept->estate);

	econtext->ecxt_scantuple = kept->slot;
	for (int i = 0; i < result->ri_NumIndices; i++)
	{
		IndexInfo  *info = result->ri_IndexRelationInfo[i];
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS];

		if (!info->ii_ReadyForInserts)
			continue;
		if (info->ii_Predicate != NIL)
		{
			if (info->ii_PredicateState == NULL)
				info->ii_PredicateState = ExecPrepareQual(info->ii_Predicate,
														  kept->estate);
			if (!ExecQual(info->ii_PredicateState, econtext))
				continue;
		}
		FormIndexDatum(info, kept->slot, kept->estate, values, nulls);
		index_insert(result->ri_IndexRelationDescs[i], values, nulls,
					 &kept->slot->tts_tid, w->table, UNIQUE_CHECK_NO, true,
					 info);
	}
	ResetPerTupleExprContext(kept->estate);
}

static void
end_write(Writer *w)
{
	Kept	   *kept = w->kept;

	if (w->indexes_open)
		close_indexes(w);
	ExecClearTuple(kept->slot);
	kept->user = InvalidLocalTransactionId;
	if (kept != &all_kept[w->number])
	{
		MemoryContextDelete(kept->cxt);
		pfree(kept);
	}
	if (w->pushed_snapshot)
		PopActiveSnapshot();
	table_close(w->table, NoLock);
	/* makes the row visible to the rest of the transaction */
	CommandCounterIncrement();
}

static void
fill_slot(Writer *w, const DsParameters *p)
{
	TupleTableSlot *slot = w->kept->slot;

	ExecClearTuple(slot);
	for (int i = 0; i < w->n_columns; i++)
	{
		slot->tts_values[i] = p->values[i];
		slot->tts_isnull[i] = p->nulls[i] == 'n';
	}
	/* dropped columns */
	for (int i = w->n_columns; i < slot->tts_tupleDescriptor->natts; i++)
		slot->tts_isnull[i] = true;
	ExecStoreVirtualTuple(slot);
}

/* Does the table have additions that only a statement obeys? */
static bool
is_obeyed(const Writer *w, CmdType command)
{
	return (w->kept->obeyed & DS_COMMAND(command)) != 0;
}

static bool
try_insert(Writer *w, const DsParameters *p, ItemPointer tid)
{
	bool		done;

	if (is_obeyed(w, CMD_INSERT))
		return ds_table_statement_insert(w->number, w->table, p, tid);
	fill_slot(w, p);
	if (!w->indexes_open)
		open_indexes(w);
	done = insert_if_absent(w);
	*tid = w->kept->slot->tts_tid;
	return done;
}

/*
 * Like INSERT ... ON CONFLICT DO NOTHING, but without the first check for a
 * conflict, which the caller has just made.  Any unique index counts: during
 * REINDEX CONCURRENTLY there are two for the primary key.
 */
static bool
insert_if_absent(Writer *w)
{
	ItemPointerData conflict;
	ItemPointerData none;

	ItemPointerSetInvalid(&none);
	for (;;)
	{
		uint32		token =
		SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
		bool		taken = false;

		table_tuple_insert_speculative(w->table, w->kept->slot,
									   GetCurrentCommandId(true), 0, NULL,
									   token);
		put_index_entries(w, false, &taken, false);
		table_tuple_complete_speculative(w->table, w->kept->slot, token,
										 !taken);
		SpeculativeInsertionLockRelease(GetCurrentTransactionId());
		if (!taken)
			return true;

		CHECK_FOR_INTERRUPTS();
		/* waits for the other transaction if it has not ended yet */
		if (!ds_compat_ExecCheckIndexConstraints(w->kept->result,
												 w->kept->slot,
												 w->kept->estate, &conflict,
												 &none))
			return false;
	}
}

/*
 * The insert has found a conflict: is it a row with this key, or with that of
 * an added unique index?  Without such an index it is the key, although the
 * row may be gone by now.
 */
static bool
key_exists(Writer *w, DsKey key)
{
	DsScan		scan;
	bool		found;

	if (!is_obeyed(w, CMD_INSERT) && w->kept->key_is_the_only_constraint)
		return true;
	ds_table_scan_begin_rel(&scan, w->number, w->table, key,
							GetLatestSnapshot());
	found = ds_table_scan_next(&scan);
	ds_table_scan_end_rel(&scan);
	return found;
}

/*
 * at_place: only if the row is still at its last TID, which saves the index
 * lookup.  Another row may be there by now: "change" notices this.
 */
static bool
change_row(Writer *w, DsKey key, ItemPointer tid, bool at_place,
		   DsChange change, void *arg)
{
	for (;;)
	{
		DsScan		scan;
		DsParameters p;
		TM_Result	result = TM_Deleted;
		bool		changed;

		if (at_place)
			changed = ds_table_fetch_tid(&scan, w->table, tid, true);
		else
		{
			ds_table_scan_begin_rel(&scan, w->number, w->table, key,
									GetLatestSnapshot());
			changed = ds_table_scan_next(&scan);
		}
		if (changed && change != NULL)
		{
			load_row(&p, w, scan.slot);
			changed = change(&p, arg);
		}
		if (changed)
			result = change_version(w, &scan, &p, tid);
		ds_table_scan_end_rel(&scan);
		if (!changed || result == TM_Ok)
			return changed;
		/* another process was faster, and has committed */
		if (result != TM_Updated && result != TM_Deleted)
			elog(ERROR, "unexpected result %d of a change", result);
		if (IsolationUsesXactSnapshot() && !follow_latest)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to concurrent update")));
		CHECK_FOR_INTERRUPTS();
	}
}

/* Waits for a concurrent change of the current row of the scan. */
static TM_Result
change_version(Writer *w, const DsScan *scan, const DsParameters *p,
			   ItemPointer tid)
{
	CmdType		command = w->deletes ? CMD_DELETE : CMD_UPDATE;
	TM_FailureData failure;
	LockTupleMode mode;
	DS_COMPAT_UPDATE_INDEXES indexes;
	TM_Result	result;

	/* a publication may need the key of the row, or columns in it */
	if (!w->kept->may_change[w->deletes])
		CheckCmdReplicaIdentity(w->table, command);
	w->kept->may_change[w->deletes] = true;
	if (is_obeyed(w, command))
		return change_by_statement(w, scan, p, tid);
	if (w->deletes)
		return table_tuple_delete(w->table, &scan->slot->tts_tid,
								  GetCurrentCommandId(true), scan->snapshot,
								  InvalidSnapshot, true, &failure, false);
	fill_slot(w, p);
	result = table_tuple_update(w->table, &scan->slot->tts_tid, w->kept->slot,
								GetCurrentCommandId(true), scan->snapshot,
								InvalidSnapshot, true, &failure, &mode,
								&indexes);
	/* most updates change no indexed column, and stay on their page */
	if (result == TM_Ok && indexes)
	{
		open_indexes(w);
		if (w->kept->key_is_the_only_constraint &&
			!ds_compat_only_summarizing(indexes))
			put_entries_of_same_key(w);
		else
			put_index_entries(w, true, NULL,
							  ds_compat_only_summarizing(indexes));
	}
	if (result == TM_Ok)
		*tid = w->kept->slot->tts_tid;
	return result;
}

/*
 * Locks the row first, so that the statement finds the row as "change" saw it.
 */
static TM_Result
change_by_statement(Writer *w, const DsScan *scan, const DsParameters *p,
					ItemPointer tid)
{
	TupleTableSlot *locked = table_slot_create(w->table, NULL);
	ItemPointerData at = scan->slot->tts_tid;
	TM_FailureData failure;
	TM_Result	result;

	result = table_tuple_lock(w->table, &at, scan->snapshot, locked,
							  GetCurrentCommandId(true),
							  w->deletes ? LockTupleExclusive :
							  LockTupleNoKeyExclusive,
							  LockWaitBlock, 0, &failure);
	ExecDropSingleTupleTableSlot(locked);
	if (result == TM_Ok && w->deletes)
		ds_table_statement_delete(w->number, w->table, &at);
	else if (result == TM_Ok)
		ds_table_statement_update(w->number, w->table, &at, p, tid);
	return result;
}

static void
load_row(DsParameters *p, const Writer *w, TupleTableSlot *slot)
{
	p->n = w->n_columns;
	for (int i = 0; i < p->n; i++)
	{
		p->values[i] = slot->tts_values[i];
		p->nulls[i] = slot->tts_isnull[i] ? 'n' : ' ';
	}
}
