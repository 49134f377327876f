/*-------------------------------------------------------------------------
 *
 * failure.h
 *	  Errors as jsonb, and back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FAILURE_H
#define DS_FAILURE_H

#include "compat.h"
#include "utils/jsonb.h"

/* {"sqlstate", "message", "detail", "hint", "context", "schema", ...} */
extern Jsonb *ds_failure_from_error(const ErrorData *edata);

/* True for a cancel request or a time-out of this very statement. */
extern bool ds_error_is_cancel(const ErrorData *edata);

/* Raises the error that the failure tells of. */
pg_noreturn extern void ds_failure_raise(const Jsonb *failure);

/* A string in it, or NULL. */
extern char *ds_failure_field(const Jsonb *failure, const char *key);

#endif
