/*
 * query.c
 *	  The parameters of a request's query.
 *
 * libmicrohttpd has divided the query into names and values, and replaced each
 * plus by a space.  Percent-escapes are still in place (see leave_escaped() in
 * server.c), because its own decoder would end a value at a NUL.
 */
#include "query.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

typedef struct Search
{
	const char *name;
	bool		all;			/* or only the first value */
	Text		found;
} Search;

static bool
is_name(Slice key, const char *name)
{
	Text		text;
	bool		result;

	if (memchr(key.start, '%', key.length) == NULL)
		return slice_is(key, name);
	text = target_decode(key);
	result = text.length == strlen(name) && strcasecmp(text.data, name) == 0;
	free(text.data);
	return result;
}

static bool
is_blank(const Text *text)
{
	return strspn(text->data, " \t") == text->length;
}

static void
append(Text *list, const Text *text)
{
	list->data = gw_realloc(list->data, list->length + text->length + 2);
	list->data[list->length] = ',';
	memcpy(list->data + list->length + 1, text->data, text->length + 1);
	list->length += text->length + 1;
}

static enum MHD_Result
look_at_parameter(void *cls, enum MHD_ValueKind kind, const char *key,
				  size_t key_length, const char *value, size_t value_length)
{
	Search	   *search = cls;
	Text		text;

	(void) kind;
	if (value == NULL || !is_name((Slice) {key, key_length}, search->name))
		return MHD_YES;
	text = target_decode((Slice) {value, value_length});
	if (is_blank(&text))
	{
		free(text.data);
		return MHD_YES;
	}
	if (search->found.data == NULL)
	{
		search->found = text;
		return search->all ? MHD_YES : MHD_NO;
	}
	append(&search->found, &text);
	free(text.data);
	return MHD_YES;
}

static Text
find(struct MHD_Connection *connection, const char *name, bool all)
{
	Search		search = {.name = name,.all = all};

	MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND,
								look_at_parameter, &search);
	return search.found;
}

Text
query_text(struct MHD_Connection *connection, const char *name)
{
	return find(connection, name, false);
}

Text
query_list(struct MHD_Connection *connection, const char *name)
{
	return find(connection, name, true);
}

int
query_boolean(struct MHD_Connection *connection, const char *name)
{
	Text		text = query_text(connection, name);
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
query_integer(struct MHD_Connection *connection, const char *name)
{
	Text		text = query_text(connection, name);
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
query_seconds(struct MHD_Connection *connection, const char *name)
{
	Text		text = query_text(connection, name);
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
