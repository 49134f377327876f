/*-------------------------------------------------------------------------
 *
 * fence.h
 *	  The fence: checks that the row of an instance is still as it was read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FENCE_H
#define DS_FENCE_H

#include "store/instance.h"

/* All of these check the current row of table instance. */

/*
 * Checks that the row has the execution and turn that were read, and sets
 * *status to its status.  If a write of a step fails this check, the whole
 * transaction is rolled back.
 */
extern bool ds_fence_passes(const DsInstance *inst, DsStatus *status);

/* The same for the execution only. */
extern bool ds_fence_is_execution(const pg_uuid_t *execution_id);

extern TimestampTz ds_fence_last_updated_time(void);

#endif
