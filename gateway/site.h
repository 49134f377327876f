/*
 * site.h
 *	  Requests that a web page of another site has made.
 */
#ifndef GW_SITE_H
#define GW_SITE_H

#include <microhttpd.h>

typedef enum SiteVerdict
{
	SITE_TRUSTED,
	SITE_UNKNOWN_HOST,			/* its host is none of ours */
	SITE_FOREIGN				/* a page of another site has made it */
} SiteVerdict;

/* The host of --listen, and those of --allow-host; they are kept. */
extern void site_init(const char *listen_host, char *const *allowed, int n_allowed);

/* reached: what origin_of() says of the connection. */
extern SiteVerdict site_judge(struct MHD_Connection *connection,
							  const char *reached);

#endif
