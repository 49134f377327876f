/*-------------------------------------------------------------------------
 *
 * column.c
 *	  Reads columns of the row found by a statement or a scan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/no_time.h"
#include "store/column.h"

/* What ds_column() reads in place of the result of the last statement. */
static TupleTableSlot *current_slot = NULL;

void
ds_column_read_slot(TupleTableSlot *slot)
{
	current_slot = slot;
}

Datum
ds_column(int row, int col, bool *isnull)
{
	if (current_slot != NULL)
	{
		*isnull = current_slot->tts_isnull[col - 1];
		return current_slot->tts_values[col - 1];
	}
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 col, isnull);
}

char *
ds_column_text(const DsSession *s, int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);
	MemoryContext old;
	char	   *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(s->caller);
	result = TextDatumGetCString(d);
	MemoryContextSwitchTo(old);
	return result;
}

Jsonb *
ds_column_jsonb(const DsSession *s, int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);
	MemoryContext old;
	Jsonb	   *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(s->caller);
	result = DatumGetJsonbPCopy(d);
	MemoryContextSwitchTo(old);
	return result;
}

pg_uuid_t
ds_column_uuid(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	Assert(!isnull);
	return *DatumGetUUIDP(d);
}

TimestampTz
ds_column_time(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? DS_NO_TIME : DatumGetTimestampTz(d);
}

int
ds_column_int(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? 0 : DatumGetInt32(d);
}

Oid
ds_column_oid(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(d);
}

char
ds_column_char(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? '\0' : DatumGetChar(d);
}

bool
ds_column_bool(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return !isnull && DatumGetBool(d);
}

int64
ds_column_int64(int row, int col)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);

	return isnull ? 0 : DatumGetInt64(d);
}

ItemPointerData
ds_column_tid(int row, int col)
{
	bool		isnull;

	return *(ItemPointer) DatumGetPointer(ds_column(row, col, &isnull));
}

int *
ds_column_int_array(const DsSession *s, int row, int col, int *n)
{
	bool		isnull;
	Datum		d = ds_column(row, col, &isnull);
	Datum	   *datums;
	int		   *values;

	*n = 0;
	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(d), INT4OID, sizeof(int32), true,
					  TYPALIGN_INT, &datums, NULL, n);
	values = MemoryContextAllocHuge(s->caller, (*n + 1) * sizeof(int));
	for (int i = 0; i < *n; i++)
		values[i] = DatumGetInt32(datums[i]);
	return values;
}

List *
ds_column_list(const DsSession *s, uint64 n_rows)
{
	List	   *result = NIL;

	for (uint64 row = 0; row < n_rows; row++)
	{
		char	   *text = ds_column_text(s, row, 1);
		MemoryContext old = MemoryContextSwitchTo(s->caller);

		result = lappend(result, text);
		MemoryContextSwitchTo(old);
	}
	return result;
}
