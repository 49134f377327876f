/*-------------------------------------------------------------------------
 *
 * at_commit.c
 *	  Work at the end of a transaction: the one place of transaction callbacks.
 *
 * It has three subscribers: hints to other processes, the counts of df_stat,
 * and the number of active instances of a role.  Each records the actions of
 * the transaction, and is called here at its end.
 *
 * A COMMIT has two points.  Its callback comes before the transaction's
 * invalidation messages are sent and its locks released: a worker woken at
 * that point could run the old version of a function that the same transaction
 * has replaced.  So hints are sent later, after the locks were released.  At
 * both points an error would be a PANIC: everything needed must be allocated
 * before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "commit/at_commit.h"
#include "commit/commit_counts.h"
#include "commit/commit_hints.h"
#include "commit/quota.h"
#include "shmem/incarnation.h"

typedef struct Subscriber
{
	void		(*commit) (void);
	void		(*prepare) (void);
	void		(*abort) (void);
	void		(*subxact_commit) (SubTransactionId subid,
								   SubTransactionId parent);
	void		(*subxact_abort) (SubTransactionId subid);
} Subscriber;

static const Subscriber subscribers[] = {
	{
		ds_commit_hint_at_commit, ds_commit_hint_at_prepare,
		ds_commit_hint_at_abort, ds_commit_hint_at_subxact_commit,
		ds_commit_hint_at_subxact_abort
	},
	{
		ds_commit_counts_at_commit, ds_commit_counts_at_prepare,
		ds_commit_counts_at_abort, ds_commit_counts_at_subxact_commit,
		ds_commit_counts_at_subxact_abort
	},
	{
		ds_quota_at_commit, ds_quota_at_prepare, ds_quota_at_abort,
		ds_quota_at_subxact_commit, ds_quota_at_subxact_abort
	}
};

static void at_transaction_end(XactEvent event, void *arg);
static void at_subtransaction_end(SubXactEvent event, SubTransactionId subid,
								  SubTransactionId parent, void *arg);
static void at_release(ResourceReleasePhase phase, bool is_commit,
					   bool is_top_level, void *arg);

void
ds_at_commit_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
	RegisterResourceReleaseCallback(at_release, NULL);
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	/* a NOTIFY is assigned its id between the two points */
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE ||
		event == XACT_EVENT_COMMIT)
		ds_incarnation_note_own_xid();
	for (int i = 0; i < lengthof(subscribers); i++)
	{
		switch (event)
		{
			case XACT_EVENT_COMMIT:
			case XACT_EVENT_PARALLEL_COMMIT:
				subscribers[i].commit();
				break;
			case XACT_EVENT_PREPARE:
				subscribers[i].prepare();
				break;
			case XACT_EVENT_ABORT:
			case XACT_EVENT_PARALLEL_ABORT:
				subscribers[i].abort();
				break;
			case XACT_EVENT_PRE_COMMIT:
			case XACT_EVENT_PARALLEL_PRE_COMMIT:
			case XACT_EVENT_PRE_PREPARE:
				break;
		}
	}
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId subid,
					  SubTransactionId parent, void *arg)
{
	for (int i = 0; i < lengthof(subscribers); i++)
	{
		if (event == SUBXACT_EVENT_ABORT_SUB)
			subscribers[i].subxact_abort(subid);
		else if (event == SUBXACT_EVENT_COMMIT_SUB)
			subscribers[i].subxact_commit(subid, parent);
	}
}

/*
 * Called for every resource owner; the first call after the locks were
 * released counts.
 */
static void
at_release(ResourceReleasePhase phase, bool is_commit, bool is_top_level,
		   void *arg)
{
	if (is_commit && is_top_level && phase == RESOURCE_RELEASE_AFTER_LOCKS)
		ds_commit_hint_send();
}
