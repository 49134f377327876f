/*-------------------------------------------------------------------------
 *
 * subxact_stack.h
 *	  What the subtransactions of this transaction have to say at its end.
 *
 * Each entry belongs to a subtransaction until that commits into its parent.
 * The entries of the innermost one stand last.  The memory stays for the next
 * transaction, so that the end of one needs none.
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

/* Makes room for one more entry: its push cannot fail then. */
extern void ds_subxact_stack_reserve(DsSubxactStack *stack);

/* An entry of the present subtransaction, zeroed but for that. */
extern void *ds_subxact_stack_push(DsSubxactStack *stack);

/* Takes the last entry away; NULL if it belongs to a subtransaction outside. */
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
