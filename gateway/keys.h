/*
 * keys.h
 *	  System keys: a request without one of them is refused.
 */
#ifndef GW_KEYS_H
#define GW_KEYS_H

#include <microhttpd.h>
#include <stdbool.h>

#include "target.h"

/*
 * Reads the keys, one per line, ignoring blank lines and those that begin with
 * #.  If the file cannot be read or has no key, logs the reason, keeps the
 * current keys and returns false.
 */
extern bool keys_load(const char *path);

/* Were keys loaded? */
extern bool keys_wanted(void);

/*
 * Sets *key to the key of a request: its header x-functions-key, otherwise
 * "code" of its query.  Returns false if keys were loaded and this is none of
 * them.  The time of the comparison reveals neither which key matches nor how
 * much of it.
 */
extern bool keys_prove(struct MHD_Connection *connection, Text *key);

#endif
