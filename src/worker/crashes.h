/*-------------------------------------------------------------------------
 *
 * crashes.h
 *	  Instances whose runner crashed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CRASHES_H
#define DS_CRASHES_H

/*
 * Counts the crashes in this database that were not counted yet, and fails the
 * instances that have reached crash_limit; afterwards the others may run
 * again. Called outside a transaction, in a process that runs no user code at
 * that time. False: some could not be counted; call it again later.
 */
extern bool ds_crashes_count(void);

#endif
