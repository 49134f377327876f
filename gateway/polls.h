/*
 * polls.h
 *	  Long polls: starts that wait for the end of their instance.
 *
 * One additional connection waits for all of them, so they take none from other
 * requests.
 */
#ifndef GW_POLLS_H
#define GW_POLLS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Poll Poll;

extern void polls_start(int limit);

/*
 * Waits up to "seconds" for the end of the instance, which is checked at least
 * every "interval" seconds.  "ended" is called once: with status and body of the
 * answer or, when the time is over, with 0 and NULL.  Returns NULL, without
 * waiting, if there are too many polls.
 */
extern Poll *polls_add(const char *instance_id, double seconds, double interval,
					   void (*ended) (void *owner, int status, const char *body),
					   void *owner);

/* The poll is no longer needed. */
extern void polls_remove(Poll *poll);

/* Ends all polls, as if their time were over. */
extern void polls_end_all(void);

extern void polls_tick(int64_t now);
extern int64_t polls_next_tick(void);
extern void polls_stop(void);

#endif
