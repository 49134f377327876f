/*-------------------------------------------------------------------------
 *
 * table.h
 *	  Reads and writes rows by primary key, without a statement.
 *
 * A step reads its instance and history, and writes a row or two.  Apart from
 * parsing and planning, the executor's set-up for each of these would cost
 * several times as much as the work itself.  So these functions access the table
 * and its indexes directly, under the rules of a statement: the latest snapshot,
 * the locks of READ COMMITTED, and writes are visible to the rest of the
 * transaction.
 *
 * The closest functions of PostgreSQL are ExecSimpleRelationInsert() and the
 * like, which apply logical replication (execReplication.c).  They have no ON
 * CONFLICT, wait without a limit, and repeat for each row the set-up that is kept
 * here.
 *
 * Not checked here are privileges (the tables belong to the extension), triggers,
 * and constraints other than unique ones.
 *
 *	DsScan scan;
 *
 *	ds_table_scan_begin(&scan, DS_HISTORY, ds_table_uuid_key(execution_id));
 *	while (ds_table_scan_next(&scan))
 *		seq = ds_column_int(0, HISTORY_seq);
 *	ds_table_scan_end(&scan);
 *
 * All functions need a transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TABLE_H
#define DS_TABLE_H

#include "access/genam.h"
#include "executor/tuptable.h"
#include "store/columns.h"
#include "store/catalog.h"
#include "store/query.h"
#include "utils/builtins.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/* Values of the first columns of a table's primary key. */
#define DS_KEY_COLUMNS	2

typedef struct DsKey
{
	int			n;
	Datum		values[DS_KEY_COLUMNS];
} DsKey;

static inline DsKey
ds_table_key(Datum value)
{
	return (DsKey)
	{
		1,
		{
			value
		}
	};
}

static inline DsKey
ds_table_key2(Datum first, Datum second)
{
	return (DsKey)
	{
		2,
		{
			first, second
		}
	};
}

static inline DsKey
ds_table_text_key(const char *s)
{
	return ds_table_key(CStringGetTextDatum(s));
}

static inline DsKey
ds_table_uuid_key(const pg_uuid_t *u)
{
	return ds_table_key(UUIDPGetDatum(u));
}

/* Rows of one table in the order of its primary key. */
typedef struct DsScan
{
	Relation	table;
	Relation	index;
	Snapshot	snapshot;
	IndexScanDesc scan;
	ScanDirection direction;
	TupleTableSlot *slot;
	DsSession	session;		/* for ds_column_text() and its like */
} DsScan;

/*
 * Rows whose primary key begins with "key".  While a row is current,
 * ds_column...() read it, as row 0.  ds_table_scan_end() also releases the
 * lock on the table, so that user code may follow in the transaction.
 */
extern void ds_table_scan_begin(DsScan *scan, DsTable table, DsKey key);

/* The same rows as seen by the snapshot of the caller's transaction. */
extern void ds_table_scan_begin_seen(DsScan *scan, DsTable table, DsKey key);
extern bool ds_table_scan_next(DsScan *scan);
extern void ds_table_scan_end(DsScan *scan);

/*
 * A scan of a single row, already current, at the TID where it was last seen.
 * False: there is no row any more.  The row may be a different one.
 */
extern bool ds_table_scan_begin_tid(DsScan *scan, DsTable table,
									const ItemPointerData *tid);

/*
 * Do all tables have the columns that this library knows?  If not, opening one
 * raises an error.  Needs the extension to be installed.
 */
extern bool ds_table_all_fit(void);

/* Is there any such row? */
extern bool ds_table_has(DsTable table, DsKey key);

/*
 * The transaction that wrote the current row.  A frozen row keeps the number,
 * which may be that of another or a future transaction: only
 * ds_durability_lsn_of() and wait.c can interpret it.
 */
extern TransactionId ds_table_scan_xmin(const DsScan *scan);

/* The TID of the current row. */
extern ItemPointerData ds_table_scan_tid(const DsScan *scan);

/*
 * The parameters of a new row are its columns: ds_table_row_begin() sets all
 * to NULL, and ds_param_datum...(ds_param_at(&p, column), value) sets one.
 */
extern void ds_table_row_begin(DsParameters *p, DsTable table);

extern void ds_table_insert(DsTable table, const DsParameters *p);

/*
 * From here on, changes of rows follow the latest version of a row at any
 * isolation level: a fence decides, not the snapshot.  Otherwise a row that
 * was changed since raises 40001 under REPEATABLE READ.
 */
extern void ds_table_follow_latest(bool follow);

/*
 * Inserts the row and sets *tid.  Returns false if the key already exists.
 * Waits for a concurrent inserter of the same key (at most one second with
 * limit_lock_wait).
 */
extern bool ds_table_insert_if_absent(DsTable table, DsKey key,
									  const DsParameters *p,
									  bool limit_lock_wait, ItemPointer tid);

/*
 * Updates the row with this key.  "change" gets the row's columns in p, may
 * read them with ds_column...(), and returns false to leave the row alone.  It
 * is called again if the row was changed by a concurrent transaction, for
 * which the function waits (at most one second with limit_lock_wait).  Returns
 * whether the row was changed.
 *
 * *tid is the TID where the row was last seen, if it is known, and is set to
 * the new one.  It saves an index lookup.  Since another row may be there by
 * now, "change" must check the key, or something else that is unique.
 */
typedef bool (*DsChange) (DsParameters *p, void *arg);

/*
 * Deletes the row with this key if "change" is NULL or returns true.
 * Otherwise like ds_table_update().
 */
extern bool ds_table_delete(DsTable table, DsKey key, bool limit_lock_wait,
							DsChange change, void *arg);

extern bool ds_table_update(DsTable table, DsKey key, ItemPointer tid,
							bool limit_lock_wait, DsChange change, void *arg);

#endif
