/*-------------------------------------------------------------------------
 *
 * session_state.h
 *	  Session state that a step can leave behind, apart from settings and
 *	  locks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SESSION_STATE_H
#define DS_SESSION_STATE_H

/*
 * Called outside a transaction, in a worker: makes currval() and lastval()
 * undefined again, gives random() a seed that no code has set, and closes
 * connections of dblink, including their open transactions.
 */
extern void ds_session_state_forget(void);

#endif
