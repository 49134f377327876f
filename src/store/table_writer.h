/*-------------------------------------------------------------------------
 *
 * table_writer.h
 *	  A table opened for a write without a statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_TABLE_WRITER_H
#define DS_TABLE_WRITER_H

#include "nodes/execnodes.h"
#include "store/table_parts.h"

/* The set-up of a write, kept for a table. */
typedef struct DsTableSetup
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
} DsTableSetup;

/* A table opened for a write. */
typedef struct DsTableWriter
{
	DsTable		number;
	int			n_columns;		/* known to the code */
	Relation	table;
	DsTableSetup *setup;
	bool		pushed_snapshot;
	bool		indexes_open;
	bool		deletes;
} DsTableWriter;

extern void ds_table_writer_begin(DsTableWriter *w, DsTable table);
extern void ds_table_writer_end(DsTableWriter *w);

extern void ds_table_writer_open_indexes(DsTableWriter *w);

/*
 * Entries for the row in the slot.  taken: set to true if a unique key exists
 * already; NULL: that is an error.
 */
extern void ds_table_writer_put_entries(DsTableWriter *w, bool update,
										bool *taken, bool only_summarizing);

/* The same for a new version of a row with an unchanged key. */
extern void ds_table_writer_put_same_key(DsTableWriter *w);

#endif
