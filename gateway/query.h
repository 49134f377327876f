/*
 * query.h
 *	  The parameters of a request's query.
 *
 * A decoded value may contain any byte, including NUL, so it has a length.
 * No input is refused: a value that makes no sense counts as absent.
 */
#ifndef GW_QUERY_H
#define GW_QUERY_H

#include <microhttpd.h>

#include "target.h"

/*
 * The first value of this name that is not blank; absent if there is none.
 * Names are not case-sensitive.
 */
extern Text query_text(struct MHD_Connection *connection, const char *name);

/* All values of this name that are not blank, joined by commas. */
extern Text query_list(struct MHD_Connection *connection, const char *name);

/* 1 and 0 for true and false in any case; -1 for anything else. */
extern int	query_boolean(struct MHD_Connection *connection, const char *name);

/* A whole number; 0 for anything else. */
extern int	query_integer(struct MHD_Connection *connection, const char *name);

/* A decimal number that is not negative; -1 for anything else. */
extern double query_seconds(struct MHD_Connection *connection, const char *name);

#endif
