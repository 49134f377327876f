/*-------------------------------------------------------------------------
 *
 * fence.h
 *	  The fence: is the row of an instance still what was read?
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FENCE_H
#define DS_FENCE_H

#include "store/instance.h"

/* All of these look at the current row of table instance. */

/*
 * Is it the execution and turn that was read?  *status: its status.  A write
 * of a step that is not lets the whole transaction be rolled back.
 */
extern bool ds_fence_passes(const DsInstance *inst, DsStatus *status);

/* The same, of the execution only. */
extern bool ds_fence_is_execution(const pg_uuid_t *execution_id);

extern TimestampTz ds_fence_last_updated_time(void);

#endif
