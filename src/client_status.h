/*-------------------------------------------------------------------------
 *
 * client_status.h
 *	  The status of an instance as clients see it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CLIENT_STATUS_H
#define DS_CLIENT_STATUS_H

#include "funcapi.h"
#include "instance.h"

/*
 * Adds the row of type df_status to the result of a set-returning function.
 * Before an end is reported its commit is made durable.
 */
extern void ds_status_put(ReturnSetInfo *result, const DsInstance *inst,
						  Jsonb *history, bool show_input);

/* The same, without history, as an object. */
extern Jsonb *ds_status_to_jsonb(const DsInstance *inst);

#endif
