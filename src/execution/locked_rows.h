/*-------------------------------------------------------------------------
 *
 * locked_rows.h
 *	  Instances whose row is locked by an open transaction of another session.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_LOCKED_ROWS_H
#define DS_LOCKED_ROWS_H

/* A step could not write its instance's row for this reason. */
extern void ds_locked_rows_add(const char *instance_id);

/*
 * True while the row of such an instance is still locked, so that running its
 * step again is pointless.  Call it outside a transaction.
 */
extern bool ds_locked_rows_has(const char *instance_id);

#endif
