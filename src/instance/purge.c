/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  Removes ended instances.
 *
 * Only ended instances are ever removed: the DELETE itself checks this.  A
 * child that is still active stays, as an instance whose parent is gone.
 *
 * A role can create families of any shape: a chain of a million children, or a
 * million children of one parent, each with payloads that take megabytes when
 * they are read.  So the rest of a family is a list instead of a recursion;
 * children are read in batches, and without their payloads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "instance/purge.h"
#include "store/store.h"

#define CHILDREN_BATCH	100

/* An instance, or the children of one that follow an id. */
typedef struct Left
{
	bool		is_children;
	Oid			owner;			/* of the parent; only its children count */
	char	   *after;
	char	   *instance_id;
} Left;

static void leave(DsPurge *purge, const char *instance_id);
static void leave_children(DsPurge *purge, const char *parent_id, Oid owner,
						   const char *after);
static void take_children(DsPurge *purge, const Left *children);
static bool remove_one(DsPurge *purge, const char *instance_id);

void
ds_purge_begin(DsPurge *purge, bool skip_locked, TimestampTz ended_before)
{
	purge->skip_locked = skip_locked;
	purge->ended_before = ended_before;
	purge->left = NIL;
	purge->cxt = AllocSetContextCreate(CurrentMemoryContext, "purge",
									   ALLOCSET_DEFAULT_SIZES);
	purge->scratch = AllocSetContextCreate(CurrentMemoryContext,
										   "purge of an instance",
										   ALLOCSET_DEFAULT_SIZES);
}

void
ds_purge_end(DsPurge *purge)
{
	MemoryContextDelete(purge->scratch);
	MemoryContextDelete(purge->cxt);
}

void
ds_purge_family(DsPurge *purge, const char *instance_id)
{
	purge->left = NIL;
	MemoryContextReset(purge->cxt);
	leave(purge, instance_id);
}

bool
ds_purge_has_more(const DsPurge *purge)
{
	return purge->left != NIL;
}

int64
ds_purge_some(DsPurge *purge, int64 limit)
{
	MemoryContext caller = MemoryContextSwitchTo(purge->scratch);
	int64		n = 0;

	while (purge->left != NIL && n < limit)
	{
		Left	   *next = llast(purge->left);

		CHECK_FOR_INTERRUPTS();
		purge->left = list_delete_last(purge->left);
		if (next->is_children)
			take_children(purge, next);
		else if (remove_one(purge, next->instance_id))
			n++;
		if (next->is_children)
			pfree(next->after);
		pfree(next->instance_id);
		pfree(next);
		MemoryContextReset(purge->scratch);
	}
	MemoryContextSwitchTo(caller);
	return n;
}

/*
 * Adds to the front of the list, so that it never has more than one element
 * for a chain.
 */
static void
leave(DsPurge *purge, const char *instance_id)
{
	MemoryContext old = MemoryContextSwitchTo(purge->cxt);
	Left	   *left = palloc0(sizeof(Left));

	left->instance_id = pstrdup(instance_id);
	purge->left = lappend(purge->left, left);
	MemoryContextSwitchTo(old);
}

static void
leave_children(DsPurge *purge, const char *parent_id, Oid owner,
			   const char *after)
{
	Left	   *left;

	leave(purge, parent_id);
	left = llast(purge->left);
	left->is_children = true;
	left->owner = owner;
	left->after = MemoryContextStrdup(purge->cxt, after);
}

static void
take_children(DsPurge *purge, const Left *children)
{
	List	   *ids = ds_store_find_ended_children(children->instance_id,
												   children->owner,
												   purge->ended_before,
												   children->after,
												   CHILDREN_BATCH);
	ListCell   *cell;

	if (list_length(ids) == CHILDREN_BATCH)
		leave_children(purge, children->instance_id, children->owner,
					   llast(ids));
	foreach(cell, ids)
		leave(purge, lfirst(cell));
}

static bool
remove_one(DsPurge *purge, const char *instance_id)
{
	DsInstance *inst = ds_store_load_for_purge(instance_id);

	/* it may have been started again since it was found */
	if (inst == NULL || ds_status_is_active(inst->status) ||
		inst->last_updated_time >= purge->ended_before ||
		!ds_store_purge(inst, purge->skip_locked))
		return false;
	leave_children(purge, instance_id, inst->owner, "");
	return true;
}
