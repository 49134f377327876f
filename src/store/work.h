/*-------------------------------------------------------------------------
 *
 * work.h
 *	  Work: what a runner runs, and how far a search for it has come.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WORK_H
#define DS_WORK_H

#include "base/limits.h"
#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/uuid.h"

/* What a runner runs: an instance, or a task of one. */
typedef struct DsWork
{
	int			seq;			/* 0: the instance, and no execution */
	pg_uuid_t	execution_id;
	/* where the instance's row was last seen, if that is known */
	ItemPointerData tid;
	TimestampTz due;			/* when it fell due, 0: ready from now on */
	char		instance_id[DS_MAX_ID_LENGTH + 1];
} DsWork;

/* How far a search has come. */
typedef struct DsSearchKey
{
	TimestampTz time;
	DsWork		work;
} DsSearchKey;

/* A search of the tables for work that no hint told of (work_search.c). */
typedef enum DsSearchPhase
{
	DS_SEARCH_INSTANCES,		/* that are due */
	DS_SEARCH_TASKS,			/* that are due */
	DS_SEARCH_AWAITING,			/* instances that wait for tasks */
	DS_SEARCH_WITH_MESSAGE,		/* instances that wait for messages */
	DS_SEARCH_DONE
} DsSearchPhase;

typedef struct DsWorkSearch
{
	DsSearchPhase phase;
	DsSearchKey after;			/* where in the phase it is */
	TimestampTz begun;			/* what is due later is for the next one, */
	TimestampTz due_from;		/* and who looked before knew of the rest */
	Oid			owner;
	int			home;
	bool		any_home;
	bool		all;			/* also what is ready without being due */
} DsWorkSearch;

#endif
