/*-------------------------------------------------------------------------
 *
 * failure.h
 *	  Errors as jsonb, and back.
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
 * The SQLSTATE that an orchestrator sees where a task of it failed with this
 * one, if that is another.  PL/pgSQL's OTHERS catches neither query_canceled
 * nor assert_failure, for they concern the code that raises them.  The time-out
 * of a task does not concern the orchestrator, which may have to compensate.
 * NULL: the same one.
 */
extern const char *ds_failure_raised_as(const char *sqlstate);

/*
 * The same with the task that failed: name, number, how often it was tried,
 * and of a child the instance id (else NULL); and with "raised_as", where
 * that is another SQLSTATE.
 */
extern Jsonb *ds_failure_of_task(const Jsonb *failure, const char *name,
								 int seq, int attempts, const char *child_id);

/*
 * The failure of an orchestrator.  If it is the one that it met last ("met",
 * or NULL), it tells of the same task, with the SQLSTATE of that.
 */
extern Jsonb *ds_failure_let_through(Jsonb *failure, const Jsonb *delivered);

/* True for a cancel request or a time-out of this very statement. */
extern bool ds_failure_is_cancel(const ErrorData *edata);

/* Raises the error that the failure tells of. */
pg_noreturn extern void ds_failure_raise(const Jsonb *failure);

/* A string in it, or NULL. */
extern char *ds_failure_field(const Jsonb *failure, const char *key);

#endif
