/*
 * keys.h
 *	  System keys: who knows none of them is turned away.
 */
#ifndef GW_KEYS_H
#define GW_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads the keys, one a line; blank lines and those that begin with # do not
 * count.  False, and the reason in the log, if that cannot be done, or there
 * is none; the present keys stay then.
 */
extern bool keys_load(const char *path);

/* Without a file everybody is let in. */
extern bool keys_required(void);

/*
 * Is it one of the keys?  The time does not tell how much of it is right, nor
 * which.
 */
extern bool keys_match(const char *key, size_t length);

#endif
