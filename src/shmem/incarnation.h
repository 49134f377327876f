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

/*
 * The first transaction id to be assigned in this incarnation; 0: unknown yet.
 * It may be higher for now, but not than one that has committed.
 */
extern uint64 ds_incarnation_first_xid(void);

/*
 * The launcher calls this first.  Sessions that were connected to a standby
 * may have been assigned ids already, since its promotion.
 */
extern void ds_incarnation_note_first_xid(void);

/* Every transaction calls this before its commit. */
extern void ds_incarnation_note_own_xid(void);

#endif
