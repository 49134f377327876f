/*-------------------------------------------------------------------------
 *
 * user_code.c
 *	  Surrounds a call of a user's function, so that one step leaves nothing
 *	  for the next.
 *
 * A session in CALL df_run keeps its own temporary tables, locks and prepared
 * statements: only the session of a worker is cleaned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/prepare.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "commit/transaction.h"
#include "function/isolation.h"
#include "function/session_state.h"
#include "function/time_limit.h"
#include "function/user_code.h"
#include "shmem/slot.h"

void
ds_user_code_begin(DsUserCode *u)
{
	GetUserIdAndSecContext(&u->user, &u->sec_context);
	PushActiveSnapshot(GetTransactionSnapshot());
	u->guc_level = NewGUCNestLevel();
	ds_isolation_begin();

	/*
	 * as in a session of the role; later writes of the step are not affected
	 */
	XactReadOnly = DefaultXactReadOnly;
	ds_time_limit_begin();
}

/*
 * A trigger that runs at the commit could change settings, including the role,
 * and so could a query run by a WITH HOLD cursor.
 */
void
ds_user_code_finish(void)
{
	CHECK_FOR_INTERRUPTS();
	AfterTriggerFireDeferred();
	if (!ds_my_slot->foreground)
		PortalHashTableDeleteAll();
	ds_user_code_check();
}

/*
 * PostgreSQL's own code processes interrupts while it sleeps, and between
 * rows. A language that sleeps by itself returns as if nothing had happened,
 * with its work cut short.  In an ordinary session, the error is raised after
 * the statement.
 */
void
ds_user_code_check(void)
{
	ds_time_limit_over();
	CHECK_FOR_INTERRUPTS();
}

/*
 * As in a session after an error.  If the cancel stayed pending, it would hit
 * the statements that record the failure.  In a session it cancels the CALL as
 * a whole.
 */
void
ds_user_code_forget_cancel(void)
{
	ds_time_limit_end();
	if (ds_my_slot != NULL && !ds_my_slot->foreground)
		QueryCancelPending = false;
}

void
ds_user_code_end(DsUserCode *u)
{
	Oid			user;
	int			sec_context;
	int			isolation = XactIsoLevel;

	ds_time_limit_end();
	/* also reverts a SET without LOCAL, and SET ROLE */
	AtEOXact_GUC(false, u->guc_level);
	ds_isolation_end(isolation);
	XactReadOnly = false;
	PopActiveSnapshot();
	GetUserIdAndSecContext(&user, &sec_context);
	if (user != u->user || sec_context != u->sec_context)
		elog(FATAL, "identity was not restored after a step");
}

void
ds_user_code_error(void)
{
	ds_isolation_error();
	ds_user_code_forget_cancel();
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
	ds_session_state_forget();
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
