/*-------------------------------------------------------------------------
 *
 * table_writer.c
 *	  A table opened for a write without a statement.
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
#include "access/xact.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "store/table_writer.h"

static DsTableSetup all_setups[DS_NUM_TABLES];

static DsTableSetup *get_setup(DsTable table, Relation rel);
static void forget_setup(Datum arg, Oid relid);
static void close_indexes(DsTableWriter *w);

void
ds_table_writer_begin(DsTableWriter *w, DsTable table)
{
	w->number = table;
	w->n_columns = ds_table_n_columns(table);
	w->table = ds_table_open(table, RowExclusiveLock);
	w->setup = get_setup(table, w->table);
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
static DsTableSetup *
get_setup(DsTable table, Relation rel)
{
	static bool registered = false;
	DsTableSetup *setup = &all_setups[table];
	MemoryContext parent = CacheMemoryContext;
	MemoryContext old;

	if (!registered)
		CacheRegisterRelcacheCallback(forget_setup, (Datum) 0);
	registered = true;

	if (setup->user == ds_compat_lxid(MyProc))
	{
		setup = palloc0(sizeof(DsTableSetup));
		parent = CurrentMemoryContext;
	}
	setup->user = ds_compat_lxid(MyProc);
	/* an error in the middle of the set-up has left it without a slot */
	if (setup->valid && setup->slot != NULL)
		return setup;

	if (setup->cxt != NULL)
		MemoryContextDelete(setup->cxt);
	memset(setup, 0, sizeof(DsTableSetup));
	setup->cxt = AllocSetContextCreate(parent, "durable_singleton table",
									   ALLOCSET_SMALL_SIZES);
	setup->user = ds_compat_lxid(MyProc);
	setup->table = RelationGetRelid(rel);
	/* changes during the set-up invalidate it again */
	setup->valid = true;
	setup->obeyed = ds_table_obeyed_commands(table, rel);
	old = MemoryContextSwitchTo(setup->cxt);
	setup->slot =
		MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(rel)),
								 &TTSOpsVirtual);
	MemoryContextSwitchTo(old);
	return setup;
}

/* The table or one of its indexes has changed. */
static void
forget_setup(Datum arg, Oid relid)
{
	for (int t = 0; t < DS_NUM_TABLES; t++)
	{
		DsTableSetup *setup = &all_setups[t];

		if (relid == InvalidOid || relid == setup->table)
			setup->valid = false;
		for (int i = 0; i < setup->n_indexes; i++)
		{
			if (relid == setup->indexes[i])
				setup->valid = false;
		}
	}
}

/*
 * Indexes stay locked until the end of the transaction, as the table does:
 * locking them again for the next row is then very cheap.
 */
void
ds_table_writer_open_indexes(DsTableWriter *w)
{
	DsTableSetup *setup = w->setup;

	if (setup->result != NULL)
	{
		setup->result->ri_RelationDesc = w->table;
		for (int i = 0; i < setup->n_indexes; i++)
			setup->result->ri_IndexRelationDescs[i] =
				index_open(setup->indexes[i], RowExclusiveLock);
	}
	else
	{
		MemoryContext old = MemoryContextSwitchTo(setup->cxt);
		ResultRelInfo *result = makeNode(ResultRelInfo);

		setup->estate = CreateExecutorState();
		InitResultRelInfo(result, w->table, 0, NULL, 0);
		/* for all writes, including speculative ones */
		ExecOpenIndices(result, true);
		setup->indexes = palloc(result->ri_NumIndices * sizeof(Oid));
		for (int i = 0; i < result->ri_NumIndices; i++)
			setup->indexes[i] =
				RelationGetRelid(result->ri_IndexRelationDescs[i]);
		setup->n_indexes = result->ri_NumIndices;
		setup->key_is_the_only_constraint = true;
		for (int i = 0; i < result->ri_NumIndices; i++)
		{
			const IndexInfo *info = result->ri_IndexRelationInfo[i];

			if (info->ii_ExclusionOps != NULL ||
				(info->ii_Unique &&
				 !result->ri_IndexRelationDescs[i]->rd_index->indisprimary))
				setup->key_is_the_only_constraint = false;
		}
		setup->result = result;
		MemoryContextSwitchTo(old);
	}
	w->indexes_open = true;
}

static void
close_indexes(DsTableWriter *w)
{
	ResultRelInfo *result = w->setup->result;

	for (int i = 0; i < result->ri_NumIndices; i++)
	{
		Relation	index = result->ri_IndexRelationDescs[i];

		ds_compat_index_insert_cleanup(index, result->ri_IndexRelationInfo[i]);
		index_close(index, NoLock);
	}
}

void
ds_table_writer_put_entries(DsTableWriter *w, bool update, bool *taken, bool only_summarizing)
{
	DsTableSetup *setup = w->setup;

	ds_compat_ExecInsertIndexTuples(setup->result, setup->slot, setup->estate,
									update, taken != NULL, taken,
									only_summarizing);
	ResetPerTupleExprContext(setup->estate);
}

/*
 * Like ExecInsertIndexTuples(), for a new version of a row with an unchanged
 * key. This is as unique as before: a concurrent inserter of the same key
 * finds the entry of the old version, and waits for the end of this
 * transaction. PostgreSQL's executor checks the key anyway, which visits each
 * dead version that is still in the index: while an old snapshot is held,
 * these are all.
 */
void
ds_table_writer_put_same_key(DsTableWriter *w)
{
	DsTableSetup *setup = w->setup;
	ResultRelInfo *result = setup->result;
	ExprContext *econtext = GetPerTupleExprContext(setup->estate);

	econtext->ecxt_scantuple = setup->slot;
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
														  setup->estate);
			if (!ExecQual(info->ii_PredicateState, econtext))
				continue;
		}
		FormIndexDatum(info, setup->slot, setup->estate, values, nulls);
		index_insert(result->ri_IndexRelationDescs[i], values, nulls,
					 &setup->slot->tts_tid, w->table, UNIQUE_CHECK_NO, true,
					 info);
	}
	ResetPerTupleExprContext(setup->estate);
}

void
ds_table_writer_end(DsTableWriter *w)
{
	DsTableSetup *setup = w->setup;

	if (w->indexes_open)
		close_indexes(w);
	ExecClearTuple(setup->slot);
	setup->user = InvalidLocalTransactionId;
	if (setup != &all_setups[w->number])
	{
		MemoryContextDelete(setup->cxt);
		pfree(setup);
	}
	if (w->pushed_snapshot)
		PopActiveSnapshot();
	table_close(w->table, NoLock);
	/* makes the row visible to the rest of the transaction */
	CommandCounterIncrement();
}
