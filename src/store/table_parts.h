/*-------------------------------------------------------------------------
 *
 * table_parts.h
 *	  Declarations shared by the files that read and write rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TABLE_PARTS_H
#define DS_TABLE_PARTS_H

#include "store/table.h"

extern int	ds_table_n_columns(DsTable table);

/*
 * Opens and locks a table, and checks that it has the columns that the code
 * knows.
 */
extern Relation ds_table_open(DsTable table, LOCKMODE mode);

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
