/*-------------------------------------------------------------------------
 *
 * retry_policy.h
 *	  Retry policies: whether and when a failed activity is tried again.
 *
 * A policy is a jsonb object with the keys max_attempts, first_interval,
 * backoff_coefficient, max_interval, retry_timeout and retry_on, as
 * df_retry_policy makes it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RETRY_POLICY_H
#define DS_RETRY_POLICY_H

#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* SD400 unless df_retry_policy could have made it.  NULL is no policy. */
extern void ds_retry_check(const Jsonb *policy);

/*
 * After "attempts" counted attempts (1 or more), of which the first began at
 * first_start and the last failed at "failed" with that sqlstate: true and
 * the time of the next one if there shall be one.  Does not raise errors for
 * a checked policy; without one (NULL) there is no further attempt.
 */
extern bool ds_retry_next(const Jsonb *policy, int attempts,
						  TimestampTz first_start, TimestampTz failed,
						  const char *sqlstate, TimestampTz *next);

/*
 * Serialization failures and deadlocks are nobody's fault: they are retried a
 * few times without a policy, and without counting as attempts.
 */
extern bool ds_retry_is_automatic(const char *sqlstate);

/*
 * The same decision for the failure number "automatic_attempts" (1 or more)
 * of that kind.  The delays grow and are random, so that activities that got
 * into each other's way do not meet again.
 */
extern bool ds_retry_automatic_next(int automatic_attempts,
									TimestampTz failed, TimestampTz *next);

#endif
