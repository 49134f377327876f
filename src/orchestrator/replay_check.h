/*-------------------------------------------------------------------------
 *
 * replay_check.h
 *	  Does a replay ask for what history has?
 *
 * ds_replay_next() has compared the kind and name of the operation.  These
 * compare the rest of what the code gives, and do not return if it differs.
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

/* Of a timer whose time the code gives, not how long it takes. */
extern void ds_replay_check_timer(DsReplay *replay, const DsOp *op,
								  TimestampTz fire_at);

#endif
