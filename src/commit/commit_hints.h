/*-------------------------------------------------------------------------
 *
 * commit_hints.h
 *	  What has to be told to others once the transaction has committed.
 *
 * Each call remembers something for the commit of the present transaction;
 * a rollback forgets it, and so does one to a savepoint where it would do
 * harm: what a rolled back subtransaction held for ready or ended may still be
 * told, as hints may be wrong, but no step is interrupted for it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COMMIT_HINTS_H
#define DS_COMMIT_HINTS_H

#include "store/store.h"

extern Size ds_commit_hint_size(void);
extern void ds_commit_hint_startup(void);

/* The owner's instance is ready at that time (now or earlier: at once). */
extern void ds_commit_hint_ready(Oid owner, const char *instance_id, TimestampTz at);

/* The same for one that was started in this transaction. */
extern void ds_commit_hint_started(const DsStart *start);

/* The task is there and ready. */
extern void ds_commit_hint_task(const DsTask *task);

/* Some work of the owner may be ready. */
extern void ds_commit_hint_rescan(Oid owner);

/* The execution was ended by somebody else: interrupt its step. */
extern void ds_commit_hint_cancel(const char *instance_id,
								  const pg_uuid_t *execution_id);

/* The instance has ended: wake who waits for it. */
extern void ds_commit_hint_ended(const char *instance_id);

/* The janitor shall visit the database; InvalidOid: all of them. */
extern void ds_commit_hint_visit(Oid database);

/* The extension goes: its workers shall leave this database. */
extern void ds_commit_hint_evict(void);

/*
 * May a prepared transaction have something to tell?  No callback comes at
 * COMMIT PREPARED, so utility_hook.c asks for a rescan then.
 */
extern bool ds_commit_hint_has_prepared(void);

/* --- for at_commit.c --- */

extern void ds_commit_hint_at_commit(void);
extern void ds_commit_hint_at_prepare(void);
extern void ds_commit_hint_at_abort(void);
extern void ds_commit_hint_at_subxact_commit(SubTransactionId subid,
											 SubTransactionId parent);
extern void ds_commit_hint_at_subxact_abort(SubTransactionId subid);

/* The transaction that has committed has released its locks. */
extern void ds_commit_hint_send(void);

#endif
