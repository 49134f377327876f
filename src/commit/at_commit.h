/*-------------------------------------------------------------------------
 *
 * at_commit.h
 *	  Work at the end of a transaction: the one place of transaction callbacks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_AT_COMMIT_H
#define DS_AT_COMMIT_H

extern void ds_at_commit_init(void);

#endif
