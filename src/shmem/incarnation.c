/*-------------------------------------------------------------------------
 *
 * incarnation.c
 *	  The incarnation of the server, and its first transaction id.
 *
 * Lock rules: the incarnation is constant after the set-up, and the
 * transaction id is an atomic that only becomes lower.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#include "shmem/incarnation.h"

typedef struct Incarnation
{
	uint64		number;
	pg_atomic_uint64 first_xid; /* 0: unknown */
} Incarnation;

static Incarnation *incarnation = NULL;

static void note(uint64 xid);

Size
ds_incarnation_size(void)
{
	return sizeof(Incarnation);
}

void
ds_incarnation_startup(void)
{
	bool		found;

	incarnation = ShmemInitStruct("durable_singleton incarnation",
								  ds_incarnation_size(), &found);
	if (found)
		return;
	pg_atomic_init_u64(&incarnation->first_xid, 0);
	if (!pg_strong_random(&incarnation->number, sizeof(uint64)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
}

uint64
ds_incarnation(void)
{
	return incarnation->number;
}

uint64
ds_incarnation_first_xid(void)
{
	return pg_atomic_read_u64(&incarnation->first_xid);
}

void
ds_incarnation_note_first_xid(void)
{
	note(U64FromFullTransactionId(ReadNextFullTransactionId()));
}

void
ds_incarnation_note_own_xid(void)
{
	FullTransactionId xid = GetTopFullTransactionIdIfAny();

	if (FullTransactionIdIsValid(xid))
		note(U64FromFullTransactionId(xid));
}

/* The lowest one counts. */
static void
note(uint64 xid)
{
	uint64		first = pg_atomic_read_u64(&incarnation->first_xid);

	while (first == 0 || xid < first)
	{
		if (pg_atomic_compare_exchange_u64(&incarnation->first_xid, &first,
										   xid))
			break;
	}
}
