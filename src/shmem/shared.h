/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  The lock of our shared memory, and the launcher to be woken.
 *
 * Nothing in shared memory is the truth; the tables are.  A hint may be wrong
 * or get lost, and all of it may vanish in a crash.
 *
 * Each owner has a piece of its own, which src/shared_memory.c lists.  Unless
 * the owner's file says otherwise, a piece is protected by the one LWLock in
 * here, which is held for short stretches without any call that could raise
 * an error:
 *
 *	to change anything		exclusive
 *	to look					shared
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
	Latch	   *launcher_latch; /* NULL while there is no launcher */
	TimestampTz launcher_sleeps_until;
} DsShared;

/* NULL if the library was not preloaded. */
extern DsShared *ds_shared;

extern Size ds_shared_size(void);
extern void ds_shared_startup(void);

extern bool ds_shared_is_there(void);

/* Error with a hint if the library was not preloaded. */
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

/* With the lock held. */
extern void ds_shared_wake_launcher(void);

#endif
