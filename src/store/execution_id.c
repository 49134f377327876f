/*-------------------------------------------------------------------------
 *
 * execution_id.c
 *	  Generates ids of executions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "utils/timestamp.h"

#include "store/execution_id.h"

/*
 * RFC 9562, version 7: milliseconds since 1970, then 12 bits of the fraction,
 * so that ids generated one after another sort in that order, then random
 * bits.  Rows of one time are adjacent in the indexes.
 */
pg_uuid_t
ds_execution_id_new(void)
{
	pg_uuid_t	id;
	int64		us = GetCurrentTimestamp() +
	(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	uint64		ms = us / 1000;
	uint32		fraction = (us % 1000) * 4096 / 1000;
	uint64		random[2];

	/* being unique is sufficient: guessing an id gives no access */
	random[0] = pg_prng_uint64(&pg_global_prng_state);
	random[1] = pg_prng_uint64(&pg_global_prng_state);
	memcpy(id.data, random, UUID_LEN);
	for (int i = 0; i < 6; i++)
		id.data[i] = (unsigned char) (ms >> (8 * (5 - i)));
	id.data[6] = 0x70 | (fraction >> 8);
	id.data[7] = fraction & 0xff;
	id.data[8] = (id.data[8] & 0x3f) | 0x80;
	return id;
}
