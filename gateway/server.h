/*
 * server.h
 *	  The HTTP side: MHD, and the clients that are connected.
 */
#ifndef GW_SERVER_H
#define GW_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/* Listens.  False, and the reason in the log, if that fails. */
extern bool server_start(const Options *options);

/* Lets MHD do what there is to do. */
extern void server_run(void);

/* Cuts off clients that are too slow. */
extern void server_tick(int64_t now);
extern int64_t server_next_tick(void);

extern void server_stop_listening(void);
extern void server_stop(void);

/* How many clients may be connected. */
extern int	server_connection_limit(void);

#endif
