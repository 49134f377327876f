/*
 * server.c
 *	  The HTTP side: MHD, and the connected clients.
 *
 * MHD runs inside the gateway's event loop, which watches its epoll descriptor.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "memory.h"
#include "origin.h"
#include "request.h"
#include "secret_file.h"
#include "site.h"

#define MAX_CONNECTIONS	4096
#define SPARE_FILES		1100	/* database connections, and some more */

/*
 * For target and headers of a request, which framing.c limits, and the headers
 * of its answer: without room for these, MHD would send no answer at all.
 */
#define CONNECTION_MEMORY	(96 * 1024)

/*
 * Milliseconds from the start of a connection, or the end of its last request,
 * until a complete request must have been received; and the time for sending an
 * answer.
 */
#ifndef READ_TIME
#define READ_TIME		60000
#endif
#define SEND_TIME		300000

/* The newer one also refuses lines that end with a bare line feed. */
#if MHD_VERSION >= 0x00097701
#define STRICTNESS		MHD_OPTION_CLIENT_DISCIPLINE_LVL
#else
#define STRICTNESS		MHD_OPTION_STRICT_FOR_CLIENT
#endif

#define SWEEP_INTERVAL	1000

/* Seconds until a silent client is probed. */
#define PROBE_AFTER		60
#define PROBE_INTERVAL	15
#define PROBES			4

static struct MHD_Daemon *daemon_;
static Watch watch = {.fd = -1};
static LIST_HEAD(, Client) clients;
static int64_t next_sweep;
static char *tls_cert;
static char *tls_key;

int
server_connection_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return MAX_CONNECTIONS / 4;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= MAX_CONNECTIONS + SPARE_FILES)
		return MAX_CONNECTIONS;
	return limit.rlim_cur / 2 > SPARE_FILES ?
		(int) limit.rlim_cur - SPARE_FILES : (int) limit.rlim_cur / 2;
}

/* --- callbacks of MHD --- */

static Client *
client_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection,
								   MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void
end_request(Client *client)
{
	if (client->request != NULL)
		request_end(client->request);
	client->request = NULL;
}

static void *
on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	Client	   *client = client_of(connection);

	(void) cls;
	end_request(client);
	client->request = request_new(target);
	return client->request;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url,
		   const char *method, const char *version, const char *data,
		   size_t *data_length, void **context)
{
	(void) cls;
	(void) url;
	(void) version;
	return request_handle(*context, connection, client_of(connection), method,
						  data, data_length);
}

static void
on_end(void *cls, struct MHD_Connection *connection, void **context,
	   enum MHD_RequestTerminationCode code)
{
	(void) cls;
	(void) code;
	end_request(client_of(connection));
	*context = NULL;
}

static void
describe_peer(struct MHD_Connection *connection, char *text, size_t size)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info == NULL ? NULL : info->client_addr;

	if (address == NULL ||
		getnameinfo(address, address->sa_family == AF_INET6 ?
					sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
					text, (socklen_t) size, NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(text, size, "-");
}

/* Clients that vanish silently would otherwise occupy long polls. */
static void
probe_silent(int fd)
{
	static const struct
	{
		int			level;
		int			name;
		int			value;
	}			options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER},
		{IPPROTO_TCP, TCP_KEEPINTVL, PROBE_INTERVAL},
		{IPPROTO_TCP, TCP_KEEPCNT, PROBES},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				   sizeof(options[i].value));
}

static void
client_came(struct MHD_Connection *connection, void **context)
{
	Client	   *client = gw_alloc(sizeof(Client));

	client->fd = MHD_get_connection_info(connection,
										 MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	probe_silent(client->fd);
	describe_peer(connection, client->peer, sizeof(client->peer));
	client->state = READING;
	client->since = loop_now();
	LIST_INSERT_HEAD(&clients, client, others);
	*context = client;
}

static void
client_went(Client *client)
{
	/* MHD does not report the end of a request that it had no room for */
	end_request(client);
	LIST_REMOVE(client, others);
	free(client);
}

static void
on_connection(void *cls, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	(void) cls;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		client_came(connection, context);
	else if (*context != NULL)
		client_went(*context);
}

/* The gateway decodes targets itself, once, after dividing them. */
static size_t
leave_escaped(void *cls, struct MHD_Connection *connection, char *s)
{
	(void) cls;
	(void) connection;
	return strlen(s);
}

static void
ignore_log(void *cls, const char *format, va_list args)
{
	(void) cls;
	(void) format;
	(void) args;
}

/* --- slow clients --- */

/*
 * Only a shutdown: the descriptor belongs to MHD, which then sees an end of file
 * and closes it.
 */
static void
cut_off(Client *client)
{
	shutdown(client->fd, SHUT_RDWR);
}

void
server_tick(int64_t now)
{
	if (now < next_sweep)
		return;
	next_sweep = now + SWEEP_INTERVAL;
	for (Client *client = LIST_FIRST(&clients); client != NULL;
		 client = LIST_NEXT(client, others))
	{
		if ((client->state == READING && now - client->since > READ_TIME) ||
			(client->state == SENDING && now - client->since > SEND_TIME))
			cut_off(client);
	}
}

/* --- running --- */

static void
on_ready(Watch *w, uint32_t events)
{
	(void) w;
	(void) events;				/* server_run() follows every wait */
}

void
server_run(void)
{
	do
		MHD_run(daemon_);
	while (request_resumed());
}

int64_t
server_next_tick(void)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	if (MHD_get_timeout(daemon_, &timeout) == MHD_YES &&
		(int64_t) timeout < next_sweep - loop_now())
		return loop_now() + (int64_t) timeout;
	return next_sweep;
}

static struct addrinfo *
resolve(const Options *options)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV
	};
	struct addrinfo *found;
	char		port[12];
	int			error;

	snprintf(port, sizeof(port), "%d", options->port);
	error = getaddrinfo(options->listen, port, &hints, &found);
	if (error != 0)
	{
		log_message("--listen %s: %s", options->listen, gai_strerror(error));
		return NULL;
	}
	return found;
}

static bool
read_tls_files(const Options *options)
{
	if (options->tls_cert_file == NULL)
		return true;
	tls_cert = file_read(options->tls_cert_file, false);
	tls_key = file_read(options->tls_key_file, true);
	return tls_cert != NULL && tls_key != NULL;
}

static bool
listen_at(const Options *options, const struct addrinfo *address)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_ERROR_LOG |
		(address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0) |
		(tls_cert != NULL ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, tls_cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, tls_key},
		{MHD_OPTION_END, 0, NULL}
	};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	daemon_ = MHD_start_daemon(flags, (uint16_t) options->port, NULL, NULL,
							   on_request, NULL,
							   MHD_OPTION_EXTERNAL_LOGGER, ignore_log, NULL,
							   MHD_OPTION_SOCK_ADDR, address->ai_addr,
							   MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
							   MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
							   MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
							   MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
							   STRICTNESS, 1,
							   MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024U,
							   MHD_OPTION_CONNECTION_LIMIT,
							   (unsigned int) server_connection_limit(),
							   MHD_OPTION_CONNECTION_MEMORY_LIMIT,
							   (size_t) CONNECTION_MEMORY,
							   MHD_OPTION_CONNECTION_TIMEOUT,
							   (unsigned int) (READ_TIME / 1000 + 5),
							   MHD_OPTION_ARRAY, tls_cert != NULL ? tls : none,
							   MHD_OPTION_END);
	return daemon_ != NULL;
}

bool
server_start(const Options *options)
{
	static char own_address[100];
	struct addrinfo *address;
	bool		ok;
	int			port;

	if (!read_tls_files(options) || (address = resolve(options)) == NULL)
		return false;
	ok = listen_at(options, address);
	freeaddrinfo(address);
	if (!ok)
	{
		log_message("cannot listen on %s, port %d: %s", options->listen,
					options->port, errno != 0 ? strerror(errno) : "the certificate or key may be unsuitable");
		return false;
	}
	port = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
	snprintf(own_address, sizeof(own_address),
			 strchr(options->listen, ':') ? "[%s]:%d" : "%s:%d",
			 options->listen, port);
	origin_init(tls_cert != NULL, options->trust_forwarded, own_address);
	site_init(options->listen, options->allowed_hosts, options->n_allowed_hosts);
	watch.ready = on_ready;
	loop_watch(&watch,
			   MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
			   EPOLLIN);
	log_message("listening at %s://%s", tls_cert ? "https" : "http", own_address);
	return true;
}

void
server_stop_listening(void)
{
	int			fd = MHD_quiesce_daemon(daemon_);

	if (fd >= 0)
		close(fd);
}

void
server_stop(void)
{
	loop_forget(&watch);
	MHD_stop_daemon(daemon_);
	free(tls_cert);
	if (tls_key != NULL)
		explicit_bzero(tls_key, strlen(tls_key));
	free(tls_key);
}
