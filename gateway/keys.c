/*
 * keys.c
 *	  System keys: a request without one of them is refused.
 */
#include "keys.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "memory.h"
#include "query.h"
#include "secret_file.h"

static char **keys;
static int	n_keys;

static void
forget(char **list, int n)
{
	for (int i = 0; i < n; i++)
	{
		explicit_bzero(list[i], strlen(list[i]));
		free(list[i]);
	}
	free(list);
}

/* Removes white space at both ends; a key may contain some inside. */
static char *
trim(char *line)
{
	size_t		length;

	line += strspn(line, " \t\r");
	length = strlen(line);
	while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
		line[--length] = '\0';
	return line;
}

bool
keys_load(const char *path)
{
	char	   *text = file_read(path, true);
	char	  **found = NULL;
	int			n = 0;
	char	   *next = text;
	char	   *line;
	size_t		length;

	if (text == NULL)
		return false;
	length = strlen(text);
	while ((line = strsep(&next, "\n")) != NULL)
	{
		line = trim(line);
		if (line[0] == '\0' || line[0] == '#')
			continue;
		found = gw_realloc(found, (n + 1) * sizeof(char *));
		found[n++] = gw_strdup(line);
	}
	explicit_bzero(text, length);
	free(text);
	if (n == 0)
	{
		log_message("%s: has no key", path);
		return false;
	}
	forget(keys, n_keys);
	keys = found;
	n_keys = n;
	return true;
}

bool
keys_wanted(void)
{
	return n_keys > 0;
}

/*
 * The time depends only on the length of the given key.  (Libraries for TLS
 * have such a function, but which one libmicrohttpd uses, if any, is not known
 * here, and the gateway does not link to it.)
 */
static bool
equal(const char *key, const char *given, size_t length)
{
	size_t		key_length = strlen(key);
	volatile unsigned char difference = key_length != length;

	for (size_t i = 0; i < length; i++)
		difference |= (unsigned char) (given[i] ^ key[i % key_length]);
	return difference == 0;
}

static bool
matches(const char *key, size_t length)
{
	volatile bool match = false;

	for (int i = 0; i < n_keys; i++)
		match |= equal(keys[i], key, length);
	return match;
}

bool
keys_prove(struct MHD_Connection *connection, Text *key)
{
	const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
													"x-functions-key");

	if (!keys_wanted())
		return true;
	*key = given != NULL ? (Text) {gw_strdup(given), strlen(given)} :
		query_text(connection, "code");
	return key->data != NULL && matches(key->data, key->length);
}
