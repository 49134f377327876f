/*
 * target.c
 *	  The target of a request, and its path, segment by segment.
 */
#include "target.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

bool
target_parse(const char *text, Target *target)
{
	const char *path = text;

	if (path[0] != '/')
	{
		const char *host = strstr(text, "://");

		if (host == NULL || (size_t) (host - text) > strcspn(text, "/?#"))
			return false;
		host += 3;
		path = host + strcspn(host, "/?");
	}
	target->text = path;
	target->path.start = path;
	target->path.length = strcspn(path, "?");
	return true;
}

bool
target_is_clean(const char *text)
{
	for (const unsigned char *p = (const unsigned char *) text; *p; p++)
	{
		if (*p <= ' ' || *p == 0x7f)
			return false;
	}
	return true;
}

Slice
target_trim_slashes(Slice path)
{
	while (path.length > 0 && path.start[0] == '/')
		path.start++, path.length--;
	while (path.length > 0 && path.start[path.length - 1] == '/')
		path.length--;
	return path;
}

bool
target_next_segment(Slice *rest, Slice *segment)
{
	const char *slash;

	if (rest->start == NULL)
		return false;
	*segment = *rest;
	slash = memchr(rest->start, '/', rest->length);
	if (slash == NULL)
		rest->start = NULL;
	else
	{
		segment->length = slash - rest->start;
		rest->length -= segment->length + 1;
		rest->start = slash + 1;
	}
	return true;
}

bool
target_skip_prefix(Slice *path, const char *prefix)
{
	size_t		length = strlen(prefix);

	if (path->length < length ||
		strncasecmp(path->start, prefix, length) != 0 ||
		(path->length > length && path->start[length] != '/'))
		return false;
	path->start += length;
	path->length -= length;
	return true;
}

bool
slice_is(Slice slice, const char *word)
{
	return slice.length == strlen(word) &&
		strncasecmp(slice.start, word, slice.length) == 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

Text
target_decode(Slice slice)
{
	Text		text;
	const char *p = slice.length > 0 ? slice.start : "";
	const char *end = p + slice.length;
	char	   *out;

	text.data = out = gw_alloc(slice.length + 1);
	while (p < end)
	{
		if (*p == '%' && end - p > 2 &&
			hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0)
		{
			*out++ = (char) (hex_digit(p[1]) * 16 + hex_digit(p[2]));
			p += 3;
		}
		else
		{
			*out++ = *p++;
		}
	}
	*out = '\0';
	text.length = out - text.data;
	return text;
}

char *
target_url(const Target *target, const char *origin)
{
	const char *p = target->text;
	char	   *url = gw_alloc(strlen(origin) + 3 * strlen(p) + 1);
	char	   *out = stpcpy(url, origin);

	for (; *p; p++)
	{
		if ((unsigned char) *p < 0x80)
			*out++ = *p;
		else
			out += sprintf(out, "%%%02X", (unsigned char) *p);
	}
	return url;
}
