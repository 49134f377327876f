/*
 * framing.h
 *	  The head of a request: where the request ends, and how large it may be.
 *
 * The end must be beyond doubt, else a proxy in front could see another
 * request than we do.
 */
#ifndef GW_FRAMING_H
#define GW_FRAMING_H

#include <microhttpd.h>
#include <stdbool.h>

/* False: its headers can be read in more than one way. */
extern bool framing_is_clear(struct MHD_Connection *connection);

/* 0, or the status that says that target or headers are too large. */
extern int	framing_excess(struct MHD_Connection *connection, const char *target);

#endif
