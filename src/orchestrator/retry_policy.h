/*-------------------------------------------------------------------------
 *
 * retry_policy.h
 *	  Retry policies: whether and when a failed activity is retried.
 *
 * A policy is a jsonb object with the keys max_attempts, first_interval,
 * backoff_coefficient, max_interval, retry_timeout and retry_on, as returned
 * by df_retry_policy.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RETRY_POLICY_H
#define DS_RETRY_POLICY_H

#include "utils/jsonb.h"
#include "utils/timestamp.h"

/*
 * SD400 unless df_retry_policy could have returned this value.  NULL is no
 * policy.
 */
extern void ds_retry_check(const Jsonb *policy);

/*
 * Decides after "attempts" counted attempts (1 or more), the first of which
 * began at first_start and the last of which failed at "failed" with this
 * SQLSTATE.  Returns true and the time of the next attempt if there is one.
 * Does not raise errors for a checked policy; without a policy (NULL) there is
 * no further attempt.
 */
extern bool ds_retry_next(const Jsonb *policy, int attempts,
						  TimestampTz first_start, TimestampTz failed,
						  const char *sqlstate, TimestampTz *next);

/*
 * Serialization failures and deadlocks are normal: they are retried a few
 * times without a policy, and without counting as attempts.
 */
extern bool ds_retry_is_automatic(const char *sqlstate);

/*
 * The same decision for the failure number "automatic_attempts" (1 or more) of
 * this kind.  The delays grow and are random, so that conflicting activities
 * do not collide again.
 */
extern bool ds_retry_automatic_next(int automatic_attempts,
									TimestampTz failed, TimestampTz *next);

#endif
