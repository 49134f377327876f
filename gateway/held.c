/*
 * held.c
 *	  Limits the memory for large bodies and large answers.
 */
#include "held.h"

/* Anything up to this size does not count. */
#define SMALL	(1 << 16)

static size_t limit;
static size_t held[2];

void
held_init(size_t bytes)
{
	limit = bytes;
}

static size_t
counted(size_t size)
{
	return size > SMALL ? size : 0;
}

bool
held_resize(HeldKind kind, size_t from, size_t to)
{
	size_t		others = held[kind] - counted(from);

	if (to > from && others > 0 && counted(to) > 0 && others + to > limit)
		return false;
	held[kind] = others + counted(to);
	return true;
}
