/*-------------------------------------------------------------------------
 *
 * run_cache.c
 *	  Runs that a worker keeps in memory while their last step is flushed.
 *
 * The next activity of an instance has to wait until the result of the
 * previous one is flushed.  Meanwhile the worker runs other instances; reading
 * each of them again when it resumes them would cost as much as the step
 * itself. A cached run is not claimed, and any worker may continue the
 * instance: the worker that resumes it first checks whether its row has
 * changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "execution/run_cache.h"

/* A few more than may be begun before the first one is resumed. */
#define MAX_CACHED		192
#define MAX_CACHED_SIZE	((Size) 256 * 1024)

/* The oldest run is the first. */
static DsRun cache[MAX_CACHED];
static int	n_cached = 0;

static void take_out(int i);

bool
ds_run_cache_put(const DsRun *run)
{
	MemoryContextReset(run->replay->scratch);
	if (MemoryContextMemAllocated(run->cxt, true) > MAX_CACHED_SIZE)
		return false;
	if (n_cached == MAX_CACHED)
	{
		MemoryContextDelete(cache[0].cxt);
		take_out(0);
	}
	cache[n_cached++] = *run;
	return true;
}

bool
ds_run_cache_take(const char *instance_id, DsRun *run)
{
	for (int i = 0; i < n_cached; i++)
	{
		if (strcmp(cache[i].inst->instance_id, instance_id) != 0)
			continue;
		*run = cache[i];
		take_out(i);
		return true;
	}
	return false;
}

void
ds_run_cache_clear(void)
{
	while (n_cached > 0)
		MemoryContextDelete(cache[--n_cached].cxt);
}

static void
take_out(int i)
{
	n_cached--;
	memmove(&cache[i], &cache[i + 1], (n_cached - i) * sizeof(DsRun));
}
