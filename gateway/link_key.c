/*
 * link_key.c
 *	  The key in links, which the database creates without knowing the key.
 */
#include "link_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "memory.h"

static char key_mark[33];

void
link_key_init(void)
{
	unsigned char random[16];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	for (size_t i = 0; i < sizeof(random); i++)
		sprintf(key_mark + 2 * i, "%02x", random[i]);
}

const char *
link_key_mark(void)
{
	return key_mark;
}

static char *
encode(Text key)
{
	char	   *encoded = gw_alloc(3 * key.length + 1);
	char	   *out = encoded;

	for (size_t i = 0; i < key.length; i++)
	{
		char		c = key.data[i];

		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~", c) != NULL && c != '\0')
			*out++ = c;
		else
			out += sprintf(out, "%%%02X", (unsigned char) c);
	}
	return encoded;
}

char *
link_key_put(char *text, Text given)
{
	char	   *key;
	char	   *result;
	char	   *out;
	const char *rest = text;
	const char *mark;
	size_t		n = 0;

	if (text == NULL || given.data == NULL)
		return text;

	for (mark = text; (mark = strstr(mark, key_mark)) != NULL; mark++)
		n++;
	if (n == 0)
		return text;

	key = encode(given);
	result = out = gw_alloc(strlen(text) + n * strlen(key) + 1);
	while ((mark = strstr(rest, key_mark)) != NULL)
	{
		memcpy(out, rest, mark - rest);
		out = stpcpy(out + (mark - rest), key);
		rest = mark + strlen(key_mark);
	}
	memcpy(out, rest, strlen(rest) + 1);
	explicit_bzero(key, strlen(key));
	free(key);
	free(text);
	return result;
}
