/*-------------------------------------------------------------------------
 *
 * replay_check.c
 *	  Checks that a replay requests what the history has.
 *
 * Code that reads changing data could otherwise take the result of one row for
 * that of another without noticing.
 *
 * The inputs of a long history stay in the table: a hash of each is sufficient
 * to see that a replay passes the same bytes.  If it differs, the input is
 * read and compared as jsonb, because 1 and 1.0 are equal.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/jsonb_build.h"
#include "base/settings.h"
#include "function/failure.h"
#include "orchestrator/replay_check.h"
#include "store/store.h"

/* The limit of each of the two texts in a message. */
#define MAX_TEXT	200

static bool is_checked(const DsReplay *replay, const DsOp *op);
static void check_input(DsReplay *replay, DsOp *op, const Jsonb *input);
static bool is_equal(const Jsonb *a, const Jsonb *b);
pg_noreturn static void mismatch(DsReplay *replay, const DsOp *op,
								 const char *what, const char *history,
								 const char *code);
static char *as_text(const Jsonb *value);
static Jsonb *from_text(DsReplay *replay, char *text);
static char *value_text(const Jsonb *value);

void
ds_replay_check_activity(DsReplay *replay, DsOp *op, const Jsonb *input,
						 const Jsonb *retry)
{
	if (!is_checked(replay, op))
		return;
	check_input(replay, op, input);
	/* written in the same way as when it was recorded, or at the last pass? */
	if (op->kept_retry == NULL && op->last.child_id != NULL &&
		retry != NULL && strcmp(op->last.child_id, as_text(retry)) == 0)
		op->kept_retry = ds_replay_copy(replay, retry);
	else if (op->kept_retry == NULL && op->last.child_id != NULL)
		op->kept_retry = from_text(replay, op->last.child_id);
	if (op->kept_retry != NULL && !is_equal(op->kept_retry, retry))
		mismatch(replay, op, _("retry policy"), value_text(op->kept_retry),
				 value_text(retry));
}

void
ds_replay_check_child(DsReplay *replay, DsOp *op, const Jsonb *input,
					  const char *id)
{
	if (!is_checked(replay, op))
		return;
	if (op->last.child_id != NULL && strcmp(op->last.child_id, id) != 0)
		mismatch(replay, op, _("instance ID"),
				 psprintf("\"%s\"", op->last.child_id),
				 psprintf("\"%s\"", id));
	check_input(replay, op, input);
}

void
ds_replay_check_timer(DsReplay *replay, const DsOp *op, TimestampTz fire_at)
{
	if (!is_checked(replay, op) || op->last.fire_at == fire_at)
		return;
	mismatch(replay, op, "fire_at",
			 pstrdup(timestamptz_to_str(op->last.fire_at)),
			 pstrdup(timestamptz_to_str(fire_at)));
}

/*
 * After a rewind, code that was fixed may request other arguments for the
 * operations that run again.
 */
static bool
is_checked(const DsReplay *replay, const DsOp *op)
{
	return ds_check_replay_input &&
		!(replay->inst->rewinding && op->last.outcome == DS_OUTCOME_FAILED);
}

static void
check_input(DsReplay *replay, DsOp *op, const Jsonb *input)
{
	const Jsonb *recorded = op->known_input;
	uint64		hash;

	if (recorded != NULL)
	{
		if (!is_equal(recorded, input))
			mismatch(replay, op, _("input"), value_text(recorded),
					 value_text(input));
		return;
	}
	if (op->input_hash == 0)
		return;
	hash = ds_jsonb_hash(input);
	if (op->input_hash == hash)
		return;
	recorded = ds_store_load_input(&replay->inst->execution_id, op->last.seq);
	if (!is_equal(recorded, input))
		mismatch(replay, op, _("input"), value_text(recorded),
				 value_text(input));
	/* it is the same value in another form, and will be in the next pass */
	op->input_hash = hash;
}

static bool
is_equal(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0)
		return true;
	return compareJsonbContainers(unconstify(JsonbContainer *, &a->root),
								  unconstify(JsonbContainer *, &b->root)) == 0;
}

static void
mismatch(DsReplay *replay, const DsOp *op, const char *what,
		 const char *history, const char *code)
{
	/* the step is the one just passed */
	replay->cursor--;
	ds_replay_mismatch(replay,
					   psprintf(_("History has %s with the %s %s; the code gave %s."),
								ds_replay_describe(op->last.kind,
												   op->last.parallel,
												   op->last.name),
								what, history, code));
	ds_failure_raise(replay->violation);
}

static char *
as_text(const Jsonb *value)
{
	return JsonbToCString(NULL, unconstify(JsonbContainer *, &value->root),
						  VARSIZE(value));
}

static Jsonb *
from_text(DsReplay *replay, char *text)
{
	Datum		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));

	return ds_replay_copy(replay, DatumGetJsonbP(value));
}

static char *
value_text(const Jsonb *value)
{
	char	   *text;

	if (value == NULL)
		return pstrdup("NULL");
	text = as_text(value);

	if (strlen(text) > MAX_TEXT)
		return psprintf("%.*s...", pg_mbcliplen(text, strlen(text), MAX_TEXT),
						text);
	return text;
}
