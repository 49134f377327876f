/*
 * held.h
 *	  Limits the memory for large bodies and large answers.
 *
 * Small ones do not count, so clients that send small bodies are never refused
 * because of others; the number of connections limits those.
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

/* Sets the limit of each kind, in bytes; a single body may exceed it. */
extern void held_init(size_t bytes);

/*
 * Registers that a body or answer changes its size; a size of 0 means that it is
 * new, or freed.  Returns false if the limit does not allow it.
 */
extern bool held_resize(HeldKind kind, size_t from, size_t to);

#endif
