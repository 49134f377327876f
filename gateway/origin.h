/*
 * origin.h
 *	  Scheme, host and port of the gateway as seen by a client, for links.
 */
#ifndef GW_ORIGIN_H
#define GW_ORIGIN_H

#include <microhttpd.h>
#include <stdbool.h>

extern void origin_init(bool tls, bool trust_forwarded, const char *own_address);

/*
 * The caller frees the result.  NULL if the headers do not contain a valid host
 * and scheme; such a request is refused.
 */
extern char *origin_of(struct MHD_Connection *connection);

#endif
