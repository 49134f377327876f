/*
 * memory.h
 *	  Allocation that never fails: running out of memory ends the process.
 */
#ifndef GW_MEMORY_H
#define GW_MEMORY_H

#include <stddef.h>

extern void *gw_alloc(size_t size);		/* zeroed */
extern void *gw_realloc(void *p, size_t size);
extern char *gw_strdup(const char *s);	/* returns NULL for NULL */
extern char *gw_strndup(const char *s, size_t length);
extern char *gw_format(const char *format,...) __attribute__((format(printf, 1, 2)));

#endif
