/*-------------------------------------------------------------------------
 *
 * time_limit.c
 *	  Limits the time of user code in a worker.
 *
 * Background workers do not arm statement_timeout themselves.  A session in
 * CALL df_run has armed it for the CALL.
 *
 * A cancel is an error that code can catch, and statement_timeout fires once,
 * as in any session.  max_activity_time is set by the administrator: code that
 * catches its cancel is canceled again every second, and after the third time
 * its worker ends.  This counts as a crash of the instance, so a step that
 * does so repeatedly fails its instance.  Code that never looks at the cancel
 * is not ended: it has caught nothing, and would not look at the order to end
 * either.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>
#include <sys/time.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "base/limits.h"
#include "base/settings.h"
#include "function/time_limit.h"
#include "shmem/slot.h"

static bool armed_statement = false;
static bool armed_limit = false;
static TimeoutId limit_id = MAX_TIMEOUTS;
static volatile sig_atomic_t n_cancels = 0;
static volatile sig_atomic_t gave_up = false;

static void arm(void);
static void arm_statement(int timeout);
static void arm_limit(int first);
static void drop_stale_alarm(void);
static void disarm(bool keep_indicator);
static void limit_reached(void);
static void report_at_exit(int code, Datum arg);

void
ds_time_limit_begin(void)
{
	if (ds_my_slot == NULL || ds_my_slot->foreground)
		return;
	arm();
	drop_stale_alarm();
}

/*
 * A timeout announces itself by SIGINT, which a language may ignore while it
 * waits for a program.  A timeout that the code has caught is not reported
 * again.  The error still says that it was a timeout.
 */
void
ds_time_limit_over(void)
{
	if (armed_statement && get_timeout_indicator(STATEMENT_TIMEOUT, false))
		InterruptPending = QueryCancelPending = true;
	disarm(true);
}

void
ds_time_limit_end(void)
{
	disarm(false);
}

static void
arm(void)
{
	int			limit = ds_max_activity_time;

	if (limit == 0)
		arm_statement(StatementTimeout);
	else if (StatementTimeout == 0 || limit <= StatementTimeout)
	{
		/* it cancels first, with its own message */
		arm_statement(limit);
		n_cancels = 1;
		arm_limit(limit + DS_CANCEL_AGAIN_MS);
	}
	else
	{
		arm_statement(StatementTimeout);
		n_cancels = 0;
		arm_limit(limit);
	}
}

static void
arm_statement(int timeout)
{
	if (timeout > 0)
	{
		enable_timeout_after(STATEMENT_TIMEOUT, timeout);
		armed_statement = true;
	}
}

static void
arm_limit(int first)
{
	if (limit_id == MAX_TIMEOUTS)
	{
		limit_id = RegisterTimeout(USER_TIMEOUT, limit_reached);
		before_shmem_exit(report_at_exit, (Datum) 0);
	}
	enable_timeout_every(limit_id,
						 TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													 first),
						 DS_CANCEL_AGAIN_MS);
	armed_limit = true;
}

/*
 * When a timeout is disarmed, PostgreSQL does not cancel its alarm, because
 * this is cheaper.  The alarm would end the sleep of a language such as
 * PL/Perl, which continues after any signal.  The signal handler sets the
 * timer again for the timeouts that remain.
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
disarm(bool keep_indicator)
{
	if (armed_statement)
		disable_timeout(STATEMENT_TIMEOUT, keep_indicator);
	if (armed_limit)
		disable_timeout(limit_id, false);
	armed_statement = armed_limit = false;
}

/*
 * Runs in a signal handler.  Signals the whole process group, as PostgreSQL's
 * timeouts do: it includes a program that the code waits for.
 */
static void
limit_reached(void)
{
	int			signo = SIGINT;

	/*
	 * A cancel that is still pending was not caught: the code is in a call
	 * that does not check for interrupts, such as the sleep of a language.
	 * It fails when the call returns.
	 */
	if (!QueryCancelPending)
	{
		if (n_cancels >= DS_MAX_CANCELS)
		{
			gave_up = true;
			signo = SIGTERM;
			kill(MyProcPid, signo);
		}
		else
			InterruptPending = QueryCancelPending = true;
		n_cancels++;
	}
#ifdef HAVE_SETSID
	kill(-MyProcPid, signo);
#endif
}

/* Runs before the slot is released. */
static void
report_at_exit(int code, Datum arg)
{
	if (gave_up && ds_my_slot != NULL && ds_my_slot->executing)
		ereport(LOG,
				(errmsg("worker ended because a step went on after it had been canceled"),
				 errdetail("Function %s of instance \"%s\" reached durable_singleton.max_activity_time and was canceled %d times.",
						   ds_my_slot->function_name, ds_my_slot->instance_id,
						   DS_MAX_CANCELS),
				 errhint("Raise query_canceled again in the function's exception handlers.")));
}
