/*-------------------------------------------------------------------------
 *
 * work_search.c
 *	  Searches the tables for work that was not announced by a hint.
 *
 * It uses the indexes in batches, each after the last row of the previous one,
 * so that neither much work nor leftovers of old work slow it down.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/no_time.h"
#include "store/work_search.h"

#define BATCH	256

static void forget_due_times(List *found, TimestampTz due_from);
static void begin_phase(DsWorkSearch *search, DsSearchPhase phase);

void
ds_work_search_begin(DsWorkSearch *search, Oid owner, int home, bool any_home,
					 bool all)
{
	search->begun = GetCurrentTimestamp();
	search->due_from = DT_NOEND;
	search->owner = owner;
	search->home = home;
	search->any_home = any_home;
	search->all = all;
	begin_phase(search, DS_SEARCH_INSTANCES);
}

List *
ds_work_search_next(DsWorkSearch *search)
{
	List	   *found = NIL;

	while (found == NIL && search->phase != DS_SEARCH_DONE)
	{
		switch (search->phase)
		{
			case DS_SEARCH_INSTANCES:
				found = ds_store_find_ready(search->owner, search->begun,
											search->home,
											search->any_home, &search->after,
											BATCH);
				break;
			case DS_SEARCH_TASKS:
				found = ds_store_find_ready_tasks(search->owner, search->begun,
												  search->home,
												  search->any_home,
												  &search->after, BATCH);
				break;
			case DS_SEARCH_AWAITING:
				found = ds_store_find_awaiting(search->owner, search->home,
											   search->any_home, &search->after,
											   BATCH);
				break;
			case DS_SEARCH_WITH_MESSAGE:
				found = ds_store_find_with_message(search->owner, search->home,
												   search->any_home, BATCH);
				break;
			case DS_SEARCH_DONE:
				break;
		}
		if (list_length(found) == BATCH)
			break;
		if (search->phase == DS_SEARCH_TASKS && !search->all)
			begin_phase(search, DS_SEARCH_DONE);
		else
			begin_phase(search, search->phase + 1);
	}
	forget_due_times(found, search->due_from);
	return found;
}

/*
 * Work that became due before may have been taken since then, and be ready
 * again.
 */
static void
forget_due_times(List *found, TimestampTz due_from)
{
	ListCell   *cell;

	foreach(cell, found)
	{
		DsWork	   *work = lfirst(cell);

		if (work->due < due_from)
			work->due = DS_NO_TIME;
	}
}

bool
ds_work_search_is_done(const DsWorkSearch *search)
{
	return search->phase == DS_SEARCH_DONE;
}

void
ds_work_search_end(DsWorkSearch *search)
{
	begin_phase(search, DS_SEARCH_DONE);
}

static void
begin_phase(DsWorkSearch *search, DsSearchPhase phase)
{
	search->phase = phase;
	memset(&search->after, 0, sizeof(search->after));
	search->after.time = DT_NOBEGIN;
}
