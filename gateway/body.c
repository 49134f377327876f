/*
 * body.c
 *	  The body of a request, received in pieces.
 */
#include "body.h"

#include <stdlib.h>
#include <string.h>

#include "held.h"
#include "memory.h"

static size_t body_limit;

void
body_init(size_t limit)
{
	body_limit = limit;
}

bool
body_announced_too_large(const char *content_length)
{
	return content_length != NULL && strtoull(content_length, NULL, 10) > body_limit;
}

BodyResult
body_append(Body *body, const char *data, size_t length, bool wanted)
{
	Text	   *text = &body->text;
	size_t		needed = text->length + length + 1;

	if (body->too_large || !wanted || needed - 1 > body_limit)
	{
		body->too_large = true;
		text->length += length;
		return text->length <= 2 * body_limit + (1 << 20) ?
			BODY_TAKEN : BODY_ENDLESS;
	}
	if (needed > body->room)
	{
		size_t		room = 2 * needed;

		if (!held_resize(HELD_BODIES, body->room, room))
			return BODY_REFUSED;
		text->data = gw_realloc(text->data, room);
		body->room = room;
	}
	memcpy(text->data + text->length, data, length);
	text->length += length;
	text->data[text->length] = '\0';
	return BODY_TAKEN;
}

void
body_free(Body *body)
{
	held_resize(HELD_BODIES, body->room, 0);
	free(body->text.data);
	*body = (Body) {0};
}
