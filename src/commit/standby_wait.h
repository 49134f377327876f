/*-------------------------------------------------------------------------
 *
 * standby_wait.h
 *	  Waiting until synchronous standbys have confirmed WAL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STANDBY_WAIT_H
#define DS_STANDBY_WAIT_H

#include "access/xlogdefs.h"

extern Size ds_standby_wait_size(void);
extern void ds_standby_wait_startup(void);

/* Does synchronous_standby_names say anything? */
extern bool ds_standby_wait_is_configured(void);

/*
 * Wait until the standbys have confirmed the WAL up to there as
 * synchronous_commit says; returns at once where it asks for none, or none are
 * named.  57014 if the wait is cancelled.
 */
extern void ds_standby_wait(XLogRecPtr lsn);

#endif
