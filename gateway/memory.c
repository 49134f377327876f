/*
 * memory.c
 *	  Allocation that never fails: running out of memory ends the process.
 */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
checked(void *p)
{
	if (p == NULL)
	{
		fputs("durable-singleton-http: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
gw_alloc(size_t size)
{
	return checked(calloc(1, size));
}

void *
gw_realloc(void *p, size_t size)
{
	return checked(realloc(p, size));
}

char *
gw_strdup(const char *s)
{
	return s == NULL ? NULL : checked(strdup(s));
}

char *
gw_strndup(const char *s, size_t length)
{
	char	   *copy = checked(malloc(length + 1));

	memcpy(copy, s, length);
	copy[length] = '\0';
	return copy;
}

char *
gw_format(const char *format,...)
{
	va_list		args;
	char	   *result;

	va_start(args, format);
	if (vasprintf(&result, format, args) < 0)
		result = NULL;
	va_end(args);
	return checked(result);
}
