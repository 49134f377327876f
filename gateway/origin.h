/*
 * origin.h
 *	  Scheme, host and port under which a client reached us: links begin so.
 */
#ifndef GW_ORIGIN_H
#define GW_ORIGIN_H

#include <microhttpd.h>
#include <stdbool.h>

extern void origin_init(bool tls, bool trust_forwarded, const char *own_address);

/*
 * To be freed.  NULL if the headers that tell it are not those of a host:
 * such a request is refused.
 */
extern char *origin_of(struct MHD_Connection *connection);

#endif
