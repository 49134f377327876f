/*-------------------------------------------------------------------------
 *
 * arguments.h
 *	  Checks the arguments of SQL functions.
 *
 * None of the extension's functions is STRICT: a missing value raises SD400.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_ARGUMENTS_H
#define DS_ARGUMENTS_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* These return NULL (or zero) for a NULL argument. */
extern char *ds_arg_text(FunctionCallInfo fcinfo, int n);
extern Jsonb *ds_arg_payload(FunctionCallInfo fcinfo, int n, const char *what);

/* SD400 if the value, which may be NULL, is larger than max_payload_size. */
extern void ds_arg_check_payload(const Jsonb *payload, const char *what);

/* 1 to 256 bytes without control characters; otherwise SD400. */
extern char *ds_arg_instance_id(FunctionCallInfo fcinfo, int n);
extern char *ds_arg_event_name(FunctionCallInfo fcinfo, int n);
extern char *ds_arg_function_name(FunctionCallInfo fcinfo, int n);
extern char *ds_arg_name(FunctionCallInfo fcinfo, int n, const char *what);
extern void ds_arg_check_instance_id(const char *instance_id);

/* Argument n, called "name", must not be NULL; otherwise SD400. */
extern void ds_arg_require(FunctionCallInfo fcinfo, int n, const char *name);

/*
 * The current time plus the interval.  An interval computed from a deadline
 * may be negative because the deadline has passed; then this is the current
 * time.
 */
extern TimestampTz ds_arg_time_after(const Interval *span);

#endif
