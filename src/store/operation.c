/*-------------------------------------------------------------------------
 *
 * operation.c
 *	  Assembles durable operations from their rows in history.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/jsonb_build.h"
#include "base/no_time.h"
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

/* A task has it in the row that scheduled it, a call in each attempt. */
static bool
has_input(const DsRow *row)
{
	return (row->kind == DS_OP_ACTIVITY || row->kind == DS_OP_CHILD) &&
		(!row->parallel || row->attempt == 0);
}

void
ds_operation_forget_input(DsOp *op)
{
	op->known_input = NULL;
	op->input_hash = 0;
	op->kept_retry = NULL;
	if (op->last.kind == DS_OP_ACTIVITY)
		op->last.child_id = NULL;
}

void
ds_operation_add_row(DsOp *op, const DsRow *row)
{
	char	   *name = op->last.name;
	char	   *child_id = op->last.child_id;

	op->size += row_size(row);
	if (row->attempt < 0)
	{
		/* they come before all others */
		op->last.seq = row->seq;
		op->kept_defaults = row->result;
		return;
	}
	if (has_input(row))
	{
		/* the row just written is still in memory */
		op->known_input = row->input;
		op->input_hash = row->input != NULL ? 0 :
			row->input_hash != 0 ? row->input_hash : ds_jsonb_hash(NULL);
	}
	if (row->retry != NULL)
		op->kept_retry = row->retry;
	if (row->defaults != NULL)
		op->kept_defaults = row->defaults;
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
			op->first_time = DS_NO_TIME;
			ds_operation_forget_input(op);
			break;
		case DS_OUTCOME_REPEATED:
			op->automatic++;
			break;
		case DS_OUTCOME_RETRIED:
		case DS_OUTCOME_COMPLETED:
		case DS_OUTCOME_FAILED:
		case DS_OUTCOME_TIMED_OUT:
			op->counted++;
			if (op->first_time == DS_NO_TIME)
				op->first_time = row->scheduled_time;
			break;
	}
}
