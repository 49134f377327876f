/*-------------------------------------------------------------------------
 *
 * user_code.c
 *	  What surrounds a call of a user's function, so that nothing of one step
 *	  leaks into the next.
 *
 * A session in CALL df_run keeps its own temporary tables, locks and
 * prepared statements: only a worker's session is ours to clean.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/prepare.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "base/settings.h"
#include "commit/transaction.h"
#include "function/user_code.h"
#include "shmem/slot.h"

static bool armed_timeout = false;

static void arm_timeout(void);
static void disarm_timeout(void);

void
ds_user_code_begin(DsUserCode *u)
{
	GetUserIdAndSecContext(&u->user, &u->sec_context);
	PushActiveSnapshot(GetTransactionSnapshot());
	u->guc_level = NewGUCNestLevel();
	arm_timeout();
}

/*
 * A trigger that ran at the commit could leave settings behind, the role
 * among them, and so could a query that a WITH HOLD cursor runs then.
 */
void
ds_user_code_finish(void)
{
	AfterTriggerFireDeferred();
	if (!ds_my_slot->foreground)
		PortalHashTableDeleteAll();
}

void
ds_user_code_end(DsUserCode *u)
{
	Oid			user;
	int			sec_context;

	disarm_timeout();
	/* also takes back a SET without LOCAL, and SET ROLE */
	AtEOXact_GUC(false, u->guc_level);
	PopActiveSnapshot();
	GetUserIdAndSecContext(&user, &sec_context);
	if (user != u->user || sec_context != u->sec_context)
		elog(FATAL, "identity was not restored after a step");
}

void
ds_user_code_error(void)
{
	disarm_timeout();
}

void
ds_user_code_forget(void)
{
	Oid			temp_schema;
	Oid			temp_toast_schema;

	if (ds_my_slot == NULL || ds_my_slot->foreground)
		return;
	LockReleaseSession(USER_LOCKMETHOD);
	DropAllPreparedStatements();
	GetTempNamespaceState(&temp_schema, &temp_toast_schema);
	if (OidIsValid(temp_schema))
	{
		ds_transaction_begin();
		PushActiveSnapshot(GetTransactionSnapshot());
		ResetTempTableNamespace();
		PopActiveSnapshot();
		ds_transaction_commit();
	}
}

/*
 * Background workers do not arm statement_timeout by themselves.  A session
 * in CALL df_run has armed it for the CALL.
 */
static void
arm_timeout(void)
{
	int			timeout = StatementTimeout;

	if (ds_my_slot == NULL || ds_my_slot->foreground)
		return;
	if (ds_max_activity_time > 0 &&
		(timeout == 0 || ds_max_activity_time < timeout))
		timeout = ds_max_activity_time;
	if (timeout > 0)
	{
		enable_timeout_after(STATEMENT_TIMEOUT, timeout);
		armed_timeout = true;
	}
}

static void
disarm_timeout(void)
{
	if (armed_timeout)
		disable_timeout(STATEMENT_TIMEOUT, false);
	armed_timeout = false;
}
