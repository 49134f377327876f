/*-------------------------------------------------------------------------
 *
 * quota.c
 *	  The number of active instances of a role: max_active_instances.
 *
 * The tables are not read at each start: counting 100,000 rows would cost more
 * than everything else.  The first start of a role with a limit counts its
 * active instances, once; from then on shared memory keeps the number, and
 * every transaction reports its changes.  A role without an entry costs
 * nothing.
 *
 * Starts of open transactions count immediately (reserved); instances that
 * they have ended count as ended only after the commit.  So concurrent starts
 * cannot exceed the limit together.
 *
 * The number may drift: a transaction in progress while the rows are counted
 * can be missed, or counted twice, and so can a prepared transaction that is
 * rolled back.  Before a start is refused, and if the last count is old
 * enough, the rows are counted again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "base/wait_event.h"
#include "commit/quota.h"
#include "commit/subxact_stack.h"
#include "shmem/group.h"
#include "shmem/shared.h"
#include "store/store.h"

#define MAX_QUOTAS		1024

/*
 * The minimum time between counts, and the part of the time that they may
 * take.
 */
#define RECOUNT_MS		1000
#define RECOUNT_PART	20

/* The active instances of a role in a database; under the shared lock. */
typedef struct Quota
{
	DsGroupKey	key;			/* hash key, must be first */
	bool		counted;		/* active is valid */
	pid_t		counting;		/* the process that is counting, or 0 */
	int64		active;
	int64		reserved;		/* started by open transactions */
	int64		since;			/* change of active since the count began */
	TimestampTz next_count;		/* the earliest time */
} Quota;

/* The changes made by a subtransaction. */
typedef struct Change
{
	DsSubxactEntry subxact;		/* must be first */
	Oid			owner;
	int64		started;
	int64		ended;
} Change;

static HTAB *quotas = NULL;
int		   *ds_quota_n_roles = NULL;

/*
 * Signaled when a count has finished.  Shared by all entries: a waiter must
 * look up its entry again after waking.
 */
static ConditionVariable *counted_cv = NULL;

static bool add_up(DsSubxactEntry *into, const DsSubxactEntry *from);

/* One entry per subtransaction and owner. */
static DsSubxactStack changes = {
	.entry_size = sizeof(Change),.merge = add_up
};

static void require_place(Oid owner, int limit, bool take);
static bool has_place(Oid owner, int limit, bool take);
static Quota *find(Oid owner);
static Quota *find_or_add(Oid owner);
static bool make_room_for_quota(void);
static bool ensure_counted(Oid owner, bool again);
static void count_and_tell(Quota *quota, Oid owner);
static void count_rows(Quota *quota, Oid owner);
static void stop_counting(int code, Datum arg);
static void error_full(Oid owner);
static Change *present_change(Oid owner);
static void apply(const Change *change, bool committed);
static void apply_all(bool committed);

Size
ds_quota_size(void)
{
	return add_size(hash_estimate_size(MAX_QUOTAS, sizeof(Quota)),
					add_size(MAXALIGN(sizeof(int)),
							 sizeof(ConditionVariable)));
}

void
ds_quota_startup(void)
{
	HASHCTL		info = {.keysize = sizeof(DsGroupKey),.entrysize = sizeof(Quota)};
	bool		found;

	ds_quota_n_roles = ShmemInitStruct("durable_singleton number of quotas",
									   sizeof(int), &found);
	if (!found)
		*ds_quota_n_roles = 0;
	quotas = ShmemInitHash("durable_singleton quotas", MAX_QUOTAS, MAX_QUOTAS,
						   &info, HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);
	counted_cv = ShmemInitStruct("durable_singleton count of quotas",
								 sizeof(ConditionVariable), &found);
	if (!found)
		ConditionVariableInit(counted_cv);
}

void
ds_quota_take_counted(Oid owner, bool enforce)
{
	int			limit = enforce ? ds_max_active_instances : -1;

	/* the first allocation of the transaction, before any change */
	ds_subxact_stack_reserve(&changes);
	require_place(owner, limit, true);
}

void
ds_quota_check_counted(Oid owner)
{
	require_place(owner, ds_max_active_instances, false);
}

void
ds_quota_give_back_counted(Oid owner)
{
	Change	   *change = present_change(owner);
	Change		taken = {.owner = owner,.started = 1};

	if (change->started == 0)
		return;					/* it was not counted */
	change->started--;
	apply(&taken, false);
}

void
ds_quota_ended(Oid owner)
{
	present_change(owner)->ended++;
}

void
ds_quota_forget_database(Oid database)
{
	HASH_SEQ_STATUS scan;
	Quota	   *quota;

	ds_shared_lock();
	hash_seq_init(&scan, quotas);
	while ((quota = hash_seq_search(&scan)) != NULL)
	{
		/* a process is about to write there */
		if (quota->key.database != database || quota->counting != 0)
			continue;
		hash_search(quotas, &quota->key, HASH_REMOVE, NULL);
		(*ds_quota_n_roles)--;
	}
	ds_shared_unlock();
}

/*
 * Raises 53400 unless has_place(); the rows have been counted again before
 * that.
 */
static void
require_place(Oid owner, int limit, bool take)
{
	if (limit >= 0)
		(void) ensure_counted(owner, false);
	if (!has_place(owner, limit, take) &&
		(!ensure_counted(owner, true) || !has_place(owner, limit, take)))
		error_full(owner);
}

/*
 * Is there room below the limit?  -1: there is no limit.  Takes the place, for
 * a role that is counted.
 */
static bool
has_place(Oid owner, int limit, bool take)
{
	Quota	   *quota;
	bool		has = true;
	bool		taken = false;

	ds_shared_lock();
	quota = find(owner);
	if (quota != NULL)
	{
		has = limit < 0 || quota->active + quota->reserved < limit;
		taken = take && has;
		if (taken)
			quota->reserved++;
	}
	ds_shared_unlock();
	if (taken)
		present_change(owner)->started++;
	return has;
}

/* The lock must be held. */
static Quota *
find(Oid owner)
{
	DsGroupKey	key = {.database = MyDatabaseId,.role = owner};

	return hash_search(quotas, &key, HASH_FIND, NULL);
}

/* The lock must be held; NULL: there is no room. */
static Quota *
find_or_add(Oid owner)
{
	DsGroupKey	key = {.database = MyDatabaseId,.role = owner};
	Quota	   *quota;
	bool		found;

	quota = hash_search(quotas, &key, HASH_ENTER_NULL, &found);
	if (quota == NULL && make_room_for_quota())
		quota = hash_search(quotas, &key, HASH_ENTER_NULL, &found);
	if (quota != NULL && !found)
	{
		memset((char *) quota + sizeof(key), 0, sizeof(*quota) - sizeof(key));
		(*ds_quota_n_roles)++;
	}
	return quota;
}

/*
 * Drops the role whose count is the oldest; it is counted again at its next
 * start. A role with open starts is kept, because no count would see these.
 */
static bool
make_room_for_quota(void)
{
	HASH_SEQ_STATUS scan;
	Quota	   *quota;
	Quota	   *oldest = NULL;

	hash_seq_init(&scan, quotas);
	while ((quota = hash_seq_search(&scan)) != NULL)
	{
		if (quota->counting == 0 && quota->reserved == 0 &&
			(oldest == NULL || quota->next_count < oldest->next_count))
			oldest = quota;
	}
	if (oldest == NULL)
		return false;
	hash_search(quotas, &oldest->key, HASH_REMOVE, NULL);
	(*ds_quota_n_roles)--;
	return true;
}

/*
 * Waits until the role's instances have been counted, or counts them.
 * "again": even if they were counted before; returns false then if that was
 * too recent.
 */
static bool
ensure_counted(Oid owner, bool again)
{
	bool		waited = false;
	bool		mine = false;

	for (;;)
	{
		Quota	   *quota;
		bool		done;

		ds_shared_lock();
		quota = find_or_add(owner);
		if (quota == NULL)
		{
			ds_shared_unlock();
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("too many roles with a limit on active instances are starting instances at the same time")));
		}
		done = quota->counted && quota->counting == 0 &&
			(!again || waited || GetCurrentTimestamp() < quota->next_count);
		if (!done && quota->counting == 0)
		{
			mine = true;
			quota->counting = MyProcPid;
			quota->since = 0;
		}
		ds_shared_unlock();

		if (done)
		{
			ConditionVariableCancelSleep();
			return !again || waited;
		}
		if (mine)
		{
			ConditionVariableCancelSleep();
			count_and_tell(quota, owner);
			return true;
		}
		ConditionVariableSleep(counted_cv, ds_wait_event(DS_WAIT_COUNT));
		waited = true;
	}
}

/* The entry stays during the count. */
static void
count_and_tell(Quota *quota, Oid owner)
{
	PG_ENSURE_ERROR_CLEANUP(stop_counting, PointerGetDatum(quota));
	{
		count_rows(quota, owner);
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_counting, PointerGetDatum(quota));
	stop_counting(0, PointerGetDatum(quota));
}

/* The count includes the changes of this transaction. */
static void
count_rows(Quota *quota, Oid owner)
{
	TimestampTz begun = GetCurrentTimestamp();
	int64		active = ds_store_count_active(owner);
	long		next;

	for (int i = 0; i < changes.n; i++)
	{
		const Change *change = ds_subxact_stack_at(&changes, i);

		if (change->owner == owner)
			active += change->ended - change->started;
	}
	next = RECOUNT_PART * TimestampDifferenceMilliseconds(begun,
														  GetCurrentTimestamp());
	ds_shared_lock();
	quota->active = Max(active + quota->since, 0);
	quota->counted = true;
	quota->next_count =
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
									Max(next, RECOUNT_MS));
	ds_shared_unlock();
}

static void
stop_counting(int code, Datum arg)
{
	Quota	   *quota = (Quota *) DatumGetPointer(arg);

	ds_shared_lock();
	quota->counting = 0;
	ds_shared_unlock();
	ConditionVariableBroadcast(counted_cv);
}

static void
error_full(Oid owner)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("role \"%s\" has too many active instances",
					GetUserNameFromId(owner, true)),
			 errdetail("%s is %d.", "durable_singleton.max_active_instances",
					   ds_max_active_instances),
			 errhint("Start it after others have ended, or ask an administrator to raise the limit with ALTER ROLE.")));
}

static Change *
present_change(Oid owner)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	Change	   *change;

	for (int i = changes.n - 1; i >= 0; i--)
	{
		change = ds_subxact_stack_at(&changes, i);
		if (change->subxact.subid != subid)
			break;
		if (change->owner == owner)
			return change;
	}
	change = ds_subxact_stack_push(&changes);
	change->owner = owner;
	return change;
}

static void
apply(const Change *change, bool committed)
{
	Quota	   *quota;

	/*
	 * a transaction that adds the first role sees everything committed by now
	 */
	if (*ds_quota_n_roles == 0)
		return;
	ds_shared_lock();
	quota = find(change->owner);
	if (quota != NULL)
	{
		quota->reserved = Max(quota->reserved - change->started, 0);
		if (committed)
		{
			int64		more = change->started - change->ended;

			quota->active = Max(quota->active + more, 0);
			quota->since += more;
		}
	}
	ds_shared_unlock();
}

void
ds_quota_at_commit(void)
{
	apply_all(true);
}

/*
 * A prepared transaction counts as if it had committed its starts, but not its
 * ends: if it is rolled back, the instances are still active.
 */
void
ds_quota_at_prepare(void)
{
	for (int i = 0; i < changes.n; i++)
		((Change *) ds_subxact_stack_at(&changes, i))->ended = 0;
	apply_all(true);
}

void
ds_quota_at_abort(void)
{
	apply_all(false);
}

void
ds_quota_at_subxact_commit(SubTransactionId subid, SubTransactionId parent)
{
	ds_subxact_stack_commit(&changes, subid, parent);
}

void
ds_quota_at_subxact_abort(SubTransactionId subid)
{
	const Change *change;

	while ((change = ds_subxact_stack_pop(&changes, subid)) != NULL)
		apply(change, false);
}

static void
apply_all(bool committed)
{
	for (int i = 0; i < changes.n; i++)
		apply(ds_subxact_stack_at(&changes, i), committed);
	if (changes.n > 0)
		ds_subxact_stack_clear(&changes);
}

static bool
add_up(DsSubxactEntry *into, const DsSubxactEntry *from)
{
	Change	   *sum = (Change *) into;
	const Change *change = (const Change *) from;

	if (sum->owner != change->owner)
		return false;
	sum->started += change->started;
	sum->ended += change->ended;
	return true;
}
