/*-------------------------------------------------------------------------
 *
 * at_commit.h
 *	  What happens at the end of a transaction: the one place of its callbacks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_AT_COMMIT_H
#define DS_AT_COMMIT_H

extern void ds_at_commit_init(void);

#endif
