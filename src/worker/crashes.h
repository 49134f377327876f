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
 * Counts the crashes of this database that nobody has counted yet, and fails
 * the instances that have reached crash_limit; from then on the others may
 * run again.  Outside a transaction, in a process that runs no user code now.
 * False: some could not be counted, and it is to be called again later.
 */
extern bool ds_crashes_count(void);

#endif
