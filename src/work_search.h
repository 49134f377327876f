/*-------------------------------------------------------------------------
 *
 * work_search.h
 *	  A search of the tables for work that no hint told of.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WORK_SEARCH_H
#define DS_WORK_SEARCH_H

#include "store.h"

typedef enum DsSearchPhase
{
	DS_SEARCH_INSTANCES,		/* that are due */
	DS_SEARCH_TASKS,			/* that are due */
	DS_SEARCH_AWAITING,			/* instances that wait for tasks */
	DS_SEARCH_TOLD,				/* instances that wait for messages */
	DS_SEARCH_DONE
} DsSearchPhase;

typedef struct DsWorkSearch
{
	DsSearchPhase phase;
	DsSearchKey after;			/* where in the phase it is */
	Oid			owner;
	int			home;
	bool		any_home;
	bool		all;			/* also what is ready without being due */
} DsWorkSearch;

/* For work of the owner's; home and any_home as in store.h. */
extern void ds_search_begin(DsWorkSearch *search, Oid owner, int home,
							bool any_home, bool all);

/* The next batch, a list of DsWork.  Needs a transaction. */
extern List *ds_search_next(DsWorkSearch *search, int batch);

extern bool ds_search_is_done(const DsWorkSearch *search);

#endif
