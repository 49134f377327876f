/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  The lock of the extension's shared memory, and waking the launcher.
 *
 * Shared memory is never the truth; the tables are.  A hint may be wrong or
 * get lost, and everything may be lost in a crash.
 *
 * Each owner has its own piece, listed in src/shared_memory.c.  Unless the
 * owner's file says otherwise, a piece is protected by the one LWLock defined
 * here, which is held for short sections without any call that could raise an
 * error:
 *
 *	to change anything		exclusive
 *	to read					shared
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SHARED_H
#define DS_SHARED_H

#include "datatype/timestamp.h"
#include "storage/latch.h"
#include "storage/lwlock.h"

typedef struct DsShared
{
	LWLock	   *lock;
	Latch	   *launcher_latch; /* NULL if there is no launcher */
	TimestampTz launcher_sleeps_until;
} DsShared;

/* NULL if the library was not preloaded. */
extern DsShared *ds_shared;

extern Size ds_shared_size(void);
extern void ds_shared_startup(void);

extern bool ds_shared_is_there(void);

/* Raises an error with a hint if the library was not preloaded. */
extern void ds_shared_require(void);

static inline void
ds_shared_lock(void)
{
	LWLockAcquire(ds_shared->lock, LW_EXCLUSIVE);
}

static inline void
ds_shared_lock_to_look(void)
{
	LWLockAcquire(ds_shared->lock, LW_SHARED);
}

static inline void
ds_shared_unlock(void)
{
	LWLockRelease(ds_shared->lock);
}

/* The lock must be held. */
extern void ds_shared_wake_launcher(void);

#endif
