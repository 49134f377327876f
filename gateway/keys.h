/*
 * keys.h
 *	  System keys: who knows none of them is turned away.
 */
#ifndef GW_KEYS_H
#define GW_KEYS_H

#include <microhttpd.h>
#include <stdbool.h>

#include "target.h"

/*
 * Reads the keys, one a line; blank lines and those that begin with # do not
 * count.  False, and the reason in the log, if that cannot be done, or there
 * is none; the present keys stay then.
 */
extern bool keys_load(const char *path);

/* Were keys loaded? */
extern bool keys_wanted(void);

/*
 * The key with which a request came: its header x-functions-key, else "code"
 * of its query.  False: a key is needed, and this is none.  The time does not
 * tell how much of it is right, nor which.  Without a file everybody is let in.
 */
extern bool keys_prove(struct MHD_Connection *connection, const Target *target,
					   Text *key);

#endif
