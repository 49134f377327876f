/*-------------------------------------------------------------------------
 *
 * janitor_requests.c
 *	  Requests to janitors, and their reports.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "shmem/closed_databases.h"
#include "shmem/janitor_requests.h"
#include "shmem/shared.h"

typedef struct Request
{
	Oid			database;
	TimestampTz at;
} Request;

typedef struct Janitor
{
	TimestampTz visit_all_at;	/* DT_NOEND: no request */
	int			n_requests;
	Request		requests[DS_MAX_VISITS];

	/* the janitor in progress; there is only one */
	pid_t		pid;			/* 0: not started yet, or gone */
	bool		seeks_ownerless;	/* requested, and not done yet */
	DsJanitorReport report;		/* database is InvalidOid if there is none */
} Janitor;

static Janitor *janitor = NULL;

Size
ds_janitor_size(void)
{
	return sizeof(Janitor);
}

void
ds_janitor_startup(void)
{
	bool		found;

	janitor = ShmemInitStruct("durable_singleton janitor", ds_janitor_size(),
							  &found);
	if (found)
		return;
	memset(janitor, 0, ds_janitor_size());
	janitor->visit_all_at = DT_NOBEGIN;
}

void
ds_janitor_request_visit(Oid database, TimestampTz at)
{
	Request    *request = NULL;

	for (int i = 0; i < janitor->n_requests && request == NULL; i++)
	{
		if (janitor->requests[i].database == database)
			request = &janitor->requests[i];
	}
	if (request == NULL && OidIsValid(database) &&
		janitor->n_requests < DS_MAX_VISITS)
	{
		request = &janitor->requests[janitor->n_requests++];
		*request = (Request)
		{
			.database = database,.at = DT_NOEND
		};
	}
	if (request != NULL)
		request->at = Min(request->at, at);
	else
		janitor->visit_all_at = Min(janitor->visit_all_at, at);
	ds_shared_wake_launcher();
}

bool
ds_janitor_is_in(Oid database, pid_t *pid)
{
	*pid = janitor->pid;
	return janitor->report.database == database && janitor->pid != 0;
}

int
ds_janitor_take_requests(TimestampTz now, Oid databases[DS_MAX_VISITS],
						 bool *all, TimestampTz *next)
{
	int			n = 0;
	int			left = 0;

	*next = DT_NOEND;
	ds_shared_lock();
	for (int i = 0; i < janitor->n_requests; i++)
	{
		Request		request = janitor->requests[i];

		if (request.at <= now)
			databases[n++] = request.database;
		else
		{
			janitor->requests[left++] = request;
			*next = Min(*next, request.at);
		}
	}
	janitor->n_requests = left;
	*all = janitor->visit_all_at <= now;
	if (*all)
		janitor->visit_all_at = DT_NOEND;
	*next = Min(*next, janitor->visit_all_at);
	ds_shared_unlock();
	return n;
}

void
ds_janitor_order(Oid database, bool seek_ownerless)
{
	ds_shared_lock();
	janitor->pid = 0;
	janitor->seeks_ownerless = seek_ownerless;
	janitor->report = (DsJanitorReport)
	{
		.database = database
	};
	ds_shared_unlock();
}

DsJanitorReport
ds_janitor_take_report(void)
{
	DsJanitorReport report;

	ds_shared_lock();
	report = janitor->report;
	report.sought_ownerless = !janitor->seeks_ownerless;
	janitor->report.database = InvalidOid;
	ds_shared_unlock();
	return report;
}

bool
ds_janitor_enter(Oid database)
{
	bool		ours;

	ds_shared_lock();
	ours = janitor->report.database == database && janitor->pid == 0 &&
		!ds_closed_databases_has(database);
	if (ours)
		janitor->pid = MyProcPid;
	ds_shared_unlock();
	return ours;
}

void
ds_janitor_leave(bool left_nothing, int n_transactions)
{
	ds_shared_lock();
	if (janitor->pid == MyProcPid)
	{
		janitor->pid = 0;
		janitor->report.left_nothing = left_nothing;
		janitor->report.n_transactions = n_transactions;
	}
	ds_shared_wake_launcher();
	ds_shared_unlock();
}

void
ds_janitor_report(DsFinding finding, const char *version)
{
	ds_shared_lock();
	/* the launcher may have restarted, and started another janitor */
	if (janitor->pid == MyProcPid)
	{
		janitor->report.finding = finding;
		strlcpy(janitor->report.version, version, DS_MAX_VERSION);
		janitor->report.done = true;
	}
	ds_shared_unlock();
}

bool
ds_janitor_seeks_ownerless(void)
{
	bool		seeks;

	ds_shared_lock_to_look();
	seeks = janitor->pid == MyProcPid && janitor->seeks_ownerless;
	ds_shared_unlock();
	return seeks;
}

void
ds_janitor_sought_ownerless(void)
{
	ds_shared_lock();
	if (janitor->pid == MyProcPid)
		janitor->seeks_ownerless = false;
	ds_shared_unlock();
}
