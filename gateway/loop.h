/*
 * loop.h
 *	  The one event loop: file descriptors and the clock.
 */
#ifndef GW_LOOP_H
#define GW_LOOP_H

#include <stdint.h>

/* A watched file descriptor; "ready" is called with its events. */
typedef struct Watch Watch;
struct Watch
{
	int			fd;				/* -1: not watched */
	uint32_t	events;			/* EPOLLIN, EPOLLOUT */
	void		(*ready) (Watch *watch, uint32_t events);
	void	   *owner;
};

extern void loop_init(void);

/* Watches fd, in place of an earlier one, for these events. */
extern void loop_watch(Watch *watch, int fd, uint32_t events);
extern void loop_forget(Watch *watch);

/*
 * Waits for at most that time, and calls "ready" of the watches with events.
 */
extern void loop_wait(int64_t milliseconds);

/* Milliseconds of a monotonic clock, as of the last wait. */
extern int64_t loop_now(void);

/* The current time of this clock, to the microsecond. */
extern double loop_exact_now(void);

#endif
