/*-------------------------------------------------------------------------
 *
 * store_history.c
 *	  Reading and writing the extension's tables: history.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "op.h"
#include "store_parts.h"

static void put_row(const pg_uuid_t *execution_id, const DsRow *row);
static void load_row(const DsSession *s, int i, DsRow *row);

DsOp *
ds_store_load_history(const DsInstance *inst, int *n_ops)
{
	DsSession	s;
	DsParameters p = {0};
	DsOp	   *ops;
	uint64		n;

	ds_open_session(&s);
	ds_add_uuid(&p, &inst->execution_id);
	n = ds_execute(DS_SQL_LOAD_HISTORY, &p);
	ops = MemoryContextAllocHuge(s.caller, (n + 1) * sizeof(DsOp));
	memset(ops, 0, (n + 1) * sizeof(DsOp));
	*n_ops = 0;
	for (uint64 i = 0; i < n; i++)
	{
		DsRow		row;

		load_row(&s, i, &row);
		/* one operation after the other, and its attempts in order */
		if (*n_ops == 0 || ops[*n_ops - 1].last.seq != row.seq)
			(*n_ops)++;
		ds_op_add_row(&ops[*n_ops - 1], &row);
	}
	ds_close_session(&s);
	return ops;
}

int
ds_store_load_ends(const DsInstance *inst, int n_tasks, const int *tasks,
				   DsRow **rows)
{
	DsSession	s;
	DsParameters p = {0};
	uint64		n;

	ds_open_session(&s);
	ds_add_uuid(&p, &inst->execution_id);
	ds_add_int_array(&p, n_tasks, tasks);
	n = ds_execute(DS_SQL_LOAD_ENDS, &p);
	*rows = MemoryContextAllocHuge(s.caller, (n + 1) * sizeof(DsRow));
	for (uint64 i = 0; i < n; i++)
		load_row(&s, i, &(*rows)[i]);
	ds_close_session(&s);
	return (int) n;
}

void
ds_store_add_row(const pg_uuid_t *execution_id, const DsRow *row)
{
	DsSession	s;

	ds_open_session(&s);
	put_row(execution_id, row);
	ds_close_session(&s);
}

void
ds_store_add_note(const DsInstance *inst, DsNoteKind kind, Jsonb *reason)
{
	DsSession	s;
	DsParameters p = {0};

	ds_open_session(&s);
	ds_add_uuid(&p, &inst->execution_id);
	ds_add_char(&p, kind);
	ds_add_jsonb(&p, reason);
	/* not before the wait for the row's lock was over */
	ds_add_time(&p, GetCurrentTimestamp());
	ds_execute(DS_SQL_INSERT_NOTE, &p);
	ds_close_session(&s);
}

Jsonb *
ds_store_story(const char *instance_id, bool outputs, bool inputs,
			   bool failures)
{
	DsSession	s;
	DsParameters p = {0};
	Jsonb	   *story = NULL;

	ds_open_session(&s);
	ds_add_text(&p, instance_id);
	ds_add_bool(&p, outputs);
	ds_add_bool(&p, inputs);
	ds_add_bool(&p, failures);
	if (ds_execute(DS_SQL_STORY, &p) > 0)
		story = ds_column_jsonb(&s, 0, 1);
	ds_close_session(&s);
	return story;
}

/* --- within a session --- */

void
ds_put_rows(const DsStepWrite *w)
{
	DsLoop		loop;

	if (w->n_rows > 0)
	{
		ds_loop_start(&loop);
		for (int i = 0; i < w->n_rows; i++)
		{
			put_row(&w->inst->execution_id, &w->rows[i]);
			if (w->rows[i].inbox_id != 0)
				ds_delete_message(&w->inst->run_id, w->rows[i].inbox_id);
			ds_loop_next(&loop);
		}
		ds_loop_end(&loop);
	}
	if (w->last_row != NULL)
		put_row(&w->inst->execution_id, w->last_row);
	for (int i = 0; i < w->n_rewound; i++)
	{
		DsParameters p = {0};

		ds_add_uuid(&p, &w->inst->execution_id);
		ds_add_int(&p, w->rewound[i].seq);
		ds_add_int(&p, w->rewound[i].attempt);
		ds_execute(DS_SQL_MARK_REWOUND, &p);
	}
}

void
ds_delete_history(const pg_uuid_t *execution_id)
{
	DsParameters p = {0};

	ds_add_uuid(&p, execution_id);
	ds_execute(DS_SQL_DELETE_HISTORY, &p);
}

static void
put_row(const pg_uuid_t *execution_id, const DsRow *row)
{
	DsParameters p = {0};

	ds_add_uuid(&p, execution_id);
	ds_add_int(&p, row->seq);
	ds_add_int(&p, row->attempt);
	ds_add_char(&p, row->kind);
	ds_add_char(&p, row->outcome);
	ds_add_bool(&p, row->parallel);
	ds_add_text(&p, row->name);
	ds_add_text(&p, row->child_id);
	ds_add_jsonb(&p, row->input);
	ds_add_jsonb(&p, row->result);
	ds_add_jsonb(&p, row->failure);
	ds_add_time(&p, row->scheduled_time);
	ds_add_time(&p, row->event_time);
	ds_add_time(&p, row->fire_at);
	ds_execute(DS_SQL_INSERT_HISTORY, &p);
}

/* Columns as in HISTORY_COLUMNS of statements.c. */
static void
load_row(const DsSession *s, int i, DsRow *row)
{
	int			col = 1;

	memset(row, 0, sizeof(*row));
	row->seq = ds_column_int(i, col++);
	row->attempt = ds_column_int(i, col++);
	row->kind = (DsOpKind) ds_column_char(i, col++);
	row->outcome = (DsOutcome) ds_column_char(i, col++);
	row->parallel = ds_column_bool(i, col++);
	row->name = ds_column_text(s, i, col++);
	row->child_id = ds_column_text(s, i, col++);
	row->result = ds_column_jsonb(s, i, col++);
	row->failure = ds_column_jsonb(s, i, col++);
	row->scheduled_time = ds_column_time(i, col++);
	row->event_time = ds_column_time(i, col++);
	row->fire_at = ds_column_time(i, col++);
	row->xmin = (TransactionId) ds_column_oid(i, col++);
}
