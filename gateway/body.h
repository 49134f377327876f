/*
 * body.h
 *	  The body of a request, received in pieces.
 */
#ifndef GW_BODY_H
#define GW_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "target.h"

typedef struct Body
{
	Text		text;
	size_t		room;			/* bytes allocated for text.data */
	bool		too_large;		/* larger than the limit, so it is not kept */
} Body;

typedef enum BodyResult
{
	BODY_TAKEN,
	BODY_REFUSED,				/* too many large bodies are in memory */
	BODY_ENDLESS				/* the client does not stop sending */
} BodyResult;

extern void body_init(size_t limit);

/* Checks a Content-Length against the limit. */
extern bool body_announced_too_large(const char *content_length);

/* Adds the next piece; if it is not wanted, it is only counted. */
extern BodyResult body_append(Body *body, const char *data, size_t length,
							  bool wanted);

extern void body_free(Body *body);

#endif
