/*-------------------------------------------------------------------------
 *
 * time_limit.c
 *	  How long user code may run in a worker.
 *
 * Background workers do not arm statement_timeout by themselves.  A session in
 * CALL df_run has armed it for the CALL.
 *
 * A cancel is an error that code can catch, and statement_timeout comes once,
 * as in any session.  max_activity_time is the administrator's: code that
 * catches its cancel is canceled again every second, and ends with its worker
 * after the third time.  That counts as a crash of the instance, so a step that
 * does so again and again fails its instance in the end.
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
 * A time-out that fires tells so by SIGINT, which a language may ignore while
 * it waits for a program.  A time-out that the code has caught is told of no
 * more.  The error still tells that it was a time-out.
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
		/* it is the first one to cancel, with its message */
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
disarm(bool keep_indicator)
{
	if (armed_statement)
		disable_timeout(STATEMENT_TIMEOUT, keep_indicator);
	if (armed_limit)
		disable_timeout(limit_id, false);
	armed_statement = armed_limit = false;
}

/*
 * In a signal handler.  The whole process group is meant, as by the timeouts of
 * PostgreSQL: a program that the code waits for is a member.
 */
static void
limit_reached(void)
{
	int			signo = SIGINT;

	if (n_cancels >= DS_MAX_CANCELS)
	{
		gave_up = true;
		signo = SIGTERM;
		kill(MyProcPid, signo);
	}
	else
		InterruptPending = QueryCancelPending = true;
	n_cancels++;
#ifdef HAVE_SETSID
	kill(-MyProcPid, signo);
#endif
}

/* Before the slot is given back. */
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
