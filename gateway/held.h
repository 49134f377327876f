/*
 * held.h
 *	  How many bytes of large bodies, and of large answers, are held at a time:
 *	  however many there are, they do not take all memory.
 *
 * Small ones do not count, so nobody is refused because of what others send;
 * the number of connections bounds them.
 */
#ifndef GW_HELD_H
#define GW_HELD_H

#include <stdbool.h>
#include <stddef.h>

typedef enum HeldKind
{
	HELD_BODIES,
	HELD_ANSWERS
} HeldKind;

/* Bytes of each kind; one alone may be larger. */
extern void held_init(size_t bytes);

/* A piece gets another size, 0 when it is new or gone; false: it may not. */
extern bool held_resize(HeldKind kind, size_t from, size_t to);

#endif
