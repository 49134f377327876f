/*-------------------------------------------------------------------------
 *
 * commit_counts.h
 *	  The counts of the current transaction, added to df_stat at its commit.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COMMIT_COUNTS_H
#define DS_COMMIT_COUNTS_H

#include "shmem/counters.h"

/* Called in the postmaster, when shared memory is set up. */
extern Size ds_commit_counts_size(void);
extern void ds_commit_counts_startup(void);

/* Counts one, unless the transaction or its current subtransaction aborts. */
extern void ds_commit_counts_add(DsCounter counter);

/*
 * The current transaction is about to be prepared under this name; and a
 * prepared transaction of this database has been committed or rolled back.
 */
extern void ds_commit_counts_prepare_as(const char *gid);
extern void ds_commit_counts_finish_prepared(const char *gid, bool committed);

/* --- for at_commit.c --- */

extern void ds_commit_counts_at_commit(void);
extern void ds_commit_counts_at_prepare(void);
extern void ds_commit_counts_at_abort(void);
extern void ds_commit_counts_at_subxact_commit(SubTransactionId subid,
											   SubTransactionId parent);
extern void ds_commit_counts_at_subxact_abort(SubTransactionId subid);

#endif
