/*-------------------------------------------------------------------------
 *
 * work_search.h
 *	  Searches the tables for work that was not announced by a hint.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WORK_SEARCH_H
#define DS_WORK_SEARCH_H

#include "store/store.h"

/* For work of the owner; home and any_home as in store.h. */
extern void ds_work_search_begin(DsWorkSearch *search, Oid owner, int home,
								 bool any_home, bool all);

/* The next batch, a list of DsWork.  Needs a transaction. */
extern List *ds_work_search_next(DsWorkSearch *search);

extern bool ds_work_search_is_done(const DsWorkSearch *search);
extern void ds_work_search_end(DsWorkSearch *search);

#endif
