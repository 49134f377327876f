/*
 * request.c
 *	  One request, from its first line to the log.
 *
 * When its headers are there it is admitted or refused; when its body is
 * there it becomes a job for the database, and its connection is suspended
 * until the job is done.  A start may then wait for the end of its instance.
 */
#include "request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "call.h"
#include "keys.h"
#include "log.h"
#include "loop.h"
#include "memory.h"
#include "origin.h"
#include "polls.h"
#include "pool.h"

/* Seconds that a start may wait for the end of its instance. */
#define LONGEST_POLL	3600.0

/* Bodies that are held at a time, in times the limit of one. */
#define BODIES_LIMIT	16

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
static const char in_doubt[] =
ERROR_BODY("Something went wrong while processing your request",
		   "The database has not answered, and whether it has done anything is not known.");

struct Request
{
	char	   *text;			/* the target, as it came */
	Target		target;
	Route		route;
	struct MHD_Connection *connection;
	Client	   *client;
	char		method[24];
	char	   *origin;
	Text		key;			/* that it has proved to know */
	double		began;
	double		poll_seconds;	/* below 0: it does not wait for the end */
	double		poll_interval;
	Text		body;
	size_t		body_room;
	bool		body_too_large;
	Job		   *job;
	Poll	   *poll;
	struct MHD_Response *response;
	int			status;
	bool		close_after;
	bool		suspended;
	bool		counted;
	Request    *previous;		/* of those that are suspended */
	Request    *next;
};

static size_t body_limit;
static size_t bodies;			/* bytes that are held */
static int	n_requests;
static Request *suspended;
static bool draining;
static bool any_resumed;

/*
 * What stands for the key in links until they leave us: the database never
 * sees a key, so none can get into its logs.
 */
static char key_mark[33];

void
request_init(const Options *options)
{
	unsigned char random[16];

	body_limit = options->body_limit;
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	for (size_t i = 0; i < sizeof(random); i++)
		sprintf(key_mark + 2 * i, "%02x", random[i]);
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
	r->began = loop_exact_now();
	return r;
}

/* --- answers --- */

static void
add_header(struct MHD_Response *response, const char *name, const char *value)
{
	/* MHD refuses what could end a line; such a value is left out */
	if (value != NULL && value[0] != '\0')
		MHD_add_response_header(response, name, value);
}

/* The body is copied; NULL is an empty one. */
static struct MHD_Response *
set_response(Request *r, int status, const char *body, size_t length,
			 const char *content_type)
{
	r->status = status;
	r->response = MHD_create_response_from_buffer(body ? length : 0,
												  (void *) (body ? body : ""),
												  MHD_RESPMEM_MUST_COPY);
	if (body != NULL)
		add_header(r->response, "Content-Type",
				   content_type ? content_type : "application/json; charset=utf-8");
	return r->response;
}

/* An answer of our own. */
static void
refuse(Request *r, int status, const char *body)
{
	struct MHD_Response *response =
		set_response(r, status, body, body ? strlen(body) : 0, NULL);

	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		add_header(response, "Retry-After", AWAY_RETRY_AFTER);
}

static char *
encode_key(Text key)
{
	char	   *encoded = gw_alloc(3 * key.length + 1);
	char	   *out = encoded;

	for (size_t i = 0; i < key.length; i++)
	{
		char		c = key.data[i];

		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~", c) != NULL && c != '\0')
			*out++ = c;
		else
			out += sprintf(out, "%%%02X", (unsigned char) c);
	}
	return encoded;
}

/* Puts the client's key where the database put the mark; to be freed. */
static char *
with_key(const Request *r, const char *text)
{
	char	   *key;
	char	   *result;
	char	   *out;
	const char *mark;
	size_t		n = 0;

	if (text == NULL || r->key.data == NULL)
		return gw_strdup(text);
	key = encode_key(r->key);
	for (mark = text; (mark = strstr(mark, key_mark)) != NULL; mark++)
		n++;
	result = out = gw_alloc(strlen(text) + n * strlen(key) + 1);
	while ((mark = strstr(text, key_mark)) != NULL)
	{
		memcpy(out, text, mark - text);
		out = stpcpy(out + (mark - text), key);
		text = mark + strlen(key_mark);
	}
	memcpy(out, text, strlen(text) + 1);
	explicit_bzero(key, strlen(key));
	free(key);
	return result;
}

/* The URL of the request itself, in ASCII. */
static char *
own_url(const Request *r)
{
	const char *target = r->target.path.start;
	char	   *url = gw_alloc(strlen(r->origin) + 3 * strlen(target) + 1);
	char	   *out = stpcpy(url, r->origin);

	for (; *target; target++)
	{
		if ((unsigned char) *target < 0x80)
			*out++ = *target;
		else
			out += sprintf(out, "%%%02X", (unsigned char) *target);
	}
	return url;
}

static void
respond(Request *r, const Answer *answer)
{
	char	   *body = with_key(r, answer->body);
	char	   *location = with_key(r, answer->location);
	struct MHD_Response *response =
		set_response(r, answer->status, body, body ? strlen(body) : 0,
					 answer->content_type);

	if (r->route.operation == OP_STATUS && answer->status == MHD_HTTP_ACCEPTED)
		location = own_url(r);
	add_header(response, "Location", location);
	add_header(response, "Retry-After", answer->retry_after);
	add_header(response, "x-ms-continuation-token", answer->continuation_token);
	free(body);
	free(location);
}

/* Until there is a response. */
static void
suspend(Request *r)
{
	r->suspended = true;
	r->previous = NULL;
	r->next = suspended;
	if (suspended != NULL)
		suspended->previous = r;
	suspended = r;
	MHD_suspend_connection(r->connection);
}

/* There is a response: MHD shall ask for it. */
static void
resume(Request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	if (r->previous != NULL)
		r->previous->next = r->next;
	else
		suspended = r->next;
	if (r->next != NULL)
		r->next->previous = r->previous;
	any_resumed = true;
	MHD_resume_connection(r->connection);
}

/* --- waiting for the end of an instance --- */

/* 0: its time is over, and it gets the answer to its start. */
static void
poll_ended(void *owner, int status, const char *body)
{
	Request    *r = owner;

	r->poll = NULL;
	if (status == 0)
		respond(r, &r->job->answer);
	else
		set_response(r, status, body, strlen(body), NULL);
	job_free(r->job);
	r->job = NULL;
	resume(r);
}

/* False: it does not wait, or may not. */
static bool
start_poll(Request *r)
{
	const Answer *answer = &r->job->answer;

	if (r->poll_seconds < 0 || answer->status != MHD_HTTP_ACCEPTED ||
		answer->instance_id == NULL || draining)
		return false;
	r->poll = polls_add(answer->instance_id, r->poll_seconds, r->poll_interval,
						poll_ended, r);
	return r->poll != NULL;
}

/* --- the database's answer --- */

static void
job_done(Job *job)
{
	Request    *r = job->owner;

	if (r == NULL)
	{
		job_free(job);
		return;
	}
	if (start_poll(r))
		return;
	if (job->answer.status == 0)
		refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, away);
	else if (job->answer.status == MHD_HTTP_INTERNAL_SERVER_ERROR &&
			 job->answer.body == NULL)
		refuse(r, MHD_HTTP_INTERNAL_SERVER_ERROR, in_doubt);
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

	for (; suspended != NULL; n++)
	{
		Request    *r = suspended;

		/* only resume() ends the job of one that is suspended */
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

/* timeout and pollingInterval count together or not at all; false: bad. */
static bool
read_poll_times(Request *r)
{
	double		seconds = target_seconds(&r->target, "timeout");
	double		interval = target_seconds(&r->target, "pollingInterval");

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
		.target = &r->target,
		.route = &r->route,
		.origin = r->origin,
		.code = r->key.data != NULL ? key_mark : NULL,
		.content_type = header(r, "Content-Type"),
		.continuation_token = header(r, "x-ms-continuation-token"),
		.body = r->body,
	};

	bodies -= r->body_room;
	r->body = (Text) {NULL, 0};
	r->body_room = 0;
	if (read_poll_times(r))
		r->job = call_make_job(&call);
	else
	{
		free(call.body.data);
		r->job = call_make_refusal("SD400",
								   "pollingInterval must not be larger than timeout.");
	}
	r->job->owner = r;
	r->job->done = job_done;
	r->client->state = WORKING;
	r->client->since = loop_now();
	pool_run(r->job);
}

/* --- headers and body --- */

typedef struct Framing
{
	int			n_host;
	int			n_length;
	int			n_encoding;
	bool		chunked;
	bool		strange;		/* a name that is none */
} Framing;

/* A space before the colon is read by some and not by others. */
static bool
is_header_name(const char *name)
{
	for (; *name; name++)
	{
		if (*name <= ' ' || *name >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", *name))
			return false;
	}
	return true;
}

static enum MHD_Result
look_at_header(void *cls, enum MHD_ValueKind kind, const char *key,
			   const char *value)
{
	Framing    *f = cls;

	(void) kind;
	if (!is_header_name(key))
		f->strange = true;
	else if (strcasecmp(key, "Host") == 0)
		f->n_host++;
	else if (strcasecmp(key, "Content-Length") == 0)
		f->n_length++;
	else if (strcasecmp(key, "Transfer-Encoding") == 0)
	{
		f->n_encoding++;
		f->chunked = value != NULL && strcasecmp(value, "chunked") == 0;
	}
	return MHD_YES;
}

/*
 * Where the request ends must be beyond doubt, else a proxy in front could see
 * another request than we do.
 */
static bool
is_well_framed(const Request *r)
{
	Framing		f = {0};

	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, look_at_header, &f);
	if (f.strange || f.n_host > 1 || f.n_length > 1 || f.n_encoding > 1)
		return false;
	if (f.n_encoding > 0 && (!f.chunked || f.n_length > 0))
		return false;
	return true;
}

/* The one with which it came in, if any is needed. */
static bool
proves_key(Request *r)
{
	const char *given = header(r, "x-functions-key");
	Text		key;

	if (!keys_required())
		return true;
	if (given != NULL)
		key = (Text) {gw_strdup(given), strlen(given)};
	else
		key = target_parameter(&r->target, "code");
	if (key.data == NULL)
		return false;
	r->key = key;
	return keys_match(key.data, key.length);
}

static bool
announces_too_much(const Request *r)
{
	const char *length = header(r, "Content-Length");

	return length != NULL && strtoull(length, NULL, 10) > body_limit;
}

/* Sets the response if the request is refused before its body is read. */
static void
admit(Request *r)
{
	if (!target_is_clean(r->text) || !target_parse(r->text, &r->target) ||
		!is_well_framed(r) || (r->origin = origin_of(r->connection)) == NULL)
	{
		r->close_after = true;
		refuse(r, MHD_HTTP_BAD_REQUEST, malformed);
		return;
	}
	if (!proves_key(r))
	{
		refuse(r, MHD_HTTP_UNAUTHORIZED, NULL);
		return;
	}
	r->route = route_find(r->method, r->target.path);
	if (r->route.operation == OP_NONE)
		refuse(r, MHD_HTTP_NOT_FOUND, NULL);
	else if (announces_too_much(r))
	{
		r->close_after = true;
		refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, too_large);
	}
}

/* False: the client goes on and on, and is cut off. */
static bool
take_body(Request *r, const char *data, size_t length)
{
	size_t		needed = r->body.length + length + 1;

	if (r->body_too_large || r->response != NULL || needed - 1 > body_limit)
	{
		r->body_too_large = true;
		r->body.length += length;
		return r->body.length <= 2 * body_limit + (1 << 20);
	}
	if (needed > r->body_room)
	{
		size_t		room = 2 * needed;

		if (bodies + room - r->body_room > BODIES_LIMIT * body_limit)
		{
			refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, busy);
			return true;
		}
		r->body.data = gw_realloc(r->body.data, room);
		bodies += room - r->body_room;
		r->body_room = room;
	}
	memcpy(r->body.data + r->body.length, data, length);
	r->body.length += length;
	r->body.data[r->body.length] = '\0';
	return true;
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
		/* an answer before the body ends the connection, so it is rare */
		return r->close_after ? queue_response(r) : MHD_YES;
	}
	if (*data_length > 0)
	{
		size_t		length = *data_length;

		*data_length = 0;
		return take_body(r, data, length) ? MHD_YES : MHD_NO;
	}
	if (r->response == NULL && r->body_too_large)
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
		r->job->owner = NULL;	/* it ends by itself */
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	if (r->key.data != NULL)
		explicit_bzero(r->key.data, r->key.length);
	explicit_bzero(r->text, strlen(r->text));
	bodies -= r->body_room;
	free(r->body.data);
	free(r->key.data);
	free(r->origin);
	free(r->text);
	free(r);
}
