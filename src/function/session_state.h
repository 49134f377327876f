/*-------------------------------------------------------------------------
 *
 * session_state.h
 *	  What a step can leave in its session apart from settings and locks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SESSION_STATE_H
#define DS_SESSION_STATE_H

/*
 * Outside a transaction, in a worker: currval() and lastval() are undefined
 * again, random() goes on from a seed that no code has set, and connections of
 * dblink are closed, with the transactions that are open in them.
 */
extern void ds_session_state_forget(void);

#endif
