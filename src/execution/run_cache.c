/*-------------------------------------------------------------------------
 *
 * run_cache.c
 *	  Runs that a worker has put aside while their last step goes to disk.
 *
 * The next activity of an instance has to wait until the result of the
 * previous one is flushed.  Meanwhile the worker runs other instances, and to
 * read each one anew when it comes back to it would cost as much as the step
 * itself.  A parked run is not claimed, and anybody may go on with the
 * instance: whoever takes it up again looks first whether its row has changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "execution/run_cache.h"

/* A few more than the hub lets be begun before one is finished. */
#define MAX_PARKED		192
#define MAX_PARKED_SIZE	((Size) 256 * 1024)

/* The oldest first. */
static DsRun parked[MAX_PARKED];
static int	n_parked = 0;

static void take_out(int i);

bool
ds_park(const DsRun *run)
{
	MemoryContextReset(run->replay->scratch);
	if (MemoryContextMemAllocated(run->cxt, true) > MAX_PARKED_SIZE)
		return false;
	if (n_parked == MAX_PARKED)
	{
		MemoryContextDelete(parked[0].cxt);
		take_out(0);
	}
	parked[n_parked++] = *run;
	return true;
}

bool
ds_unpark(const char *instance_id, DsRun *run)
{
	for (int i = 0; i < n_parked; i++)
	{
		if (strcmp(parked[i].inst->instance_id, instance_id) != 0)
			continue;
		*run = parked[i];
		take_out(i);
		return true;
	}
	return false;
}

void
ds_park_clear(void)
{
	while (n_parked > 0)
		MemoryContextDelete(parked[--n_parked].cxt);
}

static void
take_out(int i)
{
	n_parked--;
	memmove(&parked[i], &parked[i + 1], (n_parked - i) * sizeof(DsRun));
}
