/*-------------------------------------------------------------------------
 *
 * column.h
 *	  Reads columns of the row found by a statement or a scan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COLUMN_H
#define DS_COLUMN_H

#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "store/session.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/*
 * Row (from 0) and column (from 1) of the result of the last statement. Texts,
 * jsonb and lists are copied for the caller of the session.  After
 * ds_column_read_slot() they read row 0 of that slot, which has all columns,
 * until the next statement or ds_column_read_slot(NULL).
 */
extern void ds_column_read_slot(TupleTableSlot *slot);
extern Datum ds_column(int row, int col, bool *isnull);
extern char *ds_column_text(const DsSession *s, int row, int col);
extern Jsonb *ds_column_jsonb(const DsSession *s, int row, int col);
extern pg_uuid_t ds_column_uuid(int row, int col);
extern TimestampTz ds_column_time(int row, int col);
extern int	ds_column_int(int row, int col);
extern Oid	ds_column_oid(int row, int col);
extern char ds_column_char(int row, int col);
extern bool ds_column_bool(int row, int col);
extern int64 ds_column_int64(int row, int col);
extern ItemPointerData ds_column_tid(int row, int col);
extern int *ds_column_int_array(const DsSession *s, int row, int col, int *n);

/* The first column of all rows, as strings. */
extern List *ds_column_list(const DsSession *s, uint64 n_rows);

#endif
