/*-------------------------------------------------------------------------
 *
 * group_search.h
 *	  The searches of a group, which its workers go on with by turns.
 *
 * A long step of one worker does not hold them up.  These functions take the
 * shared lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_GROUP_SEARCH_H
#define DS_GROUP_SEARCH_H

#include "store/work.h"

/*
 * A search that this worker shall go on with by one batch, if there is one and
 * the queue has room.  *begun: it begins with this batch.
 */
extern bool ds_group_search_take(Oid database, Oid role, int home,
								 DsWorkSearch *search, bool *begun);

/* Gives it back.  lost: not all that was found became a hint. */
extern void ds_group_search_return(Oid database, Oid role,
								   const DsWorkSearch *search, bool lost);

#endif
