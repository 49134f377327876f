/*
 * site.h
 *	  Detects requests sent by web pages of other sites.
 */
#ifndef GW_SITE_H
#define GW_SITE_H

#include <microhttpd.h>

typedef enum SiteVerdict
{
	SITE_TRUSTED,
	SITE_UNKNOWN_HOST,			/* its host is not a name of the gateway */
	SITE_FOREIGN				/* a page of another site sent it */
} SiteVerdict;

/*
 * The host of --listen and those of --allow-host; the strings are not copied.
 */
extern void site_init(const char *host, char *const *names, int n_names);

/* "reached" is the result of origin_of() for the connection. */
extern SiteVerdict site_judge(struct MHD_Connection *connection,
							  const char *reached);

#endif
