/*
 * target.c
 *	  The target of a request: its path, segment by segment, and its query.
 */
#include "target.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

bool
target_parse(const char *text, Target *target)
{
	const char *path = text;
	const char *question;

	if (path[0] != '/')
	{
		const char *host = strstr(text, "://");

		if (host == NULL || (size_t) (host - text) > strcspn(text, "/?#"))
			return false;
		host += 3;
		path = host + strcspn(host, "/?");
	}
	question = strchr(path, '?');
	target->path.start = path;
	target->path.length = question ? (size_t) (question - path) : strlen(path);
	target->query.start = question ? question + 1 : "";
	target->query.length = strlen(target->query.start);
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

/* A % that no two digits follow stands for itself. */
static Text
decode(Slice slice, bool plus_is_space)
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
			*out++ = *p == '+' && plus_is_space ? ' ' : *p;
			p++;
		}
	}
	*out = '\0';
	text.length = out - text.data;
	return text;
}

Text
target_decode_segment(Slice segment)
{
	return decode(segment, false);
}

Text
target_decode_value(Slice value)
{
	return decode(value, true);
}

/* The next pair of what is left of a query. */
static bool
next_pair(Slice *rest, Slice *name, Slice *value)
{
	const char *end;
	const char *equals;

	while (rest->length > 0 && rest->start[0] == '&')
		rest->start++, rest->length--;
	if (rest->length == 0)
		return false;
	end = memchr(rest->start, '&', rest->length);
	if (end == NULL)
		end = rest->start + rest->length;
	name->start = rest->start;
	equals = memchr(rest->start, '=', end - rest->start);
	name->length = (equals ? equals : end) - rest->start;
	value->start = equals ? equals + 1 : end;
	value->length = end - value->start;
	rest->length -= end - rest->start;
	rest->start = end;
	return true;
}

static bool
is_name(Slice slice, const char *name)
{
	Text		text;
	bool		result;

	if (memchr(slice.start, '%', slice.length) == NULL)
		return slice_is(slice, name);
	text = decode(slice, true);
	result = text.length == strlen(name) && strcasecmp(text.data, name) == 0;
	free(text.data);
	return result;
}

static bool
is_blank(const Text *text)
{
	return strspn(text->data, " \t") == text->length;
}

Text
target_parameter(const Target *target, const char *name)
{
	Slice		rest = target->query;
	Slice		key;
	Slice		value;

	while (next_pair(&rest, &key, &value))
	{
		if (is_name(key, name))
		{
			Text		text = target_decode_value(value);

			if (!is_blank(&text))
				return text;
			free(text.data);
		}
	}
	return (Text) {NULL, 0};
}

Text
target_parameter_list(const Target *target, const char *name)
{
	Slice		rest = target->query;
	Slice		key;
	Slice		value;
	Text		list = {NULL, 0};

	while (next_pair(&rest, &key, &value))
	{
		Text		text;

		if (!is_name(key, name))
			continue;
		text = target_decode_value(value);
		if (list.data == NULL && !is_blank(&text))
			list = text;
		else
		{
			if (!is_blank(&text))
			{
				list.data = gw_realloc(list.data, list.length + text.length + 2);
				list.data[list.length] = ',';
				memcpy(list.data + list.length + 1, text.data, text.length + 1);
				list.length += text.length + 1;
			}
			free(text.data);
		}
	}
	return list;
}

int
target_boolean(const Target *target, const char *name)
{
	Text		text = target_parameter(target, name);
	int			result = -1;

	if (text.data != NULL)
	{
		if (text.length == 4 && strcasecmp(text.data, "true") == 0)
			result = 1;
		else if (text.length == 5 && strcasecmp(text.data, "false") == 0)
			result = 0;
	}
	free(text.data);
	return result;
}

int
target_integer(const Target *target, const char *name)
{
	Text		text = target_parameter(target, name);
	long		value = 0;

	if (text.data != NULL)
	{
		char	   *end;

		value = strtol(text.data, &end, 10);
		if (end != text.data + text.length || value < INT_MIN || value > INT_MAX)
			value = 0;
	}
	free(text.data);
	return (int) value;
}

double
target_seconds(const Target *target, const char *name)
{
	Text		text = target_parameter(target, name);
	double		value = -1;

	if (text.data != NULL)
	{
		char	   *end;

		value = strtod(text.data, &end);
		if (end != text.data + text.length || !isfinite(value) || value < 0 ||
			text.data[strspn(text.data, "0123456789.")] != '\0')
			value = -1;
	}
	free(text.data);
	return value;
}

char *
target_url(const Target *target, const char *origin)
{
	const char *p = target->path.start;
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
