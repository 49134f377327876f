/*
 * pool.c
 *	  A bounded number of database connections for the jobs of requests.
 *
 * Jobs wait in two queues.  Heavy jobs, which may take long, get at most half of
 * the connections at a time, so that they do not delay events and starts.
 *
 * While the database is unavailable, jobs are returned immediately.  Only jobs in
 * doubt stay: their commit was requested when their connection was lost, so they
 * wait until the database is back and reports the outcome of their
 * transactions.
 */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "log.h"
#include "memory.h"

/* Milliseconds. */
#define ASK_AGAIN	50			/* a transaction is still in progress */
#define ASK_LATER	1000		/* the database cannot tell at the moment */

static Connection *connections;
static int	n_connections;
static bool ever_lost;			/* or not established */

static JobQueue light = STAILQ_HEAD_INITIALIZER(light);
static JobQueue heavy = STAILQ_HEAD_INITIALIZER(heavy);
static int	heavy_running;

static JobQueue doubts = STAILQ_HEAD_INITIALIZER(doubts);

static void dispatch(void);

static Job *
take_first(JobQueue *queue)
{
	Job		   *job = STAILQ_FIRST(queue);

	if (job != NULL)
		STAILQ_REMOVE_HEAD(queue, others);
	return job;
}

/* --- jobs in doubt --- */

static void
take_fate(Job *ask, const PGresult *result)
{
	ask->answer.status = 200;
	if (PQntuples(result) == 1 && !PQgetisnull(result, 0, 0))
		ask->answer.body = gw_strdup(PQgetvalue(result, 0, 0));
}

static void
ask_again(Job *about, int64_t milliseconds)
{
	about->not_before = loop_now() + milliseconds;
	STAILQ_INSERT_TAIL(&doubts, about, others);
}

/* The outcome can never be determined. */
static void
stay_in_doubt(Job *about)
{
	job_clear_result(about);
	about->answer.status = 500;
	about->done(about);
}

static bool
is_passing(const char *error_code)
{
	static const char *const classes[] = {"40", "53", "55", "57", "58"};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
	{
		if (strncmp(error_code, classes[i], 2) == 0)
			return true;
	}
	return false;
}

static void
fate_known(Job *ask)
{
	Job		   *about = ask->owner;
	const char *fate = ask->answer.body;

	if (ask->answer.status == 0)
		ask_again(about, 0);	/* the database is away again */
	else if (ask->error_code[0] != '\0')
	{
		log_message("cannot determine the outcome of a transaction whose connection was lost during its commit: %s",
					ask->error_message ? ask->error_message : "");
		if (is_passing(ask->error_code))
			ask_again(about, ASK_LATER);
		else
			stay_in_doubt(about);
	}
	else if (fate != NULL && strcmp(fate, "in progress") == 0)
		ask_again(about, ASK_AGAIN);
	else
	{
		log_message("outcome of a transaction whose connection was lost during its commit: %s",
					fate ? fate : "too old to be known");
		if (fate == NULL)
			stay_in_doubt(about);
		else
		{
			/* the answer is valid only if the transaction committed */
			if (strcmp(fate, "committed") != 0)
				job_clear_result(about);
			about->done(about);
		}
	}
	job_free(ask);
}

static Job *
take_doubt(void)
{
	Job		   *about = STAILQ_FIRST(&doubts);
	Job		   *ask;

	if (about == NULL || about->not_before > loop_now())
		return NULL;
	STAILQ_REMOVE_HEAD(&doubts, others);
	ask = job_new(&statement_fate);
	job_add_string(ask, about->transaction);
	ask->take_rows = take_fate;
	ask->done = fate_known;
	ask->owner = about;
	return ask;
}

static void
on_doubt(Connection *c, Job *job)
{
	(void) c;
	STAILQ_INSERT_TAIL(&doubts, job, others);
}

/* --- all jobs --- */

static bool
is_away(void)
{
	for (int i = 0; i < n_connections; i++)
	{
		if (connection_is_up(&connections[i]))
			return false;
	}
	/* at the start, connections are still being established */
	return ever_lost;
}

static void
give_back(JobQueue *queue)
{
	Job		   *job;

	while ((job = take_first(queue)) != NULL)
		job->done(job);
}

static int
heavy_allowed(void)
{
	return n_connections > 1 ? n_connections / 2 : 1;
}

static Job *
next_job(void)
{
	Job		   *job = take_doubt();

	if (job == NULL)
		job = take_first(&light);
	if (job == NULL && heavy_running < heavy_allowed())
		job = take_first(&heavy);
	return job;
}

static void
run_on(Connection *c, Job *job)
{
	if (job->statement->heavy)
		heavy_running++;
	connection_run(c, job);
}

static void
dispatch(void)
{
	static bool dispatching;

	if (dispatching)
		return;
	dispatching = true;
	for (int i = 0; i < n_connections; i++)
	{
		while (connections[i].state == IDLE)
		{
			Job		   *job = next_job();

			if (job == NULL)
				goto done;
			run_on(&connections[i], job);
		}
	}
done:
	dispatching = false;
}

static void
on_idle(Connection *c)
{
	(void) c;
	heavy_running = 0;
	for (int i = 0; i < n_connections; i++)
	{
		if (connections[i].job != NULL && connections[i].job->statement->heavy)
			heavy_running++;
	}
	dispatch();
}

static void
on_lost(Connection *c)
{
	ever_lost = true;
	on_idle(c);
	if (is_away())
	{
		give_back(&light);
		give_back(&heavy);
	}
}

void
pool_run(Job *job)
{
	if (is_away())
	{
		job->done(job);
		return;
	}
	STAILQ_INSERT_TAIL(job->statement->heavy ? &heavy : &light, job, others);
	dispatch();
}

void
pool_start(int n)
{
	n_connections = n;
	connections = gw_alloc(n * sizeof(Connection));
	for (int i = 0; i < n; i++)
	{
		Connection *c = &connections[i];

		connection_init(c);
		c->became_idle = on_idle;
		c->was_lost = on_lost;
		c->in_doubt = on_doubt;
	}
}

void
pool_tick(int64_t now)
{
	for (int i = 0; i < n_connections; i++)
		connection_tick(&connections[i], now);
	if (!STAILQ_EMPTY(&doubts))
		dispatch();
}

int64_t
pool_next_tick(void)
{
	int64_t		next = INT64_MAX;

	for (int i = 0; i < n_connections; i++)
	{
		int64_t		tick = connection_next_tick(&connections[i]);

		if (tick < next)
			next = tick;
	}
	if (!STAILQ_EMPTY(&doubts) && !is_away() &&
		STAILQ_FIRST(&doubts)->not_before < next)
		next = STAILQ_FIRST(&doubts)->not_before;
	return next;
}

static void
drop(Job *job)
{
	if (job != NULL && job->statement == &statement_fate)
		job_free(job->owner);
	if (job != NULL)
		job_free(job);
}

static void
drop_all(JobQueue *queue)
{
	Job		   *job;

	while ((job = take_first(queue)) != NULL)
		drop(job);
}

void
pool_stop(void)
{
	for (int i = 0; i < n_connections; i++)
	{
		drop(connections[i].job);
		connection_end(&connections[i]);
	}
	drop_all(&light);
	drop_all(&heavy);
	drop_all(&doubts);
	free(connections);
	n_connections = 0;
}
