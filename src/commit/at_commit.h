/*-------------------------------------------------------------------------
 *
 * at_commit.h
 *	  What has to be told to others once the transaction has committed.
 *
 * Each call remembers something for the commit of the present transaction;
 * a rollback forgets it, and so does one to a savepoint where it would do
 * harm: what a rolled back subtransaction held for ready or ended may still be
 * told, as hints may be wrong, but no step is interrupted for it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_AT_COMMIT_H
#define DS_AT_COMMIT_H

#include "store/store.h"

extern void ds_at_commit_init(void);
extern Size ds_at_commit_size(void);
extern void ds_at_commit_startup(void);

/* The owner's instance is ready at that time (now or earlier: at once). */
extern void ds_at_commit_ready(Oid owner, const char *instance_id, TimestampTz at);

/* The same for one that was started in this transaction. */
extern void ds_at_commit_started(const DsStart *start);

/* The task is there and ready. */
extern void ds_at_commit_task(const DsTask *task);

/* Some work of the owner may be ready. */
extern void ds_at_commit_rescan(Oid owner);

/* The execution was ended by somebody else: interrupt its step. */
extern void ds_at_commit_cancel(const char *instance_id,
								const pg_uuid_t *execution_id);

/* The instance has ended: wake who waits for it. */
extern void ds_at_commit_ended(const char *instance_id);

/* The janitor shall visit the database; InvalidOid: all of them. */
extern void ds_at_commit_visit(Oid database);

/* The extension goes: its workers shall leave this database. */
extern void ds_at_commit_evict(void);

/*
 * May a prepared transaction have something to tell?  No callback comes at
 * COMMIT PREPARED, so utility_hook.c asks for a rescan then.
 */
extern bool ds_at_commit_has_prepared(void);

#endif
