/*
 * polls.h
 *	  Long polls: starts that wait for the end of their instance.
 *
 * One connection of its own waits for all of them, so they take none from
 * other requests.
 */
#ifndef GW_POLLS_H
#define GW_POLLS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Poll Poll;

extern void polls_start(int limit);

/*
 * Waits so many seconds for the end of the instance, which is looked for at
 * that interval at the latest.  "ended" is called once: with the status and
 * body to answer, or, when the time is over, with 0 and NULL.  NULL is
 * returned, and nothing waits, if there are too many already.
 */
extern Poll *polls_add(const char *instance_id, double seconds, double interval,
					   void (*ended) (void *owner, int status, const char *body),
					   void *owner);

/* Nobody is interested any more. */
extern void polls_remove(Poll *poll);

/* All of them are over, as if their time were. */
extern void polls_end_all(void);

extern void polls_tick(int64_t now);
extern int64_t polls_next_tick(void);
extern void polls_stop(void);

#endif
