/*
 * loop.h
 *	  The one event loop: file descriptors and the clock.
 */
#ifndef GW_LOOP_H
#define GW_LOOP_H

#include <stdint.h>

/* A file descriptor that is watched; "ready" is called with its events. */
typedef struct Watch Watch;
struct Watch
{
	int			fd;				/* -1: not watched */
	uint32_t	events;			/* EPOLLIN, EPOLLOUT */
	void		(*ready) (Watch *watch, uint32_t events);
	void	   *owner;
};

extern void loop_init(void);

/* Watches fd, or another one than before, for these events. */
extern void loop_watch(Watch *watch, int fd, uint32_t events);
extern void loop_forget(Watch *watch);

/* Waits so many milliseconds at most and calls whose descriptors are ready. */
extern void loop_wait(int64_t milliseconds);

/* Milliseconds on a clock that nobody sets; as of the last wait. */
extern int64_t loop_now(void);

/* The same to the microsecond, and of this moment. */
extern double loop_exact_now(void);

#endif
