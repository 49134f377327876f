/*-------------------------------------------------------------------------
 *
 * conflict_wait.c
 *	  The delay before a pass is repeated after a conflict.
 *
 * A serialization failure or deadlock of an orchestrator's last writes is
 * normal, and leaves nothing behind.  The pass is repeated as often as an
 * activity, with the same delays, half a second in total.  The worker keeps
 * the instance during this time: recording the wait would be another step.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "base/wait_event.h"
#include "execution/conflict_wait.h"
#include "orchestrator/retry_policy.h"

bool
ds_conflict_is_repeated(int n)
{
	TimestampTz next;

	return ds_retry_automatic_next(n, 0, &next);
}

bool
ds_conflict_wait(int n)
{
	TimestampTz next;

	if (!ds_retry_automatic_next(n, GetCurrentTimestamp(), &next))
		return false;
	for (;;)
	{
		long		ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
														 next);

		if (ms <= 0)
			return true;
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 ms, ds_wait_event(DS_WAIT_CONFLICT));
		/* a worker looks for new hints when it is done here */
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}
