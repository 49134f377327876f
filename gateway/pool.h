/*
 * pool.h
 *	  A bounded number of database connections for the jobs of requests.
 */
#ifndef GW_POOL_H
#define GW_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"

extern void pool_start(int n_connections);

/*
 * Runs the job as soon as a connection is free.  Its done() is called later or,
 * if the database is unavailable, immediately.
 */
extern void pool_run(Job *job);

extern void pool_tick(int64_t now);
extern int64_t pool_next_tick(void);
extern void pool_stop(void);

#endif
