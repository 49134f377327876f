/*-------------------------------------------------------------------------
 *
 * execution_id.h
 *	  Generates ids of executions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_EXECUTION_ID_H
#define DS_EXECUTION_ID_H

#include "utils/uuid.h"

/* Time-ordered (UUID version 7): rows of one time are adjacent in an index. */
extern pg_uuid_t ds_execution_id_new(void);

#endif
