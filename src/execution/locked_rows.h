/*-------------------------------------------------------------------------
 *
 * locked_rows.h
 *	  Instances whose row somebody's open transaction holds locked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_LOCKED_ROWS_H
#define DS_LOCKED_ROWS_H

/* A step could not write its instance's row for that reason. */
extern void ds_locked_rows_add(const char *instance_id);

/*
 * True while the row of such an instance is still locked: there is no point
 * in running its step again.  Outside a transaction.
 */
extern bool ds_locked_rows_has(const char *instance_id);

#endif
