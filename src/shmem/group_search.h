/*-------------------------------------------------------------------------
 *
 * group_search.h
 *	  The searches of a group, which its workers run in batches.
 *
 * A long step of one worker does not delay them.  These functions take the
 * shared lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_GROUP_SEARCH_H
#define DS_GROUP_SEARCH_H

#include "store/work.h"

/*
 * A search of which this worker should run a batch, if there is one and the
 * queue has room.  *begun: it begins with this batch.
 */
extern bool ds_group_search_take(Oid database, Oid role, int home,
								 DsWorkSearch *search, bool *begun);

/* Returns it.  lost: some of the work found did not become a hint. */
extern void ds_group_search_return(Oid database, Oid role,
								   const DsWorkSearch *search, bool lost);

#endif
