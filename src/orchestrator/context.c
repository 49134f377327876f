/*-------------------------------------------------------------------------
 *
 * context.c
 *	  The functions for orchestrators, except those for tasks.
 *
 * They read and change the replay only in memory.  A write to a table would be
 * rolled back with the pass, and would look like a write of the orchestrator.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/cryptohash.h"
#include "common/sha1.h"
#include "fmgr.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/no_time.h"
#include "orchestrator/context.h"
#include "orchestrator/replay_check.h"
#include "orchestrator/retry_policy.h"
#include "shmem/shared.h"

PG_FUNCTION_INFO_V1(ds_call_activity);
PG_FUNCTION_INFO_V1(ds_create_timer);
PG_FUNCTION_INFO_V1(ds_wait_for_external_event);
PG_FUNCTION_INFO_V1(ds_continue_as_new);
PG_FUNCTION_INFO_V1(ds_record);
PG_FUNCTION_INFO_V1(ds_patched);
PG_FUNCTION_INFO_V1(ds_set_custom_status);
PG_FUNCTION_INFO_V1(ds_current_utc_datetime);
PG_FUNCTION_INFO_V1(ds_new_guid);
PG_FUNCTION_INFO_V1(ds_is_replaying);
PG_FUNCTION_INFO_V1(ds_instance_id);
PG_FUNCTION_INFO_V1(ds_execution_id);
PG_FUNCTION_INFO_V1(ds_parent_instance_id);

static DsReplay *enter(const char *function);

/* df_call_activity(function_name, input, retry) */
PGDLLEXPORT Datum
ds_call_activity(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_call_activity()");
	char	   *name = ds_arg_function_name(fcinfo, 0);
	Jsonb	   *input = ds_arg_payload(fcinfo, 1, "input");
	Jsonb	   *retry = ds_context_retry(fcinfo, 2);
	DsOp	   *op = ds_replay_next(replay, DS_OP_ACTIVITY, false, name);

	if (op != NULL)
		ds_replay_check_activity(replay, op, input, retry);
	/* new, or to be retried */
	if (op == NULL || !ds_op_has_ended(op) || ds_replay_rewind(replay, op))
	{
		DsRequest  *request = &replay->request;

		request->kind = DS_OP_ACTIVITY;
		request->seq = op ? op->last.seq : 0;
		request->name = ds_replay_strdup(replay, name);
		request->input = ds_replay_copy(replay, input);
		request->retry = ds_replay_copy(replay, retry);
		request->search_path = ds_replay_strdup(replay, namespace_search_path);
		ds_replay_suspend(replay);
	}
	return ds_context_return(fcinfo, ds_replay_result(replay, op));
}

/* df_create_timer(delay, fire_at) */
PGDLLEXPORT Datum
ds_create_timer(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_create_timer()");
	const DsOp *op;

	ds_context_check_timer(fcinfo, "df_create_timer");
	op = ds_replay_next(replay, DS_OP_TIMER, false, NULL);
	if (op != NULL)
		ds_context_check_fire_at(fcinfo, replay, op);
	else
	{
		DsRequest  *request = &replay->request;

		request->kind = request->wait.kind = DS_OP_TIMER;
		request->wait.since = GetCurrentTimestamp();
		request->wait.fire_at = ds_context_timer(fcinfo);
		ds_replay_suspend(replay);
	}
	PG_RETURN_VOID();
}

/* df_wait_for_external_event(event_name, timeout, default_value) */
PGDLLEXPORT Datum
ds_wait_for_external_event(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_wait_for_external_event()");
	char	   *name = ds_arg_event_name(fcinfo, 0);
	Jsonb	   *default_value = ds_arg_payload(fcinfo, 2, "default_value");
	DsOp	   *op = ds_replay_next(replay, DS_OP_EVENT, false, name);

	if (op == NULL)
	{
		DsRequest  *request = &replay->request;

		request->kind = request->wait.kind = DS_OP_EVENT;
		request->wait.name = ds_replay_strdup(replay, name);
		request->wait.since = GetCurrentTimestamp();
		if (!PG_ARGISNULL(1))
			request->wait.fire_at = ds_arg_time_after(PG_GETARG_INTERVAL_P(1));
		request->wait.default_value = ds_replay_copy(replay, default_value);
		ds_replay_suspend(replay);
	}
	return ds_context_return(fcinfo, ds_replay_result(replay, op));
}

/*
 * df_continue_as_new(input, preserve_unprocessed_events)
 *
 * Returns, so that the orchestrator can return as well and its writes are
 * kept.  If it makes another durable call instead, this ends the execution,
 * too.
 */
PGDLLEXPORT Datum
ds_continue_as_new(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_continue_as_new()");
	Jsonb	   *input = ds_arg_payload(fcinfo, 0, "input");

	ds_arg_require(fcinfo, 1, "preserve_unprocessed_events");
	replay->continued = true;
	replay->next_input = ds_replay_copy(replay, input);
	replay->keep_events = PG_GETARG_BOOL(1);
	PG_RETURN_VOID();
}

/* df_record(value) */
PGDLLEXPORT Datum
ds_record(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_record()");
	Jsonb	   *value = ds_arg_payload(fcinfo, 0, "value");
	DsOp	   *op = ds_replay_next(replay, DS_OP_RECORD, false, NULL);

	if (op == NULL)
	{
		ds_context_record(replay, DS_OP_RECORD, NULL, value);
		op = ds_replay_next(replay, DS_OP_RECORD, false, NULL);
	}
	return ds_context_return(fcinfo, ds_replay_result(replay, op));
}

/*
 * df_patched(name)
 *
 * Returns true if the execution reaches this call for the first time now,
 * which is then recorded, or has recorded it in the past.  An execution that
 * has passed this point with other code has more history ahead, and gets
 * false, now and for the rest of the pass.
 */
PGDLLEXPORT Datum
ds_patched(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = ds_context_enter_durable("df_patched()");
	char	   *name = ds_arg_name(fcinfo, 0, "name");
	ListCell   *cell;
	MemoryContext old;

	for (int i = 0; i < replay->n_ops; i++)
	{
		const DsRow *row = &replay->ops[i].last;

		if (row->kind == DS_OP_PATCH && strcmp(row->name, name) == 0)
			PG_RETURN_BOOL(true);
	}
	foreach(cell, replay->unpatched)
	{
		if (strcmp(lfirst(cell), name) == 0)
			PG_RETURN_BOOL(false);
	}
	if (ds_replay_at_end(replay))
	{
		ds_context_record(replay, DS_OP_PATCH, name, NULL);
		PG_RETURN_BOOL(true);
	}
	old = MemoryContextSwitchTo(replay->scratch);
	replay->unpatched = lappend(replay->unpatched, pstrdup(name));
	MemoryContextSwitchTo(old);
	PG_RETURN_BOOL(false);
}

/* df_set_custom_status(custom_status) */
PGDLLEXPORT Datum
ds_set_custom_status(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = enter("df_set_custom_status()");
	Jsonb	   *value = ds_arg_payload(fcinfo, 0, "custom_status");

	if (replay->custom_status_set && replay->custom_status != NULL)
		pfree(replay->custom_status);
	replay->custom_status_set = true;
	replay->custom_status = ds_replay_copy(replay, value);
	PG_RETURN_VOID();
}

/*
 * df_current_utc_datetime()
 *
 * The time of the last operation that the code has passed, or else the start
 * of the first pass: the same at every replay, and never going back.
 */
PGDLLEXPORT Datum
ds_current_utc_datetime(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = enter("df_current_utc_datetime()");

	if (replay->cursor == 0)
		replay->clock_used = true;
	PG_RETURN_TIMESTAMPTZ(replay->clock);
}

/*
 * df_new_guid()
 *
 * RFC 9562, version 5: SHA-1 of the execution id and a counter.
 */
PGDLLEXPORT Datum
ds_new_guid(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = enter("df_new_guid()");
	uint32		counter = pg_hton32(++replay->n_guids);
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA1);
	uint8		digest[SHA1_DIGEST_LENGTH];
	pg_uuid_t  *guid = palloc(sizeof(pg_uuid_t));

	if (hash == NULL || pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, replay->inst->execution_id.data, UUID_LEN) < 0 ||
		pg_cryptohash_update(hash, (uint8 *) &counter, sizeof(counter)) < 0 ||
		pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a SHA-1 hash");
	pg_cryptohash_free(hash);
	memcpy(guid->data, digest, UUID_LEN);
	guid->data[6] = (guid->data[6] & 0x0f) | 0x50;
	guid->data[8] = (guid->data[8] & 0x3f) | 0x80;
	PG_RETURN_UUID_P(guid);
}

/*
 * df_is_replaying()
 *
 * True for operations that an earlier pass has seen: those that existed when
 * this pass began, up to the await of the tasks that ended the wait.
 */
PGDLLEXPORT Datum
ds_is_replaying(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = enter("df_is_replaying()");

	PG_RETURN_BOOL(replay->cursor < replay->n_at_start ||
				   replay->awaited > 0);
}

/* df_instance_id() */
PGDLLEXPORT Datum
ds_instance_id(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = enter("df_instance_id()");

	PG_RETURN_TEXT_P(cstring_to_text(replay->inst->instance_id));
}

/* df_execution_id() */
PGDLLEXPORT Datum
ds_execution_id(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = enter("df_execution_id()");
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	*id = replay->inst->execution_id;
	PG_RETURN_UUID_P(id);
}

/* df_parent_instance_id() */
PGDLLEXPORT Datum
ds_parent_instance_id(PG_FUNCTION_ARGS)
{
	DsReplay   *replay = enter("df_parent_instance_id()");

	if (replay->inst->parent.instance_id == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(replay->inst->parent.instance_id));
}

/* --- for context_tasks.c, too --- */

static DsReplay *
enter(const char *function)
{
	ds_shared_require();
	return ds_replay_enter(function);
}

DsReplay *
ds_context_enter_durable(const char *function)
{
	ds_shared_require();
	return ds_replay_enter_durable(function);
}

Datum
ds_context_return(FunctionCallInfo fcinfo, const Jsonb *result)
{
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(result);
}

Jsonb *
ds_context_retry(FunctionCallInfo fcinfo, int n)
{
	Jsonb	   *retry = PG_ARGISNULL(n) ? NULL : PG_GETARG_JSONB_P(n);

	ds_retry_check(retry);
	return retry;
}

void
ds_context_check_timer(FunctionCallInfo fcinfo, const char *function)
{
	if (PG_ARGISNULL(0) == PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("%s needs either delay or fire_at", function),
				 errhint("Write %s('5 minutes') or %s(fire_at => ...).",
						 function, function)));
}

TimestampTz
ds_context_timer(FunctionCallInfo fcinfo)
{
	TimestampTz fire_at = PG_ARGISNULL(0) ? PG_GETARG_TIMESTAMPTZ(1) :
	ds_arg_time_after(PG_GETARG_INTERVAL_P(0));

	return ds_some_time(fire_at);
}

void
ds_context_check_fire_at(FunctionCallInfo fcinfo, DsReplay *replay,
						 const DsOp *op)
{
	if (!PG_ARGISNULL(1))
		ds_replay_check_timer(replay, op, ds_context_timer(fcinfo));
}

void
ds_context_record(DsReplay *replay, DsOpKind kind, const char *name,
				  const Jsonb *value)
{
	DsRow		row = {0};

	row.attempt = 1;
	row.kind = kind;
	row.outcome = DS_OUTCOME_COMPLETED;
	row.name = ds_replay_strdup(replay, name);
	row.result = ds_replay_copy(replay, value);
	row.scheduled_time = row.event_time = GetCurrentTimestamp();
	ds_replay_add(replay, &row);
}
