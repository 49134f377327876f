/*-------------------------------------------------------------------------
 *
 * wait_event.c
 *	  What pg_stat_activity shows of our processes and sessions that wait.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/wait_event.h"

#include "base/compat.h"
#include "base/wait_event.h"

static const char *const names[] = {
	[DS_WAIT_LAUNCHER] = "DurableSingletonLauncher",
	[DS_WAIT_WORKER] = "DurableSingletonWorker",
	[DS_WAIT_END] = "DurableSingletonEnd",
	[DS_WAIT_COUNT] = "DurableSingletonCount",
	[DS_WAIT_EVICTION] = "DurableSingletonEviction",
	[DS_WAIT_CONFLICT] = "DurableSingletonConflict"
};

/* A name keeps its number as long as the server runs. */
uint32
ds_wait_event(DsWaitEvent event)
{
	static uint32 numbers[lengthof(names)];

	if (numbers[event] == 0)
		numbers[event] = ds_compat_WaitEventExtensionNew(names[event]);
	return numbers[event];
}
