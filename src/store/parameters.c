/*-------------------------------------------------------------------------
 *
 * parameters.c
 *	  Builds the parameters of a statement, or the columns of a new row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/no_time.h"
#include "store/catalog.h"
#include "store/parameters.h"

void
ds_param_datum(DsParameters *p, Datum value, bool isnull)
{
	Assert(p->n < DS_MAX_PARAMETERS);
	p->values[p->n] = value;
	p->nulls[p->n] = isnull ? 'n' : ' ';
	p->n++;
}

void
ds_param_text(DsParameters *p, const char *s)
{
	ds_param_datum(p, s ? CStringGetTextDatum(s) : (Datum) 0, s == NULL);
}

void
ds_param_uuid(DsParameters *p, const pg_uuid_t *u)
{
	ds_param_datum(p, UUIDPGetDatum(u), false);
}

void
ds_param_time(DsParameters *p, TimestampTz t)
{
	ds_param_datum(p, TimestampTzGetDatum(t), t == DS_NO_TIME);
}

void
ds_param_jsonb(DsParameters *p, const Jsonb *j)
{
	ds_param_datum(p, PointerGetDatum(j), j == NULL);
}

void
ds_param_int(DsParameters *p, int i)
{
	ds_param_datum(p, Int32GetDatum(i), false);
}

void
ds_param_oid(DsParameters *p, Oid o)
{
	ds_param_datum(p, ObjectIdGetDatum(o), false);
}

void
ds_param_char(DsParameters *p, char c)
{
	ds_param_datum(p, CharGetDatum(c), c == '\0');
}

void
ds_param_bool(DsParameters *p, bool b)
{
	ds_param_datum(p, BoolGetDatum(b), false);
}

void
ds_param_int64(DsParameters *p, int64 i)
{
	ds_param_datum(p, Int64GetDatum(i), false);
}

/* NULL if n is 0 and values is NULL */
void
ds_param_int_array(DsParameters *p, int n, const int *values)
{
	Datum	   *datums = palloc((n + 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		datums[i] = Int32GetDatum(values[i]);
	ds_param_datum(p, PointerGetDatum(construct_array(datums, n, INT4OID,
													  sizeof(int32), true,
													  TYPALIGN_INT)),
				   values == NULL);
}

void
ds_param_status_array(DsParameters *p, int n, const DsStatus *values)
{
	Datum		datums[DS_NUM_STATUS];

	Assert(n <= DS_NUM_STATUS);
	for (int i = 0; i < n; i++)
		datums[i] = ObjectIdGetDatum(ds_catalog_status_oid(values[i]));
	ds_param_datum(p, PointerGetDatum(construct_array(datums, n,
													  ds_catalog(false)->status_type,
													  sizeof(Oid), true,
													  TYPALIGN_INT)), false);
}
