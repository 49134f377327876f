/*-------------------------------------------------------------------------
 *
 * incarnation.h
 *	  The incarnation of the server, and its first transaction id.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_INCARNATION_H
#define DS_INCARNATION_H

extern Size ds_incarnation_size(void);
extern void ds_incarnation_startup(void);

/* A random number, different after each restart. */
extern uint64 ds_incarnation(void);

/* The first transaction id to be assigned in this incarnation; 0: unknown. */
extern uint64 ds_incarnation_first_xid(void);

/*
 * The launcher calls this first, before any transaction id is assigned after
 * the start of the server.
 */
extern void ds_incarnation_note_first_xid(void);

#endif
