/*
 * log.c
 *	  The log on standard error: one line per request, and messages.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_METHOD	20
#define MAX_PATH	400
#define MAX_LINE	2048

static char buffer[64 * 1024];
static size_t used;

void
log_flush(void)
{
	size_t		done = 0;

	while (done < used)
	{
		ssize_t		n = write(STDERR_FILENO, buffer + done, used - done);

		if (n <= 0)
			break;				/* the log cannot be written: keep serving */
		done += n;
	}
	used = 0;
}

static void
add_line(const char *line)
{
	size_t		length = strlen(line);

	if (used + length + 40 > sizeof(buffer))
		log_flush();
	{
		struct timespec now;
		struct tm	utc;

		clock_gettime(CLOCK_REALTIME, &now);
		gmtime_r(&now.tv_sec, &utc);
		used += strftime(buffer + used, 30, "%Y-%m-%dT%H:%M:%S", &utc);
		used += snprintf(buffer + used, 10, ".%03ldZ ", now.tv_nsec / 1000000);
	}
	memcpy(buffer + used, line, length);	/* not a string: NOLINT(bugprone-not-null-terminated-result) */
	used += length;
	buffer[used++] = '\n';
}

void
log_message(const char *format,...)
{
	char		line[MAX_LINE];
	va_list		args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *p = line; *p; p++)
	{
		if (*p == '\n')
			*p = ' ';
	}
	add_line(line);
	log_flush();
}

/*
 * Converts a text to printable ASCII, and cuts it off after "max" characters.
 */
static void
escape(char *out, const char *text, size_t length, size_t max)
{
	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (i == max)
		{
			memcpy(out, "...", sizeof("..."));
			return;
		}
		if (c > ' ' && c < 0x7f)
			*out++ = (char) c;
		else
			out += sprintf(out, "\\x%02x", c);
	}
	*out = '\0';
}

void
log_request(const char *peer, const char *method, const char *target,
			int status, double milliseconds)
{
	char		word[4 * MAX_METHOD + 4];
	char		path[4 * MAX_PATH + 4];
	char		line[MAX_LINE];

	escape(word, method, strlen(method), MAX_METHOD);
	escape(path, target, strcspn(target, "?"), MAX_PATH);
	snprintf(line, sizeof(line), "%s %s %s %d %.1f ms", peer, word, path,
			 status, milliseconds);
	add_line(line);
}
