/*-------------------------------------------------------------------------
 *
 * durability.h
 *	  Waiting until a commit cannot be lost any more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_DURABILITY_H
#define DS_DURABILITY_H

#include "access/xlogdefs.h"

/*
 * An upper bound for the end of the commit record of a row's writer;
 * InvalidXLogRecPtr if it is known to be flushed.
 */
extern XLogRecPtr ds_commit_lsn_of(TransactionId xmin);

/*
 * Wait until the WAL up to there is flushed and, where synchronous standbys
 * are asked for, confirmed by them.
 */
extern void ds_wait_durable(XLogRecPtr lsn);

#endif
