/*-------------------------------------------------------------------------
 *
 * store_parts.h
 *	  What the files of the store do for each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STORE_PARTS_H
#define DS_STORE_PARTS_H

#include "store/query.h"
#include "store/store.h"

/* The rows of a step, the marks of a rewind, and the messages it has taken. */
extern void ds_store_put_rows(const DsStepWrite *w);
extern void ds_store_put_tasks(const DsStepWrite *w);
extern void ds_store_delete_taken_messages(const DsStepWrite *w);

/*
 * Of the current row of table instance: is it the execution and turn that was
 * read?  That is the fence.  *status: its status.
 */
extern bool ds_fence_passes(const DsInstance *inst, DsStatus *status);

/* The same, of the execution only. */
extern bool ds_fence_is_execution(const pg_uuid_t *execution_id);

extern TimestampTz ds_fence_last_updated_time(void);

/* Keeps so many past executions of the instance's id, the last ones. */
extern void ds_store_prune_archive(const DsInstance *inst, int keep);

extern void ds_store_delete_history(const pg_uuid_t *execution_id);
extern bool ds_store_delete_tasks(const pg_uuid_t *execution_id, bool limit_lock_wait);
extern void ds_store_delete_messages(const pg_uuid_t *run_id);
extern void ds_store_delete_events(const pg_uuid_t *run_id);

#endif
