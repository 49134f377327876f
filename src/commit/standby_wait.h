/*-------------------------------------------------------------------------
 *
 * standby_wait.h
 *	  Waits until synchronous standbys have confirmed WAL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STANDBY_WAIT_H
#define DS_STANDBY_WAIT_H

#include "access/xlogdefs.h"

extern Size ds_standby_wait_size(void);
extern void ds_standby_wait_startup(void);

/* Is synchronous_standby_names set? */
extern bool ds_standby_wait_is_configured(void);

/*
 * Waits until the standbys have confirmed the WAL up to there according to
 * synchronous_commit; returns immediately if no confirmation is requested, or
 * no standbys are configured.  57014 if the wait is canceled.
 */
extern void ds_standby_wait(XLogRecPtr lsn);

#endif
