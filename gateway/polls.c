/*
 * polls.c
 *	  Long polls: starts that wait for the end of their instance.
 *
 * The connection waits in http_wait(), which returns as soon as an instance
 * ends.  When a poll is added meanwhile, another connection ends the wait, and
 * it begins again.  It also returns from time to time, so that it holds no
 * snapshot for long.
 */
#include "polls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "connection.h"
#include "memory.h"
#include "pool.h"

/* Seconds. */
#define LONGEST_ROUND	5.0
#define SHORTEST_ROUND	0.05
#define ROUND_PER_POLL	0.0005	/* many polls make a round expensive */

/* Milliseconds until the next round after one has failed. */
#define AFTER_FAILURE	200

/*
 * Milliseconds until the next attempt to end a round that was not waiting yet.
 */
#define CALL_AGAIN		5

struct Poll
{
	char	   *instance_id;
	int64_t		deadline;
	double		interval;
	void		(*ended) (void *owner, int status, const char *body);
	void	   *owner;
	LIST_ENTRY(Poll) others;
};

static LIST_HEAD(, Poll) polls;
static int	n_polls;
static int	max_polls;
static Connection waiter;
static int64_t next_round;		/* not before */

/*
 * There are polls that the current round does not include; the job that ends
 * it.
 */
static bool any_new;
static Job *calling_off;
static int64_t next_call_off;	/* not before */

static void call_off(void);
static void wait_round(Connection *c);

static void
end(Poll *poll, int status, const char *body)
{
	void		(*ended) (void *, int, const char *) = poll->ended;
	void	   *owner = poll->owner;

	polls_remove(poll);
	ended(owner, status, body);
}

/* --- for new polls --- */

/* The result is false if the round was not waiting, or not yet. */
static void
take_called_off(Job *job, const PGresult *result)
{
	(void) job;
	if (PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "t") != 0)
	{
		any_new = true;
		next_call_off = loop_now() + CALL_AGAIN;
	}
}

static void
called_off(Job *job)
{
	calling_off = NULL;
	job_free(job);
	/* polls may have been added since then */
	call_off();
}

/* Ends the current round; the next one includes all polls. */
static void
call_off(void)
{
	char		pid[12];

	if (!any_new || calling_off != NULL || waiter.state != EXECUTING ||
		loop_now() < next_call_off)
		return;
	any_new = false;
	snprintf(pid, sizeof(pid), "%d", PQbackendPID(waiter.conn));
	calling_off = job_new(&statement_call_off);
	job_add_string(calling_off, pid);
	calling_off->take_rows = take_called_off;
	calling_off->done = called_off;
	pool_run(calling_off);
}

Poll *
polls_add(const char *instance_id, double seconds, double interval,
		  void (*ended) (void *owner, int status, const char *body), void *owner)
{
	Poll	   *poll;

	if (n_polls >= max_polls)
		return NULL;
	poll = gw_alloc(sizeof(Poll));
	poll->instance_id = gw_strdup(instance_id);
	poll->deadline = loop_now() + (int64_t) (seconds * 1000);
	poll->interval = interval;
	poll->ended = ended;
	poll->owner = owner;
	LIST_INSERT_HEAD(&polls, poll, others);
	n_polls++;
	any_new = true;
	if (waiter.state == IDLE)
		wait_round(&waiter);
	else
		call_off();
	return poll;
}

void
polls_remove(Poll *poll)
{
	LIST_REMOVE(poll, others);
	n_polls--;
	free(poll->instance_id);
	free(poll);
}

void
polls_end_all(void)
{
	while (!LIST_EMPTY(&polls))
		end(LIST_FIRST(&polls), 0, NULL);
}

/* --- a round of waiting --- */

/* The ids, one per line: an id has no control character. */
static char *
id_lines(void)
{
	size_t		size = 1;
	char	   *lines;
	char	   *out;

	for (Poll *p = LIST_FIRST(&polls); p != NULL; p = LIST_NEXT(p, others))
		size += strlen(p->instance_id) + 1;
	lines = out = gw_alloc(size);
	for (Poll *p = LIST_FIRST(&polls); p != NULL; p = LIST_NEXT(p, others))
	{
		out = stpcpy(out, p->instance_id);
		if (LIST_NEXT(p, others) != NULL)
			*out++ = '\n';
	}
	return lines;
}

static double
round_seconds(void)
{
	double		shortest = SHORTEST_ROUND + ROUND_PER_POLL * n_polls;
	double		seconds = LONGEST_ROUND;

	for (Poll *p = LIST_FIRST(&polls); p != NULL; p = LIST_NEXT(p, others))
	{
		if (p->interval < seconds)
			seconds = p->interval;
	}
	return seconds < shortest ? shortest : seconds;
}

/* Rows of http_wait(): id, status (null if the instance is gone), body. */
static void
take_ended(Job *job, const PGresult *result)
{
	(void) job;
	for (int i = 0; i < PQntuples(result); i++)
	{
		bool		gone = PQgetisnull(result, i, 1);
		Poll	   *next;

		for (Poll *p = LIST_FIRST(&polls); p != NULL; p = next)
		{
			next = LIST_NEXT(p, others);
			if (strcmp(p->instance_id, PQgetvalue(result, i, 0)) == 0)
				end(p, gone ? 0 : atoi(PQgetvalue(result, i, 1)),
					gone ? NULL : PQgetvalue(result, i, 2));
		}
	}
}

/* An instance may be purged during the wait; the next round notices it. */
static void
round_done(Job *job)
{
	if (job->error_code[0] != '\0')
		next_round = loop_now() + AFTER_FAILURE;
	job_free(job);
}

static void
wait_round(Connection *c)
{
	Job		   *job;
	char		seconds[40];

	if (LIST_EMPTY(&polls) || loop_now() < next_round)
		return;
	job = job_new(&statement_wait);
	job_add_text(job, (Text) {id_lines(), 0});
	snprintf(seconds, sizeof(seconds), "%.3f", round_seconds());
	job_add_string(job, seconds);
	job->take_rows = take_ended;
	job->done = round_done;
	any_new = false;
	connection_run(c, job);
}

/* Polls continue once the connection is back. */
static void
on_lost(Connection *c)
{
	(void) c;
}

static void
on_doubt(Connection *c, Job *job)
{
	(void) c;
	job_free(job);				/* cannot happen: it does not write */
}

void
polls_start(int limit)
{
	max_polls = limit;
	connection_init(&waiter);
	waiter.became_idle = wait_round;
	waiter.was_lost = on_lost;
	waiter.in_doubt = on_doubt;
}

/* The connection is established for the first poll. */
void
polls_tick(int64_t now)
{
	Poll	   *next;

	for (Poll *p = LIST_FIRST(&polls); p != NULL; p = next)
	{
		next = LIST_NEXT(p, others);
		if (now >= p->deadline)
			end(p, 0, NULL);
	}
	if (!LIST_EMPTY(&polls) || waiter.state != DOWN)
		connection_tick(&waiter, now);
	if (waiter.state == IDLE)
		wait_round(&waiter);
	call_off();
}

int64_t
polls_next_tick(void)
{
	int64_t		next = INT64_MAX;

	for (Poll *p = LIST_FIRST(&polls); p != NULL; p = LIST_NEXT(p, others))
	{
		if (p->deadline < next)
			next = p->deadline;
	}
	if (!LIST_EMPTY(&polls) || waiter.state != DOWN)
	{
		int64_t		tick = connection_next_tick(&waiter);

		if (tick < next)
			next = tick;
	}
	if (!LIST_EMPTY(&polls) && waiter.state == IDLE && next_round < next)
		next = next_round;
	if (any_new && calling_off == NULL && waiter.state == EXECUTING &&
		next_call_off < next)
		next = next_call_off;
	return next;
}

void
polls_stop(void)
{
	if (waiter.job != NULL)
		job_free(waiter.job);
	connection_end(&waiter);
}
