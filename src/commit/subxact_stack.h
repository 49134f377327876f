/*-------------------------------------------------------------------------
 *
 * subxact_stack.h
 *	  Entries of the subtransactions of the current transaction, for its end.
 *
 * Each entry belongs to a subtransaction until that commits into its parent.
 * The entries of the innermost one are last.  The memory is kept for the next
 * transaction, so that the end of a transaction needs none.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SUBXACT_STACK_H
#define DS_SUBXACT_STACK_H

/* The first field of every entry. */
typedef struct DsSubxactEntry
{
	SubTransactionId subid;
} DsSubxactEntry;

typedef struct DsSubxactStack
{
	Size		entry_size;

	/*
	 * Adds "from" to an entry of the parent, if they are about the same. NULL
	 * if entries are never added up.
	 */
	bool		(*merge) (DsSubxactEntry *into, const DsSubxactEntry *from);
	int			n;
	int			max;
	char	   *entries;
} DsSubxactStack;

/* Makes room for one more entry, so that its push cannot fail. */
extern void ds_subxact_stack_reserve(DsSubxactStack *stack);

/* An entry of the current subtransaction; all other fields are zero. */
extern void *ds_subxact_stack_push(DsSubxactStack *stack);

/* Removes the last entry; NULL if it belongs to an outer subtransaction. */
extern void *ds_subxact_stack_pop(DsSubxactStack *stack,
								  SubTransactionId subid);

/* The subtransaction has committed into its parent. */
extern void ds_subxact_stack_commit(DsSubxactStack *stack,
									SubTransactionId subid,
									SubTransactionId parent);

/* The transaction has ended. */
extern void ds_subxact_stack_clear(DsSubxactStack *stack);

static inline void *
ds_subxact_stack_at(const DsSubxactStack *stack, int i)
{
	return stack->entries + i * stack->entry_size;
}

#endif
