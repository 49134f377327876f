/*-------------------------------------------------------------------------
 *
 * chores.h
 *	  The work of a janitor after it has found the ready work of a database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CHORES_H
#define DS_CHORES_H

/*
 * Deletes messages that will never be read, fails instances whose owner was
 * dropped (if seek_ownerless), and purges instances that ended long ago.  Call
 * it outside of a transaction.  False: time was up, and there is more to do.
 */
extern bool ds_chores_do(bool seek_ownerless, bool *sought_ownerless);

#endif
