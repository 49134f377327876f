/*
 * link_key.h
 *	  The key in links, which the database makes without seeing it.
 *
 * A random mark stands for the key until links leave us: so no key can get
 * into the database's logs.
 */
#ifndef GW_LINK_KEY_H
#define GW_LINK_KEY_H

#include "target.h"

extern void link_key_init(void);

/* What the database is given for a key. */
extern const char *link_key_mark(void);

/* Puts the given key in the mark's place; frees the text or returns it as it is. */
extern char *link_key_put(char *text, Text given);

#endif
