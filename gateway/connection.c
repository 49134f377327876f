/*
 * connection.c
 *	  A connection to the database, and its current job.
 */
#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "log.h"
#include "memory.h"

/* Milliseconds. */
#define CONNECT_TIME	10000
#define JOB_TIME		75000	/* more than statement_timeout */
#define FIRST_RETRY		50
#define LAST_RETRY		1000

#define MAX_ATTEMPTS	5

static const char *dsn = "";

static void ready(Watch *watch, uint32_t events);
static void advance(Connection *c);
static void lose(Connection *c, const char *why);
static void send_main(Connection *c);

void
connection_set_dsn(const char *conninfo)
{
	dsn = conninfo;
}

void
connection_init(Connection *c)
{
	c->state = DOWN;
	c->watch = (Watch) {.fd = -1,.ready = ready,.owner = c};
}

bool
connection_is_up(const Connection *c)
{
	return c->state >= IDLE;
}

static void
close_it(Connection *c)
{
	loop_forget(&c->watch);
	PQfinish(c->conn);
	c->conn = NULL;
	c->state = DOWN;
}

void
connection_end(Connection *c)
{
	close_it(c);
	conninfo_free_order(&c->order);
}

/* --- connecting --- */

/* Notices are meant for interactive users, and may contain payloads. */
static void
ignore_notice(void *arg, const char *message)
{
	(void) arg;
	(void) message;
}

static void
begin_to_connect(Connection *c, int64_t now)
{
	/* the DSN takes precedence over the keywords before it */
	const char *const keywords[] = {
		"fallback_application_name", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "dbname", "host", "hostaddr",
		"port", NULL
	};
	const char *const values[] = {
		"durable-singleton-http", "20", "5", "3", "20000", dsn, c->order.host,
		c->order.hostaddr, c->order.port, NULL
	};

	c->conn = PQconnectStartParams(keywords, values, 1);
	c->state = CONNECTING;
	c->deadline = now + conninfo_connect_time(c->conn, CONNECT_TIME);
	PQsetNoticeProcessor(c->conn, ignore_notice, NULL);
	if (c->conn == NULL || PQstatus(c->conn) == CONNECTION_BAD)
		lose(c, c->conn == NULL ? "out of memory" : PQerrorMessage(c->conn));
	else
		loop_watch(&c->watch, PQsocket(c->conn), EPOLLOUT);
}

/* Sends the session's settings and all statements in one round trip. */
static bool
send_preparations(Connection *c)
{
	char	   *settings = gw_strdup(session_settings);
	char	   *next = settings;
	char	   *one;
	bool		ok = PQenterPipelineMode(c->conn) == 1;

	while (ok && (one = strsep(&next, ";")) != NULL)
		ok = PQsendQueryParams(c->conn, one, 0, NULL, NULL, NULL, NULL, 0) == 1;
	free(settings);
	for (int i = 0; ok && all_statements[i] != NULL; i++)
		ok = PQsendPrepare(c->conn, all_statements[i]->name,
						   all_statements[i]->sql, 0, NULL) == 1;
	return ok && PQpipelineSync(c->conn) == 1;
}

static void
go_on_connecting(Connection *c)
{
	PostgresPollingStatusType status = PQconnectPoll(c->conn);

	/* libpq may have opened another socket, perhaps with the same number */
	loop_forget(&c->watch);
	switch (status)
	{
		case PGRES_POLLING_READING:
			loop_watch(&c->watch, PQsocket(c->conn), EPOLLIN);
			break;
		case PGRES_POLLING_WRITING:
			loop_watch(&c->watch, PQsocket(c->conn), EPOLLOUT);
			break;
		case PGRES_POLLING_OK:
			loop_watch(&c->watch, PQsocket(c->conn), EPOLLIN);
			c->state = PREPARING;
			c->failed = false;
			if (PQsetnonblocking(c->conn, 1) != 0 || !send_preparations(c))
				lose(c, PQerrorMessage(c->conn));
			else
				advance(c);
			break;
		default:
			lose(c, PQerrorMessage(c->conn));
	}
}

void
connection_tick(Connection *c, int64_t now)
{
	if (c->state == DOWN)
	{
		if (now >= c->retry_at)
			begin_to_connect(c, now);
	}
	else if (c->state < IDLE)
	{
		if (now >= c->deadline)
		{
			HostOrder	next = conninfo_next_host_first(c->conn);

			conninfo_free_order(&c->order);
			c->order = next;
			lose(c, "the database does not answer");
		}
	}
	else if (c->job != NULL && now >= c->job->deadline)
		lose(c, "the database does not answer");
}

int64_t
connection_next_tick(const Connection *c)
{
	if (c->state == DOWN)
		return c->retry_at;
	if (c->state < IDLE)
		return c->deadline;
	return c->job != NULL ? c->job->deadline : INT64_MAX;
}

/*
 * Handles the loss of the connection.  The outcome of its job depends on
 * whether the commit had been requested.
 */
static void
lose(Connection *c, const char *why)
{
	Job		   *job = c->job;
	ConnectionState state = c->state;
	int64_t		delay = FIRST_RETRY;

	if (!c->explained)
		log_message("database: %s", why);
	c->explained = true;
	c->job = NULL;
	c->stale = false;
	close_it(c);
	for (int i = 0; i < c->n_failures && delay < LAST_RETRY; i++)
		delay *= 2;
	c->n_failures++;
	c->retry_at = loop_now() + (delay < LAST_RETRY ? delay : LAST_RETRY);

	if (job != NULL)
	{
		if (state == COMMITTING && job->transaction[0] != '\0')
			c->in_doubt(c, job);
		else
		{
			if (state != COMMITTING)
				job_clear_result(job);
			job->done(job);
		}
	}
	c->was_lost(c);
}

/* --- sending --- */

/*
 * Sends what libpq has buffered; if the socket is full, watches it for room.
 */
static bool
flush(Connection *c)
{
	int			left = PQflush(c->conn);

	if (left < 0)
		return false;
	loop_watch(&c->watch, PQsocket(c->conn),
			   left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

static bool
send_statement(Connection *c, const Statement *statement, const Text *parameters)
{
	const char *values[MAX_PARAMETERS];
	int			lengths[MAX_PARAMETERS];
	int			formats[MAX_PARAMETERS];
	int			n = (int) strlen(statement->formats);

	for (int i = 0; i < n; i++)
	{
		values[i] = parameters[i].data;
		lengths[i] = (int) parameters[i].length;
		formats[i] = statement->formats[i] == 'b';
	}
	return PQsendQueryPrepared(c->conn, statement->name, n, values, lengths,
							   formats, 0) == 1;
}

/* A job that writes is sent without a Sync, which would commit it. */
static void
send_main(Connection *c)
{
	Job		   *job = c->job;
	bool		ok = send_statement(c, job->statement, job->parameters);

	c->state = EXECUTING;
	c->failed = false;
	job->attempts++;
	job->deadline = loop_now() + JOB_TIME;
	if (ok)
		ok = job->statement->writes ? PQsendFlushRequest(c->conn) == 1 :
			PQpipelineSync(c->conn) == 1;
	if (!ok || !flush(c))
		lose(c, PQerrorMessage(c->conn));
}

static void
send_sync(Connection *c)
{
	if (PQpipelineSync(c->conn) != 1 || !flush(c))
		lose(c, PQerrorMessage(c->conn));
}

/* Asks the database for the answer to the job's error. */
static void
send_explain(Connection *c)
{
	Job		   *job = c->job;
	bool		starts = job->statement == &statement_start ||
		job->statement == &statement_start_singleton;
	Text		function = starts ? job->parameters[0] : (Text) {NULL, 0};
	const char *texts[] = {
		job->statement->name, NULL, job->error_code, job->error_message,
		job->error_detail
	};
	Text		parameters[5];

	for (int i = 0; i < 5; i++)
	{
		parameters[i].data = (char *) texts[i];
		parameters[i].length = texts[i] == NULL ? 0 : strlen(texts[i]);
	}
	/* do not send a name again that the database could not decode */
	if (strcmp(job->error_code, "22021") != 0)
		parameters[1] = function;
	c->state = EXPLAINING;
	c->failed = false;
	if (!send_statement(c, &statement_error, parameters))
		lose(c, PQerrorMessage(c->conn));
	else
		send_sync(c);
}

void
connection_run(Connection *c, Job *job)
{
	c->job = job;
	job_clear_result(job);
	send_main(c);
}

/* --- receiving --- */

/* The session has ended, or can no longer be used. */
static bool
is_fatal(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return severity == NULL || code == NULL || strcmp(severity, "ERROR") != 0;
}

/*
 * The prepared statements belong to an extension that was dropped since then.
 */
static bool
is_stale(const Job *job)
{
	return strcmp(job->error_code, "0A000") == 0 ||
		strcmp(job->error_code, "26000") == 0;
}

static bool
may_be_tried_again(const Job *job)
{
	return job->attempts < MAX_ATTEMPTS &&
		(strcmp(job->error_code, "40001") == 0 ||
		 strcmp(job->error_code, "40P01") == 0);
}

static void
finish_job(Connection *c)
{
	Job		   *job = c->job;

	c->job = NULL;
	c->state = IDLE;
	job->done(job);
	c->became_idle(c);
}

static void
take_result(Connection *c, const PGresult *result)
{
	Job		   *job = c->job;

	if (job == NULL)
		return;
	if (c->state != EXPLAINING && job->take_rows != NULL)
		job->take_rows(job, result);
	else
		job_take_answer(job, result);
}

/* Handles a result other than the end of the pipeline. */
static void
on_result(Connection *c, const PGresult *result)
{
	switch (PQresultStatus(result))
	{
		case PGRES_TUPLES_OK:
			take_result(c, result);
			break;
		case PGRES_COMMAND_OK:
		case PGRES_PIPELINE_ABORTED:
			break;
		default:
			if (c->state == PREPARING && !c->failed)
				log_message("database: %s", PQresultErrorMessage(result));
			c->failed = true;
			job_take_error(c->job, result);
	}
	if (c->state == EXECUTING && c->job->statement->writes)
	{
		if (!c->failed)
			c->state = COMMITTING;
		send_sync(c);
	}
}

/* Everything sent has been answered, and the transaction has ended. */
static void
on_sync(Connection *c)
{
	switch (c->state)
	{
		case PREPARING:
			if (c->failed)
			{
				c->explained = true;
				lose(c, "");
				return;
			}
			if (c->explained)
				log_message("database: connected");
			c->explained = false;
			c->n_failures = 0;
			c->state = IDLE;
			c->became_idle(c);
			break;
		case EXECUTING:
		case COMMITTING:
			if (!c->failed)
				finish_job(c);
			else if (is_stale(c->job))
				lose(c, "the extension was replaced");
			else if (may_be_tried_again(c->job))
				connection_run(c, c->job);
			else
				send_explain(c);
			break;
		case EXPLAINING:
			if (c->failed)
				lose(c, "http_error() failed");
			else
				finish_job(c);
			break;
		default:
			break;
	}
}

/*
 * In pipeline mode a NULL follows the result of each statement, and another one
 * means that nothing is left.
 */
static PGresult *
next_result(Connection *c)
{
	for (int i = 0; i < 2; i++)
	{
		PGresult   *result;

		if (PQisBusy(c->conn))
			return NULL;
		result = PQgetResult(c->conn);
		if (result != NULL)
			return result;
	}
	return NULL;
}

static void
advance(Connection *c)
{
	PGconn	   *conn = c->conn;
	PGresult   *result;

	if (!flush(c))
	{
		lose(c, PQerrorMessage(conn));
		return;
	}
	while (c->conn == conn && (result = next_result(c)) != NULL)
	{
		ExecStatusType status = PQresultStatus(result);

		if (status == PGRES_PIPELINE_SYNC)
			on_sync(c);
		else if (status == PGRES_FATAL_ERROR && is_fatal(result))
			lose(c, PQresultErrorMessage(result));
		else
			on_result(c, result);
		PQclear(result);
	}
	if (c->conn == conn && PQstatus(conn) == CONNECTION_BAD)
		lose(c, PQerrorMessage(conn));
}

static void
ready(Watch *watch, uint32_t events)
{
	Connection *c = watch->owner;

	if (c->state == CONNECTING)
	{
		go_on_connecting(c);
		return;
	}
	if ((events & ~(uint32_t) EPOLLOUT) != 0 && PQconsumeInput(c->conn) != 1)
	{
		/* process what was received before the end */
		PGconn	   *conn = c->conn;

		advance(c);
		if (c->conn == conn)
			lose(c, PQerrorMessage(conn));
		return;
	}
	advance(c);
}
