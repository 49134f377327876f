/*-------------------------------------------------------------------------
 *
 * subxact_stack.c
 *	  Entries of the subtransactions of the current transaction, for its end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "commit/subxact_stack.h"

#define FIRST_ENTRIES	16
/* A stack that was larger than this is freed. */
#define MAX_KEPT		1024

static DsSubxactEntry *entry_at(const DsSubxactStack *stack, int i);

void
ds_subxact_stack_reserve(DsSubxactStack *stack)
{
	int			max = Max(FIRST_ENTRIES, stack->max * 2);

	if (stack->n < stack->max)
		return;
	if (stack->entries == NULL)
		stack->entries = MemoryContextAllocHuge(TopMemoryContext,
												max * stack->entry_size);
	else
		stack->entries =
			repalloc_huge(stack->entries, max * stack->entry_size);
	stack->max = max;
}

void *
ds_subxact_stack_push(DsSubxactStack *stack)
{
	DsSubxactEntry *entry;

	ds_subxact_stack_reserve(stack);
	entry = entry_at(stack, stack->n++);
	memset(entry, 0, stack->entry_size);
	entry->subid = GetCurrentSubTransactionId();
	return entry;
}

void *
ds_subxact_stack_pop(DsSubxactStack *stack, SubTransactionId subid)
{
	if (stack->n == 0 || entry_at(stack, stack->n - 1)->subid < subid)
		return NULL;
	return entry_at(stack, --stack->n);
}

void
ds_subxact_stack_commit(DsSubxactStack *stack, SubTransactionId subid,
						SubTransactionId parent)
{
	int			first = stack->n;
	int			n = stack->n;

	while (first > 0 && entry_at(stack, first - 1)->subid >= subid)
		first--;
	/* merged into entries of the parent, so that their number stays small */
	stack->n = first;
	for (int i = first; i < n; i++)
	{
		DsSubxactEntry *mine = entry_at(stack, i);
		bool		merged = false;

		for (int j = stack->n - 1; stack->merge != NULL && !merged && j >= 0 &&
			 entry_at(stack, j)->subid == parent; j--)
			merged = stack->merge(entry_at(stack, j), mine);
		if (!merged)
		{
			mine->subid = parent;
			memmove(entry_at(stack, stack->n++), mine, stack->entry_size);
		}
	}
}

void
ds_subxact_stack_clear(DsSubxactStack *stack)
{
	stack->n = 0;
	if (stack->max > MAX_KEPT)
	{
		pfree(stack->entries);
		stack->entries = NULL;
		stack->max = 0;
	}
}

static DsSubxactEntry *
entry_at(const DsSubxactStack *stack, int i)
{
	return ds_subxact_stack_at(stack, i);
}
