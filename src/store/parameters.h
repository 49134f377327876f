/*-------------------------------------------------------------------------
 *
 * parameters.h
 *	  Builds the parameters of a statement, or the columns of a new row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_PARAMETERS_H
#define DS_PARAMETERS_H

#include "store/status.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#define DS_MAX_PARAMETERS	40

/* The parameters of a statement, added in order. */
typedef struct DsParameters
{
	int			n;
	Datum		values[DS_MAX_PARAMETERS];
	char		nulls[DS_MAX_PARAMETERS + 1];
} DsParameters;

/* Makes number n, from 1, the next parameter to be added. */
static inline DsParameters *
ds_param_at(DsParameters *p, int n)
{
	p->n = n - 1;
	return p;
}

/* A NULL pointer, the time 0 and the character 0 become NULL. */
extern void ds_param_datum(DsParameters *p, Datum value, bool isnull);
extern void ds_param_text(DsParameters *p, const char *s);
extern void ds_param_uuid(DsParameters *p, const pg_uuid_t *u);
extern void ds_param_time(DsParameters *p, TimestampTz t);
extern void ds_param_jsonb(DsParameters *p, const Jsonb *j);
extern void ds_param_int(DsParameters *p, int i);
extern void ds_param_oid(DsParameters *p, Oid o);
extern void ds_param_char(DsParameters *p, char c);
extern void ds_param_bool(DsParameters *p, bool b);
extern void ds_param_int64(DsParameters *p, int64 i);
extern void ds_param_int_array(DsParameters *p, int n, const int *values);
extern void ds_param_status_array(DsParameters *p, int n,
								  const DsStatus *values);

#endif
