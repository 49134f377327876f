/*-------------------------------------------------------------------------
 *
 * commit_hints.h
 *	  Notifications of other processes after the commit of a transaction.
 *
 * Each call remembers a notification for the commit of the current
 * transaction. A rollback drops it; a rollback to a savepoint does so where it
 * would do harm: an instance that a rolled back subtransaction considered
 * ready or ended may still be announced, because hints may be wrong, but no
 * step is interrupted for it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COMMIT_HINTS_H
#define DS_COMMIT_HINTS_H

#include "store/store.h"

extern Size ds_commit_hint_size(void);
extern void ds_commit_hint_startup(void);

/* The owner's instance is ready at that time (now or earlier: immediately). */
extern void ds_commit_hint_ready(Oid owner, const char *instance_id,
								 TimestampTz at);

/* The same for one that was started in this transaction. */
extern void ds_commit_hint_started(const DsStart *start);

/* The task exists and is ready. */
extern void ds_commit_hint_task(const DsTask *task);

/* Some work of the owner may be ready. */
extern void ds_commit_hint_rescan(Oid owner);

/* The execution was ended from outside: interrupt its step. */
extern void ds_commit_hint_cancel(const char *instance_id,
								  const pg_uuid_t *execution_id);

/* The instance has ended: wake the sessions that wait for it. */
extern void ds_commit_hint_ended(const char *instance_id);

/*
 * Request a visit of the janitor to the database; InvalidOid: to all of them.
 */
extern void ds_commit_hint_visit(Oid database);

/* The extension is dropped: its workers must leave this database. */
extern void ds_commit_hint_evict(void);

/*
 * May a prepared transaction have notifications?  There is no callback at
 * COMMIT PREPARED, so utility_hook.c requests a rescan then.
 */
extern bool ds_commit_hint_has_prepared(void);

/* --- for at_commit.c --- */

extern void ds_commit_hint_at_commit(void);
extern void ds_commit_hint_at_prepare(void);
extern void ds_commit_hint_at_abort(void);
extern void ds_commit_hint_at_subxact_commit(SubTransactionId subid,
											 SubTransactionId parent);
extern void ds_commit_hint_at_subxact_abort(SubTransactionId subid);

/* The committed transaction has released its locks. */
extern void ds_commit_hint_send(void);

#endif
