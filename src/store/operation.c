/*-------------------------------------------------------------------------
 *
 * operation.c
 *	  Assembles durable operations from their rows in history.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/operation.h"

/* The columns of fixed length, and the headers of row and index entry. */
#define ROW_OVERHEAD	128

/* Before compression. */
static int64
row_size(const DsRow *row)
{
	int64		size = ROW_OVERHEAD;

	if (row->input != NULL)
		size += VARSIZE(row->input);
	if (row->result != NULL)
		size += VARSIZE(row->result);
	if (row->failure != NULL)
		size += VARSIZE(row->failure);
	return size;
}

void
ds_operation_add_row(DsOp *op, const DsRow *row)
{
	char	   *name = op->last.name;
	char	   *child_id = op->last.child_id;

	op->size += row_size(row);
	op->last = *row;
	if (op->last.name == NULL)
		op->last.name = name;
	if (op->last.child_id == NULL)
		op->last.child_id = child_id;

	switch (row->outcome)
	{
		case DS_OUTCOME_SCHEDULED:
			op->scheduled_time = row->scheduled_time;
			op->default_value = row->result;
			op->last.result = NULL;
			break;
		case DS_OUTCOME_REWOUND:
			/* attempts after this one are counted from the beginning */
			op->counted = op->automatic = 0;
			op->first_time = 0;
			break;
		case DS_OUTCOME_REPEATED:
			op->automatic++;
			break;
		case DS_OUTCOME_RETRIED:
		case DS_OUTCOME_COMPLETED:
		case DS_OUTCOME_FAILED:
		case DS_OUTCOME_TIMED_OUT:
			op->counted++;
			if (op->first_time == 0)
				op->first_time = row->scheduled_time;
			break;
	}
}
