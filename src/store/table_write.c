/*-------------------------------------------------------------------------
 *
 * table_write.c
 *	  Writes rows by primary key, without a statement.
 *
 * table_writer.c keeps the set-up.  If the table has additions that only a
 * statement obeys, table_statement.c does the write.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "store/table_writer.h"

/* See ds_table_follow_latest(). */
static bool follow_latest = false;

static bool write_row(DsTableWriter *w, DsKey key, ItemPointer tid,
					  bool limit_lock_wait,
					  DsChange change, void *arg);
static void fill_slot(DsTableWriter *w, const DsParameters *p);
static bool is_obeyed(const DsTableWriter *w, CmdType command);
static bool try_insert(DsTableWriter *w, const DsParameters *p, ItemPointer tid);
static bool insert_if_absent(DsTableWriter *w);
static bool key_exists(DsTableWriter *w, DsKey key);
static bool change_row(DsTableWriter *w, DsKey key, ItemPointer tid,
					   bool at_place, DsChange change, void *arg);
static TM_Result change_version(DsTableWriter *w, const DsScan *scan,
								const DsParameters *p, ItemPointer tid);
static TM_Result change_by_statement(DsTableWriter *w, const DsScan *scan,
									 const DsParameters *p, ItemPointer tid);
static void load_row(DsParameters *p, const DsTableWriter *w, TupleTableSlot *slot);

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
	DsTableWriter w = {0};
	ItemPointerData tid;

	ds_table_writer_begin(&w, table);
	if (!is_obeyed(&w, CMD_INSERT))
	{
		fill_slot(&w, p);
		ds_table_writer_open_indexes(&w);
		table_tuple_insert(w.table, w.setup->slot, GetCurrentCommandId(true), 0,
						   NULL);
		ds_table_writer_put_entries(&w, false, NULL, false);
	}
	else if (!ds_table_statement_insert(table, w.table, p, &tid))
		ds_table_refuse_loss(w.table);
	ds_table_writer_end(&w);
}

bool
ds_table_insert_if_absent(DsTable table, DsKey key, const DsParameters *p,
						  bool limit_lock_wait, ItemPointer tid)
{
	DsTableWriter w = {0};
	DsLockWait	bound;
	volatile bool done = false;

	ds_query_limit_lock_wait(&bound, limit_lock_wait);
	PG_TRY();
	{
		ds_table_writer_begin(&w, table);
		done = try_insert(&w, p, tid);
		if (!done && !key_exists(&w, key))
		{
			/* the row with this key may just have been removed */
			done = try_insert(&w, p, tid);
			if (!done && !key_exists(&w, key))
				ds_table_refuse_loss(w.table);
		}
		ds_table_writer_end(&w);
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
	DsTableWriter w = {.number = table};

	return write_row(&w, key, tid, limit_lock_wait, change, arg);
}

bool
ds_table_delete(DsTable table, DsKey key, bool limit_lock_wait,
				DsChange change,
				void *arg)
{
	DsTableWriter w = {.number = table,.deletes = true};
	ItemPointerData nowhere;

	ItemPointerSetInvalid(&nowhere);
	return write_row(&w, key, &nowhere, limit_lock_wait, change, arg);
}

static bool
write_row(DsTableWriter *w, DsKey key, ItemPointer tid, bool limit_lock_wait,
		  DsChange change, void *arg)
{
	DsLockWait	bound;
	volatile bool done = false;

	ds_query_limit_lock_wait(&bound, limit_lock_wait);
	PG_TRY();
	{
		ds_table_writer_begin(w, w->number);
		done = (ItemPointerIsValid(tid) &&
				change_row(w, key, tid, true, change, arg)) ||
			change_row(w, key, tid, false, change, arg);
		ds_table_writer_end(w);
	}
	PG_FINALLY();
	{
		ds_query_restore_lock_wait(&bound);
	}
	PG_END_TRY();
	return done;
}

static void
fill_slot(DsTableWriter *w, const DsParameters *p)
{
	TupleTableSlot *slot = w->setup->slot;

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
is_obeyed(const DsTableWriter *w, CmdType command)
{
	return (w->setup->obeyed & DS_COMMAND(command)) != 0;
}

static bool
try_insert(DsTableWriter *w, const DsParameters *p, ItemPointer tid)
{
	bool		done;

	if (is_obeyed(w, CMD_INSERT))
		return ds_table_statement_insert(w->number, w->table, p, tid);
	fill_slot(w, p);
	if (!w->indexes_open)
		ds_table_writer_open_indexes(w);
	done = insert_if_absent(w);
	*tid = w->setup->slot->tts_tid;
	return done;
}

/*
 * Like INSERT ... ON CONFLICT DO NOTHING, but without the first check for a
 * conflict, which the caller has just made.  Any unique index counts: during
 * REINDEX CONCURRENTLY there are two for the primary key.
 */
static bool
insert_if_absent(DsTableWriter *w)
{
	ItemPointerData conflict;
	ItemPointerData none;

	ItemPointerSetInvalid(&none);
	for (;;)
	{
		uint32		token =
		SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
		bool		taken = false;

		table_tuple_insert_speculative(w->table, w->setup->slot,
									   GetCurrentCommandId(true), 0, NULL,
									   token);
		ds_table_writer_put_entries(w, false, &taken, false);
		table_tuple_complete_speculative(w->table, w->setup->slot, token,
										 !taken);
		SpeculativeInsertionLockRelease(GetCurrentTransactionId());
		if (!taken)
			return true;

		CHECK_FOR_INTERRUPTS();
		/* waits for the other transaction if it has not ended yet */
		if (!ds_compat_ExecCheckIndexConstraints(w->setup->result,
												 w->setup->slot,
												 w->setup->estate, &conflict,
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
key_exists(DsTableWriter *w, DsKey key)
{
	DsScan		scan;
	bool		found;

	if (!is_obeyed(w, CMD_INSERT) && w->setup->key_is_the_only_constraint)
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
change_row(DsTableWriter *w, DsKey key, ItemPointer tid, bool at_place,
		   DsChange change, void *arg)
{
	if (change == NULL && !w->deletes)
		elog(ERROR, "an update has no columns");
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
change_version(DsTableWriter *w, const DsScan *scan, const DsParameters *p,
			   ItemPointer tid)
{
	CmdType		command = w->deletes ? CMD_DELETE : CMD_UPDATE;
	TM_FailureData failure;
	LockTupleMode mode;
	DS_COMPAT_UPDATE_INDEXES indexes;
	TM_Result	result;

	/* a publication may need the key of the row, or columns in it */
	if (!w->setup->may_change[w->deletes])
		CheckCmdReplicaIdentity(w->table, command);
	w->setup->may_change[w->deletes] = true;
	if (is_obeyed(w, command))
		return change_by_statement(w, scan, p, tid);
	if (w->deletes)
		return table_tuple_delete(w->table, &scan->slot->tts_tid,
								  GetCurrentCommandId(true), scan->snapshot,
								  InvalidSnapshot, true, &failure, false);
	fill_slot(w, p);
	result = table_tuple_update(w->table, &scan->slot->tts_tid, w->setup->slot,
								GetCurrentCommandId(true), scan->snapshot,
								InvalidSnapshot, true, &failure, &mode,
								&indexes);
	/* most updates change no indexed column, and stay on their page */
	if (result == TM_Ok && indexes)
	{
		ds_table_writer_open_indexes(w);
		if (w->setup->key_is_the_only_constraint &&
			!ds_compat_only_summarizing(indexes))
			ds_table_writer_put_same_key(w);
		else
			ds_table_writer_put_entries(w, true, NULL,
										ds_compat_only_summarizing(indexes));
	}
	if (result == TM_Ok)
		*tid = w->setup->slot->tts_tid;
	return result;
}

/*
 * Locks the row first, so that the statement finds the row as "change" saw it.
 */
static TM_Result
change_by_statement(DsTableWriter *w, const DsScan *scan, const DsParameters *p,
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
load_row(DsParameters *p, const DsTableWriter *w, TupleTableSlot *slot)
{
	p->n = w->n_columns;
	for (int i = 0; i < p->n; i++)
	{
		p->values[i] = slot->tts_values[i];
		p->nulls[i] = slot->tts_isnull[i] ? 'n' : ' ';
	}
}
