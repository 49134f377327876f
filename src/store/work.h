/*-------------------------------------------------------------------------
 *
 * work.h
 *	  Work of a runner, and the position of a search for it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WORK_H
#define DS_WORK_H

#include "base/limits.h"
#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/uuid.h"

/* A unit of work for a runner: an instance, or a task of one. */
typedef struct DsWork
{
	int			seq;			/* 0: the instance, without an execution */
	pg_uuid_t	execution_id;
	/* TID of the instance's row when last seen, if known */
	ItemPointerData tid;
	TimestampTz due;			/* when it became due; DS_NO_TIME: ready now */
	char		instance_id[DS_MAX_ID_LENGTH + 1];
} DsWork;

/* The position of a search. */
typedef struct DsSearchKey
{
	TimestampTz time;
	DsWork		work;
} DsSearchKey;

/*
 * A search of the tables for work that was not announced by a hint
 * (work_search.c).
 */
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
	DsSearchKey after;			/* position in the phase */
	TimestampTz begun;			/* work due later is for the next search */
	TimestampTz due_from;		/* work due earlier was known before */
	Oid			owner;
	int			home;
	bool		any_home;
	bool		all;			/* also ready work without a due time */
} DsWorkSearch;

#endif
