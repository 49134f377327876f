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

#include <signal.h>
#include <sys/time.h>

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
static void drop_stale_alarm(void);
static void disarm_timeout(bool keep_indicator);

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
	CHECK_FOR_INTERRUPTS();
	AfterTriggerFireDeferred();
	if (!ds_my_slot->foreground)
		PortalHashTableDeleteAll();
	ds_user_code_check();
}

/*
 * PostgreSQL's own code acts upon an interrupt where it sleeps, and between
 * rows; a language that sleeps by itself returns as if nothing had happened,
 * with its work cut short.  A session raises the error after the statement.
 */
void
ds_user_code_check(void)
{
	/*
	 * A time-out that fires tells so by SIGINT, which a language may ignore
	 * while it waits for a program.  A time-out that the code has caught is
	 * told of no more.
	 */
	if (armed_timeout && get_timeout_indicator(STATEMENT_TIMEOUT, false))
		InterruptPending = QueryCancelPending = true;
	/* the error still tells that it was a time-out */
	disarm_timeout(true);
	CHECK_FOR_INTERRUPTS();
}

/*
 * As a session does after an error.  Left pending, the cancel would hit what
 * writes the failure down.  In a session it is one of the CALL as a whole.
 */
void
ds_user_code_forget_cancel(void)
{
	disarm_timeout(false);
	if (ds_my_slot != NULL && !ds_my_slot->foreground)
		QueryCancelPending = false;
}

void
ds_user_code_end(DsUserCode *u)
{
	Oid			user;
	int			sec_context;

	disarm_timeout(false);
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
	drop_stale_alarm();
}

/*
 * When a time-out is over before its time, PostgreSQL lets its alarm come all
 * the same, for that is cheaper.  It would end the sleep of a language such as
 * PL/Perl, which takes any signal for a reason to go on.  The handler of the
 * signal sets the timer anew, for what is still to come.
 */
static void
drop_stale_alarm(void)
{
	struct itimerval timer;

	if (getitimer(ITIMER_REAL, &timer) != 0 ||
		(timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0))
		return;
	memset(&timer, 0, sizeof(timer));
	if (setitimer(ITIMER_REAL, &timer, NULL) == 0)
		raise(SIGALRM);
}

static void
disarm_timeout(bool keep_indicator)
{
	if (armed_timeout)
		disable_timeout(STATEMENT_TIMEOUT, keep_indicator);
	armed_timeout = false;
}
