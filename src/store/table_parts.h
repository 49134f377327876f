/*-------------------------------------------------------------------------
 *
 * table_parts.h
 *	  Declarations shared by the files that read and write rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TABLE_PARTS_H
#define DS_TABLE_PARTS_H

#include "base/compat.h"
#include "nodes/nodes.h"
#include "store/table.h"

/* --- table_form.c --- */

extern int	ds_table_n_columns(DsTable table);

/* The function that compares column i of the primary key. */
extern RegProcedure ds_table_key_equal(DsTable table, int i);

/*
 * Opens and locks a table, and checks that it has the columns that the code
 * knows.
 */
extern Relation ds_table_open(DsTable table, LOCKMODE mode);

#define DS_COMMAND(command)		(1 << (command))
#define DS_ALL_COMMANDS \
	(DS_COMMAND(CMD_INSERT) | DS_COMMAND(CMD_UPDATE) | DS_COMMAND(CMD_DELETE))

/*
 * The commands for which the table has additions that only PostgreSQL's
 * executor obeys.
 */
extern int	ds_table_obeyed_commands(DsTable table, Relation rel);

/* --- table_statement.c --- */

/*
 * Inserts a row with the columns in p, and sets *tid.  Returns false if a
 * unique index has such a row.
 */
extern bool ds_table_statement_insert(DsTable table, Relation rel,
									  const DsParameters *p, ItemPointer tid);

/* Update or delete the row at this TID, which the caller has locked. */
extern void ds_table_statement_update(DsTable table, Relation rel,
									  const ItemPointerData *at,
									  const DsParameters *p, ItemPointer tid);
extern void ds_table_statement_delete(DsTable table, Relation rel,
									  const ItemPointerData *at);

/* Raises an error: an addition to the table prevented the write. */
pg_noreturn extern void ds_table_refuse_loss(Relation rel);

/* --- table_read.c --- */

/* A scan of a table that the caller opens and closes. */
extern void ds_table_scan_begin_rel(DsScan *scan, DsTable table, Relation rel,
									DsKey key, Snapshot snapshot);
extern void ds_table_scan_end_rel(DsScan *scan);

/*
 * A scan of a single row, found without the index or not at all.  make_room:
 * makes room on its page for another version of it.
 */
extern bool ds_table_fetch_tid(DsScan *scan, Relation rel,
							   const ItemPointerData *tid, bool make_room);

#endif
