/*-------------------------------------------------------------------------
 *
 * table_statement.c
 *	  Writes rows by statements.
 *
 * Tools that copy a table in use, such as pg_repack, create a trigger on it
 * and rely on it firing for each change.  The same holds for triggers, rules
 * and constraints of a superuser.  While a table has one of these, its rows
 * are written by statements, which obey all of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/rel.h"

#include "store/query.h"
#include "store/table_parts.h"

static Datum row_datum(DsTable table, Relation rel, const DsParameters *p);
static bool write_row(DsStatementId id, DsParameters *p, ItemPointer tid);

bool
ds_table_statement_insert(DsTable table, Relation rel, const DsParameters *p,
						  ItemPointer tid)
{
	static const DsStatementId inserts[DS_NUM_TABLES] = {
		[DS_INSTANCE] = DS_SQL_ROW_INSERT_INSTANCE,
		[DS_HISTORY] = DS_SQL_ROW_INSERT_HISTORY,
		[DS_TASK] = DS_SQL_ROW_INSERT_TASK,
		[DS_EXECUTION] = DS_SQL_ROW_INSERT_EXECUTION,
	};
	DsParameters row = {0};

	Assert(table != DS_INBOX);
	ds_param_datum(&row, row_datum(table, rel, p), false);
	return write_row(inserts[table], &row, tid);
}

void
ds_table_statement_update(DsTable table, Relation rel,
						  const ItemPointerData *at, const DsParameters *p,
						  ItemPointer tid)
{
	DsParameters row = {0};

	Assert(table == DS_INSTANCE || table == DS_TASK);
	ds_param_datum(&row, PointerGetDatum(at), false);
	ds_param_datum(&row, row_datum(table, rel, p), false);
	if (!write_row(table == DS_INSTANCE ? DS_SQL_ROW_UPDATE_INSTANCE :
				   DS_SQL_ROW_UPDATE_TASK, &row, tid))
		ds_table_refuse_loss(rel);
}

void
ds_table_statement_delete(DsTable table, Relation rel,
						  const ItemPointerData *at)
{
	DsParameters row = {0};
	ItemPointerData gone;

	Assert(table == DS_TASK || table == DS_INBOX);
	ds_param_datum(&row, PointerGetDatum(at), false);
	if (!write_row(table == DS_TASK ? DS_SQL_ROW_DELETE_TASK :
				   DS_SQL_ROW_DELETE_MESSAGE, &row, &gone))
		ds_table_refuse_loss(rel);
}

void
ds_table_refuse_loss(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a row of table \"%s\" of extension \"%s\" was not written",
					RelationGetRelationName(rel), DS_EXTENSION_NAME),
			 errdetail("A trigger, rule, policy or unique index that was added to the table prevented it."),
			 errhint("Drop what was added to the table.")));
}

static Datum
row_datum(DsTable table, Relation rel, const DsParameters *p)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));

	for (int i = 0; i < desc->natts; i++)
	{
		/* columns after those that the code knows were dropped */
		nulls[i] = i >= ds_table_n_columns(table) || p->nulls[i] == 'n';
		values[i] = nulls[i] ? (Datum) 0 : p->values[i];
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

static bool
write_row(DsStatementId id, DsParameters *p, ItemPointer tid)
{
	DsSession	s;
	bool		done;

	ds_query_open(&s);
	done = ds_query_execute(id, p) > 0;
	if (done)
		*tid = ds_column_tid(0, 1);
	ds_query_close(&s);
	return done;
}
