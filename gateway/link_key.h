/*
 * link_key.h
 *	  The key in links, which the database creates without knowing the key.
 *
 * A random mark takes the place of the key until the answer is sent, so that no
 * key can get into the logs of the database.
 */
#ifndef GW_LINK_KEY_H
#define GW_LINK_KEY_H

#include "target.h"

extern void link_key_init(void);

/* The mark that the database gets in place of a key. */
extern const char *link_key_mark(void);

/*
 * Replaces the mark by the given key.  Returns the text itself, or frees it and
 * returns a new one.
 */
extern char *link_key_put(char *text, Text given);

#endif
