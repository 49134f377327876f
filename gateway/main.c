/*
 * main.c
 *	  durable-singleton-http: the HTTP management API of Durable Functions over
 *	  a database with the extension durable_singleton.
 *
 * One thread and one event loop; README.md describes how the parts fit together.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "connection.h"
#include "keys.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "polls.h"
#include "pool.h"
#include "request.h"
#include "server.h"

/* Milliseconds in which requests must end after SIGTERM. */
#ifndef DRAIN_TIME
#define DRAIN_TIME	30000
#endif

/* Milliseconds for sending the answers of those that did not. */
#define LAST_WORDS	2000

static Options options;
static bool draining;
static int64_t drain_deadline;

static void
begin_to_drain(void)
{
	if (draining)
		return;
	draining = true;
	drain_deadline = loop_now() + DRAIN_TIME;
	log_message("stopping when %d requests have been answered", request_count());
	server_stop_listening();
	request_drain();
}

static void
on_signal(Watch *watch, uint32_t events)
{
	struct signalfd_siginfo info;

	(void) events;
	while (read(watch->fd, &info, sizeof(info)) == sizeof(info))
	{
		if (info.ssi_signo != SIGHUP)
			begin_to_drain();
		else if (options.keys_file != NULL && keys_load(options.keys_file))
			log_message("keys read again");
	}
}

static void
watch_signals(void)
{
	static Watch watch = {.fd = -1,.ready = on_signal};
	sigset_t	signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	loop_watch(&watch, signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC), EPOLLIN);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool
is_over(void)
{
	return draining && (request_count() == 0 || loop_now() >= drain_deadline);
}

static void
serve(void)
{
	pool_tick(loop_now());
	while (!is_over())
	{
		int64_t		next = earlier(server_next_tick(),
								   earlier(pool_next_tick(), polls_next_tick()));

		loop_wait(next - loop_now());
		pool_tick(loop_now());
		polls_tick(loop_now());
		server_tick(loop_now());
		server_run();
		log_flush();
	}
}

/* MHD must not be stopped while requests are suspended. */
static void
give_up(void)
{
	int64_t		deadline = loop_now() + LAST_WORDS;
	int			n = request_give_up();

	if (n > 0)
		log_message("the database has not answered %d requests in time", n);
	while (request_count() > 0 && loop_now() < deadline)
	{
		server_run();
		loop_wait(10);
	}
}

int
main(int argc, char **argv)
{
	options = options_parse(argc, argv);
	if (options.keys_file != NULL && !keys_load(options.keys_file))
		return 1;
	loop_init();
	watch_signals();
	request_init(&options);
	connection_set_dsn(options.dsn);
	pool_start(options.connections);
	polls_start(server_connection_limit() / 2);
	if (!server_start(&options))
		return 1;
	serve();
	give_up();
	server_stop();
	polls_stop();
	pool_stop();
	log_message("stopped");
	return 0;
}
