/*-------------------------------------------------------------------------
 *
 * replay_check.h
 *	  Checks that a replay requests what the history has.
 *
 * ds_replay_next() has compared the kind and name of the operation.  These
 * functions compare the other arguments, and do not return if they differ.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_REPLAY_CHECK_H
#define DS_REPLAY_CHECK_H

#include "orchestrator/replay.h"

extern void ds_replay_check_activity(DsReplay *replay, DsOp *op,
									 const Jsonb *input, const Jsonb *retry);
extern void ds_replay_check_child(DsReplay *replay, DsOp *op,
								  const Jsonb *input, const char *id);

/* For a timer with a given time instead of a delay. */
extern void ds_replay_check_timer(DsReplay *replay, const DsOp *op,
								  TimestampTz fire_at);

#endif
