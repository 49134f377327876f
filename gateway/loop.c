/*
 * loop.c
 *	  The one event loop: file descriptors and the clock.
 */
#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MAX_EVENTS	64

static int	epoll_fd;
static int64_t now;

/* The events of the current wait, without those of forgotten watches. */
static struct epoll_event found[MAX_EVENTS];
static int	n_found;

double
loop_exact_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000.0 + t.tv_nsec / 1000000.0;
}

int64_t
loop_now(void)
{
	return now;
}

void
loop_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
	{
		fprintf(stderr, "durable-singleton-http: epoll: %s\n", strerror(errno));
		exit(1);
	}
	now = (int64_t) loop_exact_now();
}

void
loop_watch(Watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events,.data.ptr = watch};

	if (watch->fd == fd && watch->events == events)
		return;
	if (watch->fd != fd && watch->fd >= 0)
		loop_forget(watch);
	if (epoll_ctl(epoll_fd, watch->fd == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
				  fd, &event) != 0)
	{
		/* the number of a closed descriptor may be in use again */
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
	}
	watch->fd = fd;
	watch->events = events;
}

void
loop_forget(Watch *watch)
{
	if (watch->fd < 0)
		return;
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
	watch->events = 0;
	for (int i = 0; i < n_found; i++)
	{
		if (found[i].data.ptr == watch)
			found[i].data.ptr = NULL;
	}
}

void
loop_wait(int64_t milliseconds)
{
	int			timeout = milliseconds < 0 ? 0 :
		milliseconds > 60000 ? 60000 : (int) milliseconds;

	n_found = epoll_wait(epoll_fd, found, MAX_EVENTS, timeout);
	now = (int64_t) loop_exact_now();
	for (int i = 0; i < n_found; i++)
	{
		Watch	   *watch = found[i].data.ptr;

		if (watch != NULL)
			watch->ready(watch, found[i].events);
	}
	n_found = 0;
}
