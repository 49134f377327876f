/*
 * request.c
 *	  A request, from its first line to the log.
 *
 * When its headers are complete, a request is admitted or refused.  When its
 * body is complete, it becomes a job for the database, and its connection is
 * suspended until the job is done.  A start may then wait for the end of its
 * instance.
 */
#include "request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "body.h"
#include "call.h"
#include "framing.h"
#include "held.h"
#include "keys.h"
#include "link_key.h"
#include "log.h"
#include "loop.h"
#include "memory.h"
#include "origin.h"
#include "polls.h"
#include "pool.h"
#include "query.h"
#include "site.h"

/* Seconds that a start may wait for the end of its instance. */
#define LONGEST_POLL	3600.0

/*
 * Limit for large bodies, and for large answers, as a multiple of the body
 * limit.
 */
#define HELD_LIMIT	16

#define AWAY_RETRY_AFTER	"2"

#define ERROR_BODY(message, exception) \
	"{\"Message\":\"" message "\",\"ExceptionMessage\":\"" exception "\"}"

static const char malformed[] =
ERROR_BODY("One or more of the arguments submitted is incorrect",
		   "The request is malformed.");
static const char too_large[] =
ERROR_BODY("Request entity too large",
		   "The body is larger than the gateway accepts.");
static const char away[] =
ERROR_BODY("Service unavailable",
		   "The database cannot be reached at the moment; nothing was done.");
static const char busy[] =
ERROR_BODY("Service unavailable",
		   "Too many large requests are under way; nothing was done.");
static const char unknown_host[] =
ERROR_BODY("Forbidden",
		   "A gateway without keys does not accept requests for this host; the option --allow-host adds one.");
static const char foreign_site[] =
ERROR_BODY("Forbidden",
		   "A gateway without keys does not answer web pages of other sites; the option --allow-host adds one.");
static const char in_doubt[] =
ERROR_BODY("Something went wrong while processing your request",
		   "The database has not answered, and it is not known whether it has done anything.");

struct Request
{
	char	   *text;			/* the target, as received */
	Target		target;
	Route		route;
	struct MHD_Connection *connection;
	Client	   *client;
	char		method[24];
	char	   *origin;
	Text		key;			/* the valid key that it came with */
	double		began;
	double		poll_seconds;	/* below 0: no wait for the end */
	double		poll_interval;
	Body		body;
	Job		   *job;
	Poll	   *poll;
	Watch		departure;		/* of the client, during a long poll */
	struct MHD_Response *response;
	size_t		held;			/* bytes of the answer */
	int			status;
	bool		close_after;
	bool		suspended;
	bool		counted;
	LIST_ENTRY(Request) others; /* in the list of suspended ones */
};

static int	n_requests;
static LIST_HEAD(, Request) suspended;
static bool draining;
static bool any_resumed;

static void client_departed(Watch *watch, uint32_t events);

void
request_init(const Options *options)
{
	held_init(HELD_LIMIT * options->body_limit);
	body_init(options->body_limit);
	link_key_init();
}

int
request_count(void)
{
	return n_requests;
}

void
request_drain(void)
{
	draining = true;
	polls_end_all();
}

bool
request_resumed(void)
{
	bool		result = any_resumed;

	any_resumed = false;
	return result;
}

Request *
request_new(const char *target)
{
	Request    *r = gw_alloc(sizeof(Request));

	r->text = gw_strdup(target);
	r->departure = (Watch) {.fd = -1,.ready = client_departed,.owner = r};
	r->began = loop_exact_now();
	return r;
}

/* --- answers --- */

static void
add_header(struct MHD_Response *response, const char *name, const char *value)
{
	/* MHD refuses a value that could end a line; it is left out */
	if (value != NULL && value[0] != '\0')
		MHD_add_response_header(response, name, value);
}

/* Takes over the body; NULL means an empty one. */
static void
set_response(Request *r, int status, char *body, const char *content_type)
{
	size_t		length = body ? strlen(body) : 0;

	r->status = status;
	r->response = MHD_create_response_from_buffer(length, body ? body : "",
												  body ? MHD_RESPMEM_MUST_FREE :
												  MHD_RESPMEM_PERSISTENT);
	if (body != NULL)
		add_header(r->response, "Content-Type",
				   content_type ? content_type : "application/json; charset=utf-8");
}

/* An answer of the gateway itself. */
static void
refuse(Request *r, int status, const char *body)
{
	set_response(r, status, gw_strdup(body), NULL);
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		add_header(r->response, "Retry-After", AWAY_RETRY_AFTER);
}

/*
 * Counts the answer until it is sent; false if there are too many large ones.
 */
static bool
hold(Request *r, const char *body)
{
	size_t		length = body ? strlen(body) : 0;

	if (!held_resize(HELD_ANSWERS, 0, length))
		return false;
	r->held = length;
	return true;
}

/* Takes over texts of the answer. */
static void
respond(Request *r, Answer *answer)
{
	if (r->route.operation == OP_STATUS && answer->status == MHD_HTTP_ACCEPTED)
		answer->location = target_url(&r->target, r->origin);
	else
		answer->location = link_key_put(answer->location, r->key);
	set_response(r, answer->status, link_key_put(answer->body, r->key),
				 answer->content_type);
	answer->body = NULL;
	add_header(r->response, "Location", answer->location);
	add_header(r->response, "Retry-After", answer->retry_after);
	add_header(r->response, "x-ms-continuation-token", answer->continuation_token);
}

/* Suspends the connection until there is a response. */
static void
suspend(Request *r)
{
	r->suspended = true;
	LIST_INSERT_HEAD(&suspended, r, others);
	MHD_suspend_connection(r->connection);
}

/* There is a response now: makes MHD ask for it. */
static void
resume(Request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	LIST_REMOVE(r, others);
	any_resumed = true;
	MHD_resume_connection(r->connection);
}

/* --- waiting for the end of an instance --- */

/*
 * Status 0 means that its time is over.  Then it gets the answer to its start,
 * and so does one whose output is too large at the moment.
 */
static void
poll_ended(void *owner, int status, const char *body)
{
	Request    *r = owner;

	r->poll = NULL;
	loop_forget(&r->departure);
	if (status != 0 && hold(r, body))
		set_response(r, status, gw_strdup(body), NULL);
	else
		respond(r, &r->job->answer);
	job_free(r->job);
	r->job = NULL;
	resume(r);
}

/*
 * MHD does not watch a suspended connection.  If a client has closed it, or half
 * of it, its long poll ends as if its time were over.
 */
static void
client_departed(Watch *watch, uint32_t events)
{
	Request    *r = watch->owner;

	(void) events;
	polls_remove(r->poll);
	poll_ended(r, 0, NULL);
}

/* False if the request does not wait, or is not allowed to. */
static bool
start_poll(Request *r)
{
	const Answer *answer = &r->job->answer;

	if (r->poll_seconds < 0 || answer->status != MHD_HTTP_ACCEPTED ||
		answer->instance_id == NULL || draining)
		return false;
	r->poll = polls_add(answer->instance_id, r->poll_seconds, r->poll_interval,
						poll_ended, r);
	if (r->poll == NULL)
		return false;
	loop_watch(&r->departure, r->client->fd, EPOLLRDHUP);
	return true;
}

/* --- the database's answer --- */

static void
job_done(Job *job)
{
	Request    *r = job->owner;
	bool		writes = job->statement->writes;

	if (r == NULL)
	{
		job_free(job);
		return;
	}
	job_forget_parameters(job);
	if (start_poll(r))
		return;
	if (job->answer.status == 0)
		refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, away);
	else if (job->answer.status == MHD_HTTP_INTERNAL_SERVER_ERROR &&
			 job->answer.body == NULL)
		refuse(r, MHD_HTTP_INTERNAL_SERVER_ERROR, in_doubt);
	/* never report a completed write as refused; its answer is small */
	else if (!hold(r, job->answer.body) && !writes)
		refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, busy);
	else
		respond(r, &job->answer);
	r->job = NULL;
	job_free(job);
	resume(r);
}

int
request_give_up(void)
{
	int			n = 0;

	for (; !LIST_EMPTY(&suspended); n++)
	{
		Request    *r = LIST_FIRST(&suspended);

		/* a suspended request keeps its job until resume() */
		assert(r->job != NULL);
		r->job->owner = NULL;
		r->job = NULL;
		refuse(r, MHD_HTTP_INTERNAL_SERVER_ERROR, in_doubt);
		resume(r);
	}
	return n;
}

static const char *
header(const Request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* timeout and pollingInterval count only together; false if they are wrong. */
static bool
read_poll_times(Request *r)
{
	double		seconds = query_seconds(r->connection, "timeout");
	double		interval = query_seconds(r->connection, "pollingInterval");

	r->poll_seconds = -1;
	if ((r->route.operation != OP_START && r->route.operation != OP_RESTART) ||
		seconds < 0 || interval < 0)
		return true;
	if (interval > seconds)
		return false;
	r->poll_seconds = seconds < LONGEST_POLL ? seconds : LONGEST_POLL;
	r->poll_interval = interval;
	return true;
}

static void
run(Request *r)
{
	Call		call = {
		.connection = r->connection,
		.route = &r->route,
		.origin = r->origin,
		.code = r->key.data != NULL ? link_key_mark() : NULL,
		.content_type = header(r, "Content-Type"),
		.continuation_token = header(r, "x-ms-continuation-token"),
		.body = &r->body,
	};

	if (read_poll_times(r))
		r->job = call_make_job(&call);
	else
		r->job = call_make_refusal("SD400",
								   "pollingInterval must not be larger than timeout.");
	r->job->owner = r;
	r->job->done = job_done;
	r->client->state = WORKING;
	r->client->since = loop_now();
	pool_run(r->job);
}

/* --- headers and body --- */

/* For a gateway without keys; false if the request is refused. */
static bool
is_of_trusted_site(Request *r)
{
	SiteVerdict verdict = site_judge(r->connection, r->origin);

	if (verdict != SITE_TRUSTED)
		refuse(r, MHD_HTTP_FORBIDDEN,
			   verdict == SITE_UNKNOWN_HOST ? unknown_host : foreign_site);
	return verdict == SITE_TRUSTED;
}

/* Sets a response if the request is refused before its body is read. */
static void
admit(Request *r)
{
	int			excess = framing_excess(r->connection, r->text);

	if (excess != 0)
	{
		r->close_after = true;
		refuse(r, excess, NULL);
		return;
	}
	if (!target_is_clean(r->text) || !target_parse(r->text, &r->target) ||
		!framing_is_clear(r->connection) || (r->origin = origin_of(r->connection)) == NULL)
	{
		r->close_after = true;
		refuse(r, MHD_HTTP_BAD_REQUEST, malformed);
		return;
	}
	if (!keys_prove(r->connection, &r->key))
	{
		refuse(r, MHD_HTTP_UNAUTHORIZED, NULL);
		return;
	}
	if (!keys_wanted() && !is_of_trusted_site(r))
		return;
	r->route = route_find(r->method, r->target.path);
	if (r->route.operation == OP_NONE)
		refuse(r, MHD_HTTP_NOT_FOUND, NULL);
	else if (body_announced_too_large(header(r, "Content-Length")))
	{
		r->close_after = true;
		refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, too_large);
	}
}

/* False if the client does not stop sending and must be cut off. */
static bool
take_body(Request *r, const char *data, size_t length)
{
	BodyResult	result = body_append(&r->body, data, length, r->response == NULL);

	if (result == BODY_REFUSED)
		refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, busy);
	return result != BODY_ENDLESS;
}

static enum MHD_Result
queue_response(Request *r)
{
	if (r->close_after || draining)
		add_header(r->response, "Connection", "close");
	r->client->state = SENDING;
	r->client->since = loop_now();
	return MHD_queue_response(r->connection, r->status, r->response);
}

enum MHD_Result
request_handle(Request *r, struct MHD_Connection *connection, Client *client,
			   const char *method, const char *data, size_t *data_length)
{
	if (r->connection == NULL)
	{
		r->connection = connection;
		r->client = client;
		r->counted = true;
		n_requests++;
		snprintf(r->method, sizeof(r->method), "%s", method);
		admit(r);
		/* an answer before the body closes the connection, so it is avoided */
		return r->close_after ? queue_response(r) : MHD_YES;
	}
	if (*data_length > 0)
	{
		size_t		length = *data_length;

		*data_length = 0;
		return take_body(r, data, length) ? MHD_YES : MHD_NO;
	}
	if (r->response == NULL && r->body.too_large)
	{
		r->close_after = true;
		refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, too_large);
	}
	if (r->response == NULL)
		run(r);
	if (r->response != NULL)
		return queue_response(r);
	suspend(r);
	return MHD_YES;
}

void
request_end(Request *r)
{
	if (r->counted)
	{
		n_requests--;
		log_request(r->client->peer, r->method, r->text, r->status,
					loop_exact_now() - r->began);
		r->client->state = READING;
		r->client->since = loop_now();
	}
	if (r->poll != NULL)
	{
		polls_remove(r->poll);
		job_free(r->job);
	}
	else if (r->job != NULL)
		r->job->owner = NULL;	/* the job frees itself */
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	if (r->key.data != NULL)
		explicit_bzero(r->key.data, r->key.length);
	explicit_bzero(r->text, strlen(r->text));
	loop_forget(&r->departure);
	body_free(&r->body);
	held_resize(HELD_ANSWERS, r->held, 0);
	free(r->key.data);
	free(r->origin);
	free(r->text);
	free(r);
}
