/*
 * server.h
 *	  The HTTP side: MHD, and the connected clients.
 */
#ifndef GW_SERVER_H
#define GW_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/* Starts listening.  If this fails, logs the reason and returns false. */
extern bool server_start(const Options *options);

/* Lets MHD process pending events. */
extern void server_run(void);

/* Cuts off clients that are too slow. */
extern void server_tick(int64_t now);
extern int64_t server_next_tick(void);

extern void server_stop_listening(void);
extern void server_stop(void);

/* The maximum number of connected clients. */
extern int	server_connection_limit(void);

#endif
