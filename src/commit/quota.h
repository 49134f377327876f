/*-------------------------------------------------------------------------
 *
 * quota.h
 *	  The number of active instances of a role: max_active_instances.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_QUOTA_H
#define DS_QUOTA_H

#include "base/settings.h"

/* Called in the postmaster, when shared memory is set up. */
extern Size ds_quota_size(void);
extern void ds_quota_startup(void);

/*
 * The number of roles whose instances are counted.  Changed under the shared
 * lock; it may be read without the lock where an outdated value is harmless.
 */
extern int *ds_quota_n_roles;

/* For a transaction whose roles are counted, or need to be. */
extern void ds_quota_take_counted(Oid owner, bool enforce);
extern void ds_quota_give_back_counted(Oid owner);
extern void ds_quota_check_counted(Oid owner);

/*
 * The current transaction has ended an active instance of the owner.  Recorded
 * in any case: this transaction may be the first to count them.
 */
extern void ds_quota_ended(Oid owner);

/* The extension was dropped from the database, or the database itself. */
extern void ds_quota_forget_database(Oid database);

/*
 * The current transaction makes an instance of the owner active.  Enforce:
 * 53400 if the limit of this session does not allow another one.
 */
static inline void
ds_quota_take(Oid owner, bool enforce)
{
	if (*ds_quota_n_roles > 0 || (enforce && ds_max_active_instances >= 0))
		ds_quota_take_counted(owner, enforce);
}

/* It has not made one active, after all. */
static inline void
ds_quota_give_back(Oid owner)
{
	if (*ds_quota_n_roles > 0)
		ds_quota_give_back_counted(owner);
}

/* 53400 if the owner may not have another one at the moment. */
static inline void
ds_quota_check(Oid owner)
{
	if (ds_max_active_instances >= 0)
		ds_quota_check_counted(owner);
}

/* --- for at_commit.c --- */

extern void ds_quota_at_commit(void);
extern void ds_quota_at_prepare(void);
extern void ds_quota_at_abort(void);
extern void ds_quota_at_subxact_commit(SubTransactionId subid,
									   SubTransactionId parent);
extern void ds_quota_at_subxact_abort(SubTransactionId subid);

#endif
