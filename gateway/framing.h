/*
 * framing.h
 *	  The head of a request: where the request ends, and how large it may be.
 *
 * The end must be unambiguous.  Otherwise a proxy in front of the gateway could
 * see a different request than the gateway does.
 */
#ifndef GW_FRAMING_H
#define GW_FRAMING_H

#include <microhttpd.h>
#include <stdbool.h>

/* False if its headers can be interpreted in more than one way. */
extern bool framing_is_clear(struct MHD_Connection *connection);

/* 0, or the status for a target or headers that are too large. */
extern int	framing_excess(struct MHD_Connection *connection, const char *target);

#endif
