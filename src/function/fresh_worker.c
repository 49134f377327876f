/*-------------------------------------------------------------------------
 *
 * fresh_worker.c
 *	  Steps that need a worker that has run nothing else.
 *
 * State that a language keeps in its interpreter, or a library in its memory,
 * stays in the process, and PostgreSQL cannot reset it.  A function or role
 * for which durable_singleton.fresh_worker is set gets a process that has run
 * no code except passes of the orchestrator that calls it, and the process
 * ends after the step.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"

#include "base/compat.h"
#include "base/settings.h"
#include "function/fresh_worker.h"
#include "function/function_signature.h"
#include "shmem/hints.h"
#include "shmem/slot.h"
#include "shmem/slot_attach.h"

/* The work that this worker has run. */
static enum
{
	NOTHING,
	PASSES,						/* of one execution, and nothing else */
	ANYTHING
}			has_run = NOTHING;
static pg_uuid_t execution;
static bool spent = false;

static bool is_fresh(const pg_uuid_t *execution_id);
pg_noreturn static void leave_to_fresh_worker(void);

void
ds_fresh_worker_check(Oid function, const pg_uuid_t *execution_id, bool is_pass)
{
	bool		wanted = ds_fresh_worker;

	/* a session belongs to its user */
	if (ds_my_slot == NULL || ds_my_slot->foreground)
		return;
	if (!wanted && ds_signature_any_fresh_worker)
	{
		const DsSignature *signature = ds_signature_get(function);

		wanted = signature != NULL && signature->fresh_worker;
	}
	if (wanted)
	{
		if (!is_fresh(execution_id))
			leave_to_fresh_worker();
		spent = true;
	}
	has_run = is_pass && is_fresh(execution_id) ? PASSES : ANYTHING;
	execution = *execution_id;
}

bool
ds_fresh_worker_is_spent(void)
{
	return spent;
}

static bool
is_fresh(const pg_uuid_t *execution_id)
{
	return has_run == NOTHING ||
		(has_run == PASSES &&
		 memcmp(&execution, execution_id, sizeof(pg_uuid_t)) == 0);
}

/*
 * Puts the work at the head of the queue.  Workers that have run anything
 * leave it to others in the same way, until a new one has it.
 */
static void
leave_to_fresh_worker(void)
{
	DsWork		work = {0};
	Oid			role = ds_my_slot->role;

	strlcpy(work.instance_id, ds_my_slot->instance_id, sizeof(work.instance_id));
	work.seq = ds_my_slot->task_seq;
	work.execution_id = ds_my_slot->task_execution;
	(void) ds_slot_retire(true);
	ds_hint_first(MyDatabaseId, role, &work);
	proc_exit(0);
}
