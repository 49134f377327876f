/*-------------------------------------------------------------------------
 *
 * store_parts.h
 *	  Declarations shared by the files of the store.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STORE_PARTS_H
#define DS_STORE_PARTS_H

#include "store/query.h"
#include "store/store.h"

/*
 * Write a step's rows, the marks of a rewind, and delete the messages it took.
 */
extern void ds_store_put_rows(const DsStepWrite *w);
extern void ds_store_put_defaults(const DsStepWrite *w);
extern void ds_store_put_tasks(const DsStepWrite *w);
extern void ds_store_delete_taken_messages(const DsStepWrite *w);

/*
 * Runs a statement whose parameters are the instance and the execution that
 * was read.  False: there is no such row, or its status does not fit.
 */
extern bool ds_store_change_status(DsStatementId statement,
								   const DsInstance *inst,
								   bool limit_lock_wait);

/* Keeps that many past executions of the instance's id, the latest ones. */
extern void ds_store_prune_archive(const DsInstance *inst, int keep);

extern void ds_store_delete_history(const pg_uuid_t *execution_id);
extern bool ds_store_delete_tasks(const pg_uuid_t *execution_id,
								  bool limit_lock_wait);
extern void ds_store_delete_messages(const pg_uuid_t *run_id);
extern void ds_store_delete_events(const pg_uuid_t *run_id);

#endif
