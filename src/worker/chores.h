/*-------------------------------------------------------------------------
 *
 * chores.h
 *	  What a janitor does once it has found the work of a database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CHORES_H
#define DS_CHORES_H

/*
 * Drops messages that nobody will read, fails instances whose owner is gone
 * (if seek_ownerless), and removes what has ended long ago.  Needs to be called
 * outside of a transaction.  False: time was up, and there is more to do.
 */
extern bool ds_chores_do(bool seek_ownerless, bool *sought_ownerless);

#endif
