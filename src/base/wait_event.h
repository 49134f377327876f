/*-------------------------------------------------------------------------
 *
 * wait_event.h
 *	  What pg_stat_activity shows of our processes and sessions that wait.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WAIT_EVENT_H
#define DS_WAIT_EVENT_H

typedef enum DsWaitEvent
{
	DS_WAIT_LAUNCHER,			/* for work, or for a time */
	DS_WAIT_WORKER,				/* for a hint */
	DS_WAIT_END,				/* a session: for the end of instances */
	DS_WAIT_COUNT,				/* for a count of the active instances */
	DS_WAIT_EVICTION,			/* for workers to leave a database */
	DS_WAIT_CONFLICT			/* before a pass is repeated */
} DsWaitEvent;

/*
 * For WaitLatch() and its like.  Before PostgreSQL 17 all of them are shown as
 * "Extension".
 */
extern uint32 ds_wait_event(DsWaitEvent event);

#endif
