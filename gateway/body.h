/*
 * body.h
 *	  The body of a request, as it comes in.
 */
#ifndef GW_BODY_H
#define GW_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "target.h"

typedef struct Body
{
	Text		text;
	size_t		room;			/* bytes behind text.data, which are held */
	bool		too_large;		/* larger than the limit: it is not kept */
} Body;

typedef enum BodyResult
{
	BODY_TAKEN,
	BODY_REFUSED,				/* too many large ones are held at the moment */
	BODY_ENDLESS				/* the client goes on and on */
} BodyResult;

extern void body_init(size_t limit);

/* More than the limit is announced. */
extern bool body_announced_too_large(const char *content_length);

/* The next piece; one that is not wanted is counted only. */
extern BodyResult body_append(Body *body, const char *data, size_t length,
							  bool wanted);

extern void body_free(Body *body);

#endif
