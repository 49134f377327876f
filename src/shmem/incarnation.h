/*-------------------------------------------------------------------------
 *
 * incarnation.h
 *	  Which life of the server is this, and with which transaction did it
 *	  begin?
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_INCARNATION_H
#define DS_INCARNATION_H

extern Size ds_incarnation_size(void);
extern void ds_incarnation_startup(void);

/* Random: another one after each restart. */
extern uint64 ds_incarnation(void);

/* The first transaction id to be assigned in this incarnation; 0: unknown. */
extern uint64 ds_incarnation_first_xid(void);

/*
 * The launcher calls this before anything else, while no transaction id has
 * been assigned yet since the server came up.
 */
extern void ds_incarnation_note_first_xid(void);

#endif
