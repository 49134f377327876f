/*-------------------------------------------------------------------------
 *
 * shared_memory.c
 *	  The list of all pieces of shared memory.
 *
 * Each owner reports the size of its piece and sets it up, in the order of the
 * list.  The startup functions run in the postmaster; with EXEC_BACKEND they
 * would also run in each backend, and find their pieces there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "commit/commit_hints.h"
#include "commit/commit_counts.h"
#include "commit/durability.h"
#include "commit/quota.h"
#include "commit/standby_wait.h"
#include "commit/wal_flusher.h"
#include "shared_memory.h"
#include "shmem/closed_databases.h"
#include "shmem/counters.h"
#include "shmem/crashed_slots.h"
#include "shmem/group.h"
#include "shmem/hint_queue.h"
#include "shmem/incarnation.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"
#include "shmem/slot.h"
#include "shmem/waiter.h"

typedef struct SharedPiece
{
	Size		(*size) (void);
	void		(*startup) (void);
} SharedPiece;

static const SharedPiece pieces[] = {
	{ds_shared_size, ds_shared_startup},
	{ds_slot_size, ds_slot_startup},
	{ds_hint_queue_size, ds_hint_queue_startup},
	{ds_group_size, ds_group_startup},
	{ds_waiter_size, ds_waiter_startup},
	{ds_closed_databases_size, ds_closed_databases_startup},
	{ds_janitor_size, ds_janitor_startup},
	{ds_incarnation_size, ds_incarnation_startup},
	{ds_counters_size, ds_counters_startup},
	{ds_commit_hint_size, ds_commit_hint_startup},
	{ds_commit_counts_size, ds_commit_counts_startup},
	{ds_quota_size, ds_quota_startup},
	{ds_wal_flusher_size, ds_wal_flusher_startup},
	{ds_durability_size, ds_durability_startup},
	{ds_standby_wait_size, ds_standby_wait_startup},
	/* fills slots, and requests visits of the janitor */
	{ds_crashed_slots_size, ds_crashed_slots_startup},
};

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

static void request_shmem(void);
static void startup_shmem(void);

void
ds_shared_memory_init(void)
{
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

static void
request_shmem(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	for (int i = 0; i < lengthof(pieces); i++)
		RequestAddinShmemSpace(pieces[i].size());
	RequestNamedLWLockTranche("durable_singleton", 1);
}

static void
startup_shmem(void)
{
	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < lengthof(pieces); i++)
		pieces[i].startup();
	LWLockRelease(AddinShmemInitLock);
}
