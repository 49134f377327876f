/*-------------------------------------------------------------------------
 *
 * store_history.c
 *	  Reads and writes the extension's tables: history.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/jsonb_build.h"
#include "store/operation.h"
#include "store/store_parts.h"
#include "store/table.h"

static void keep(const pg_uuid_t *execution_id, const DsRow *of, int attempt,
				 Jsonb *value);
static void mark_rewound(const DsStepWrite *w);
static void load_row(const DsSession *s, int i, DsRow *row);

DsOp *
ds_store_load_history(DsInstance *inst, int *n_ops)
{
	DsScan		scan;
	int			room = inst->history_length + 1;
	DsOp	   *ops = MemoryContextAllocHuge(CurrentMemoryContext,
											 room * sizeof(DsOp));

	*n_ops = 0;
	ds_table_scan_begin(&scan, DS_HISTORY,
						ds_table_uuid_key(&inst->execution_id));
	while (ds_table_scan_next(&scan))
	{
		DsRow		row;

		load_row(&scan.session, 0, &row);
		row.xmin = ds_table_scan_xmin(&scan);
		if (row.seq == 0)
		{
			/* the first one has all of them */
			if (row.attempt <= DS_KEPT_DEFAULTS && inst->n_defaults++ == 0)
				inst->defaults = row.result;
			continue;
		}
		/* operations in order, and for each its attempts in order */
		if (*n_ops == 0 || ops[*n_ops - 1].last.seq != row.seq)
		{
			/*
			 * more than the instance's row indicated: it has continued since
			 */
			if (*n_ops == room)
				ops = repalloc_huge(ops, (room *= 2) * sizeof(DsOp));
			memset(&ops[(*n_ops)++], 0, sizeof(DsOp));
		}
		ds_operation_add_row(&ops[*n_ops - 1], &row);
	}
	ds_table_scan_end(&scan);
	return ops;
}

int
ds_store_load_ends(const DsInstance *inst, int n_tasks, const int *tasks,
				   DsRow **rows)
{
	DsSession	s;
	DsParameters p = {0};
	uint64		n;

	ds_query_open(&s);
	ds_param_uuid(&p, &inst->execution_id);
	ds_param_int_array(&p, n_tasks, tasks);
	n = ds_query_execute(DS_SQL_LOAD_ENDS, &p);
	*rows = MemoryContextAllocHuge(s.caller, (n + 1) * sizeof(DsRow));
	for (uint64 i = 0; i < n; i++)
	{
		load_row(&s, i, &(*rows)[i]);
		(*rows)[i].xmin = (TransactionId) ds_column_oid(i, HISTORY_END);
	}
	ds_query_close(&s);
	return (int) n;
}

Jsonb *
ds_store_load_defaults(const pg_uuid_t *execution_id, int seq)
{
	DsScan		scan;
	Jsonb	   *defaults = NULL;

	ds_table_scan_begin(&scan, DS_HISTORY,
						ds_table_key2(UUIDPGetDatum(execution_id),
									  Int32GetDatum(seq)));
	if (ds_table_scan_next(&scan) &&
		ds_column_int(0, HISTORY_attempt) == DS_KEPT_DEFAULTS)
		defaults = ds_column_jsonb(&scan.session, 0, HISTORY_result);
	ds_table_scan_end(&scan);
	return defaults;
}

Jsonb *
ds_store_load_input(const pg_uuid_t *execution_id, int seq)
{
	DsScan		scan;
	Jsonb	   *input = NULL;

	ds_table_scan_begin(&scan, DS_HISTORY,
						ds_table_key2(UUIDPGetDatum(execution_id),
									  Int32GetDatum(seq)));
	while (ds_table_scan_next(&scan))
	{
		Jsonb	   *later = ds_column_jsonb(&scan.session, 0, HISTORY_input);

		if (later != NULL)
			input = later;
	}
	ds_table_scan_end(&scan);
	return input;
}

void
ds_store_add_row(const pg_uuid_t *execution_id, const DsRow *row)
{
	DsParameters p;

	if (row->defaults != NULL)
		keep(execution_id, row, DS_KEPT_DEFAULTS, row->defaults);
	ds_table_row_begin(&p, DS_HISTORY);
	ds_param_time(ds_param_at(&p, HISTORY_scheduled_time),
				  row->scheduled_time);
	ds_param_time(ds_param_at(&p, HISTORY_event_time), row->event_time);
	ds_param_time(ds_param_at(&p, HISTORY_fire_at), row->fire_at);
	ds_param_uuid(ds_param_at(&p, HISTORY_execution_id), execution_id);
	ds_param_int(ds_param_at(&p, HISTORY_seq), row->seq);
	ds_param_int(ds_param_at(&p, HISTORY_attempt), row->attempt);
	ds_param_char(ds_param_at(&p, HISTORY_kind), row->kind);
	ds_param_char(ds_param_at(&p, HISTORY_outcome), row->outcome);
	ds_param_bool(ds_param_at(&p, HISTORY_parallel), row->parallel);
	ds_param_text(ds_param_at(&p, HISTORY_name), row->name);
	ds_param_text(ds_param_at(&p, HISTORY_child_id), row->retry != NULL ?
				  JsonbToCString(NULL, &row->retry->root, VARSIZE(row->retry)) :
				  row->child_id);
	ds_param_jsonb(ds_param_at(&p, HISTORY_input), row->input);
	ds_param_jsonb(ds_param_at(&p, HISTORY_result), row->result);
	ds_param_jsonb(ds_param_at(&p, HISTORY_failure), row->failure);
	ds_table_insert(DS_HISTORY, &p);
}

/* Something of the operation that no view shows. */
static void
keep(const pg_uuid_t *execution_id, const DsRow *of, int attempt, Jsonb *value)
{
	DsRow		row = {0};

	row.seq = of->seq;
	row.attempt = attempt;
	row.kind = DS_OP_RECORD;
	row.outcome = DS_OUTCOME_SCHEDULED;
	row.result = value;
	row.scheduled_time = of->scheduled_time;
	row.event_time = of->event_time;
	ds_store_add_row(execution_id, &row);
}

void
ds_store_add_note(const DsInstance *inst, DsNoteKind kind, Jsonb *reason)
{
	DsSession	s;
	DsParameters p = {0};

	ds_query_open(&s);
	ds_param_uuid(&p, &inst->execution_id);
	ds_param_char(&p, kind);
	ds_param_jsonb(&p, reason);
	/* the time after the wait for the row's lock */
	ds_param_time(&p, GetCurrentTimestamp());
	ds_query_execute(DS_SQL_INSERT_NOTE, &p);
	ds_query_close(&s);
}

Jsonb *
ds_store_history_json(const char *instance_id, bool outputs, bool inputs,
					  bool failures)
{
	DsSession	s;
	DsParameters p = {0};
	Jsonb	   *story = NULL;

	ds_query_open(&s);
	ds_param_text(&p, instance_id);
	ds_param_bool(&p, outputs);
	ds_param_bool(&p, inputs);
	ds_param_bool(&p, failures);
	if (ds_query_execute(DS_SQL_HISTORY_JSON, &p) > 0)
		story = ds_column_jsonb(&s, 0, 1);
	ds_query_close(&s);
	return story;
}

/* --- parts of a step --- */

void
ds_store_put_rows(const DsStepWrite *w)
{
	DsLoop		loop;

	if (w->n_rows > 0)
	{
		ds_query_loop_start(&loop);
		for (int i = 0; i < w->n_rows; i++)
		{
			ds_store_add_row(&w->inst->execution_id, &w->rows[i]);
			ds_query_loop_next(&loop);
		}
		ds_query_loop_end(&loop);
		ds_store_delete_taken_messages(w);
	}
	if (w->last_row != NULL)
		ds_store_add_row(&w->inst->execution_id, w->last_row);
	if (w->n_rewound > 0)
		mark_rewound(w);
}

void
ds_store_put_defaults(const DsStepWrite *w)
{
	DsRow		whole = {.scheduled_time = w->now,.event_time = w->now};

	if (w->defaults != NULL)
		keep(&w->inst->execution_id, &whole,
			 DS_KEPT_DEFAULTS - w->inst->n_defaults, w->defaults);
}

static void
mark_rewound(const DsStepWrite *w)
{
	DsSession	s;

	ds_query_open(&s);
	for (int i = 0; i < w->n_rewound; i++)
	{
		DsParameters p = {0};

		ds_param_uuid(&p, &w->inst->execution_id);
		ds_param_int(&p, w->rewound[i].seq);
		ds_param_int(&p, w->rewound[i].attempt);
		ds_query_execute(DS_SQL_MARK_REWOUND, &p);
	}
	ds_query_close(&s);
}

void
ds_store_delete_history(const pg_uuid_t *execution_id)
{
	ds_query_run_for(DS_SQL_DELETE_HISTORY, execution_id, false);
}

/*
 * Reads the current row, or row i of the result of the last statement, without
 * xmin.
 */
static void
load_row(const DsSession *s, int i, DsRow *row)
{
	memset(row, 0, sizeof(*row));
	row->seq = ds_column_int(i, HISTORY_seq);
	row->attempt = ds_column_int(i, HISTORY_attempt);
	row->kind = (DsOpKind) ds_column_char(i, HISTORY_kind);
	row->outcome = (DsOutcome) ds_column_char(i, HISTORY_outcome);
	row->parallel = ds_column_bool(i, HISTORY_parallel);
	row->name = ds_column_text(s, i, HISTORY_name);
	row->child_id = ds_column_text(s, i, HISTORY_child_id);
	if (row->kind == DS_OP_ACTIVITY || row->kind == DS_OP_CHILD)
	{
		bool		isnull;
		Datum		input = ds_column(i, HISTORY_input, &isnull);

		row->input_hash = ds_jsonb_hash_datum(input, isnull);
	}
	row->result = ds_column_jsonb(s, i, HISTORY_result);
	row->failure = ds_column_jsonb(s, i, HISTORY_failure);
	row->scheduled_time = ds_column_time(i, HISTORY_scheduled_time);
	row->event_time = ds_column_time(i, HISTORY_event_time);
	row->fire_at = ds_column_time(i, HISTORY_fire_at);
}
