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
 * Runs a statement whose parameters are the instance and the execution that
 * was read.  False: it found no such row, or not in that status.
 */
extern bool ds_store_change_status(DsStatementId statement,
								   const DsInstance *inst,
								   bool limit_lock_wait);

/* Keeps so many past executions of the instance's id, the last ones. */
extern void ds_store_prune_archive(const DsInstance *inst, int keep);

extern void ds_store_delete_history(const pg_uuid_t *execution_id);
extern bool ds_store_delete_tasks(const pg_uuid_t *execution_id, bool limit_lock_wait);
extern void ds_store_delete_messages(const pg_uuid_t *run_id);
extern void ds_store_delete_events(const pg_uuid_t *run_id);

#endif
