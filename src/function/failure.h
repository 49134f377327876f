/*-------------------------------------------------------------------------
 *
 * failure.h
 *	  Converts errors to jsonb and back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FAILURE_H
#define DS_FAILURE_H

#include "base/compat.h"
#include "utils/jsonb.h"

/* {"sqlstate", "message", "detail", "hint", "context", "schema", ...} */
extern Jsonb *ds_failure_from_error(const ErrorData *edata);

/*
 * The SQLSTATE that an orchestrator sees if a task failed with this one, in
 * case it is different.  PL/pgSQL's OTHERS catches neither query_canceled nor
 * assert_failure, because they concern the code that raises them.  The timeout
 * of a task does not concern the orchestrator, which may have to compensate.
 * Returns NULL if the SQLSTATE is unchanged.
 */
extern const char *ds_failure_raised_as(const char *sqlstate);

/*
 * Adds the failed task to a failure: its name, its number, the number of
 * attempts and, for a child, its instance id (otherwise NULL); and
 * "raised_as", if that is another SQLSTATE.
 */
extern Jsonb *ds_failure_of_task(const Jsonb *failure, const char *name,
								 int seq, int attempts, const char *child_id);

/*
 * The failure of an orchestrator.  If it is the failure that was delivered to
 * it last ("delivered", or NULL), it names the same task, with the SQLSTATE of
 * that failure.
 */
extern Jsonb *ds_failure_let_through(Jsonb *failure, const Jsonb *delivered);

/* True for a cancel request or a timeout of the current statement. */
extern bool ds_failure_is_cancel(const ErrorData *edata);

/* Raises the error described by a failure. */
pg_noreturn extern void ds_failure_raise(const Jsonb *failure);

/* A string in a failure, or NULL. */
extern char *ds_failure_field(const Jsonb *failure, const char *key);

#endif
