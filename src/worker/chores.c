/*-------------------------------------------------------------------------
 *
 * chores.c
 *	  The work of a janitor after it has found the ready work of a database.
 *
 * It is shared by all roles, and problems of one role must not block the
 * others: each chore, instance and family has a separate transaction, whose
 * errors are logged.  It does not wait for locks held by open transactions.
 * Other databases wait for the janitor, so it stops after some time and
 * returns later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "commit/transaction.h"
#include "function/failure.h"
#include "instance/end.h"
#include "instance/purge.h"
#include "store/store.h"
#include "worker/chores.h"

#define SEARCH_BATCH	1000
/* instances removed in one transaction */
#define PURGE_BATCH		1000
/* for each chore; but at least as long as it has searched */
#define CHORE_MS		1000.0

/* The time that a chore has left. */
typedef struct Budget
{
	instr_time	begun;
	double		searched_ms;
} Budget;

/* A search for instances, batch by batch. */
typedef struct Search
{
	bool		for_ownerless;
	TimestampTz ended_before;
	char		after[DS_MAX_ID_LENGTH + 1];
	MemoryContext cxt;			/* for the ids */
	List	   *ids;
	Budget		budget;
} Search;

/* An ownerless instance. */
typedef struct Ownerless
{
	const char *instance_id;
	bool		locked;			/* locked by another session, so it was
								 * skipped */
} Ownerless;

static bool attempt(void (*body) (void *), void *arg, const char *what,
					const char *instance_id);
static void drop_messages(void *arg);
static void drop_ownerless_tasks(void *arg);
static bool fail_ownerless(bool *all);
static void fail_one(void *arg);
static bool purge_expired(void);
static void purge_some(void *arg);
static void begin_search(Search *search);
static bool next_batch(Search *search);
static void find_batch(void *arg);
static double ms_since(instr_time begin);
static bool is_over(const Budget *budget);

bool
ds_chores_do(bool seek_ownerless, bool *sought_ownerless)
{
	bool		done = true;

	*sought_ownerless = false;
	(void) attempt(drop_messages, NULL,
				   "could not remove messages that will never be read", NULL);
	if (seek_ownerless)
		done = fail_ownerless(sought_ownerless);
	if (ds_retention >= 0)
		done &= purge_expired();
	return done;
}

/*
 * Runs the body in a separate transaction.  False: it failed, and was logged.
 */
static bool
attempt(void (*body) (void *), void *arg, const char *what,
		const char *instance_id)
{
	ErrorData  *error = ds_transaction_try(body, arg);

	if (error == NULL)
		return true;
	if (ds_failure_is_cancel(error))
		ReThrowError(error);
	if (instance_id != NULL)
		ereport(LOG,
				(errcode(error->sqlerrcode),
				 errmsg("instance \"%s\" %s: %s", instance_id, what,
						error->message),
				 error->detail ? errdetail_internal("%s", error->detail) : 0));
	else
		ereport(LOG,
				(errcode(error->sqlerrcode),
				 errmsg("%s: %s", what, error->message),
				 error->detail ? errdetail_internal("%s", error->detail) : 0));
	FreeErrorData(error);
	return false;
}

static void
drop_messages(void *arg)
{
	ds_store_drop_orphaned_messages();
}

static void
drop_ownerless_tasks(void *arg)
{
	ds_store_delete_ownerless_tasks();
}

/*
 * Fails instances whose owner was dropped, because they can never run again.
 * *all: none was left that is locked at the moment, or could not be failed.
 */
static bool
fail_ownerless(bool *all)
{
	Search		search = {.for_ownerless = true};
	bool		in_time = true;

	*all = attempt(drop_ownerless_tasks, NULL,
				   "tasks of roles that do not exist any more could not be removed",
				   NULL);
	begin_search(&search);
	while (in_time && next_batch(&search))
	{
		ListCell   *cell;

		foreach(cell, search.ids)
		{
			Ownerless	instance = {.instance_id = lfirst(cell)};

			if (!attempt(fail_one, &instance, "could not be failed",
						 instance.instance_id) || instance.locked)
				*all = false;
			in_time = !is_over(&search.budget);
			if (!in_time)
				break;
		}
	}
	MemoryContextDelete(search.cxt);
	*all &= in_time;
	return in_time;
}

/* The payloads may be large: their memory is freed with the transaction. */
static void
fail_one(void *arg)
{
	Ownerless  *instance = arg;
	ErrorData	error = {0};
	MemoryContext old;
	DsInstance *inst;

	if (!ds_store_is_unlocked(instance->instance_id))
	{
		instance->locked = true;
		return;
	}
	old = MemoryContextSwitchTo(CurTransactionContext);
	error.sqlerrcode = ERRCODE_UNDEFINED_OBJECT;
	error.message = _("the role that owns the instance does not exist any more");
	inst = ds_store_load(instance->instance_id);
	if (inst != NULL &&
		ds_store_fail(inst, ds_failure_from_error(&error), false))
		ds_end_tell_waiters(inst, DS_FAILED);
	MemoryContextSwitchTo(old);
}

/* Purges instances that ended longer than durable_singleton.retention ago. */
static bool
purge_expired(void)
{
	Search		search = {0};
	DsPurge		purge;
	bool		in_time = true;

	search.ended_before =
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
									-ds_retention * INT64CONST(1000));
	begin_search(&search);
	ds_purge_begin(&purge, true, search.ended_before);
	while (in_time && next_batch(&search))
	{
		ListCell   *cell;

		foreach(cell, search.ids)
		{
			ds_purge_family(&purge, lfirst(cell));
			while (in_time && ds_purge_has_more(&purge) &&
				   attempt(purge_some, &purge, "could not be purged",
						   lfirst(cell)))
				in_time = !is_over(&search.budget);
			if (!in_time)
				break;
		}
	}
	ds_purge_end(&purge);
	MemoryContextDelete(search.cxt);
	return in_time;
}

static void
purge_some(void *arg)
{
	(void) ds_purge_some(arg, PURGE_BATCH);
}

static void
begin_search(Search *search)
{
	search->cxt = AllocSetContextCreate(CurrentMemoryContext, "chore",
										ALLOCSET_DEFAULT_SIZES);
	INSTR_TIME_SET_CURRENT(search->budget.begun);
}

/* False: there are no more, or the search failed. */
static bool
next_batch(Search *search)
{
	MemoryContext caller = CurrentMemoryContext;
	instr_time	begun;
	bool		found;

	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(search->cxt);
	MemoryContextSwitchTo(search->cxt);
	search->ids = NIL;
	INSTR_TIME_SET_CURRENT(begun);
	found = attempt(find_batch, search,
					search->for_ownerless ?
					"instances of roles that do not exist any more could not be looked for" :
					"instances that ended long ago could not be looked for",
					NULL) && search->ids != NIL;
	search->budget.searched_ms += ms_since(begun);
	MemoryContextSwitchTo(caller);
	return found;
}

static void
find_batch(void *arg)
{
	Search	   *search = arg;

	search->ids = search->for_ownerless ?
		ds_store_find_ownerless(search->after, SEARCH_BATCH) :
		ds_store_find_expired(search->ended_before, search->after,
							  SEARCH_BATCH);
	if (search->ids != NIL)
		strlcpy(search->after, llast(search->ids), sizeof(search->after));
}

static double
ms_since(instr_time begin)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, begin);
	return INSTR_TIME_GET_MILLISEC(now);
}

/*
 * The next visit searches from the beginning.  To get further than this one,
 * the found instances get twice the time of the search.
 */
static bool
is_over(const Budget *budget)
{
	return ms_since(budget->begun) > CHORE_MS + 3 * budget->searched_ms;
}
