/*
 * framing.c
 *	  The head of a request: where the request ends, and how large it may be.
 */
#include "framing.h"

#include <string.h>
#include <strings.h>

/*
 * In bytes.  A link may be three times as long as the target, because of its
 * percent-encoding, and one link becomes a header of the answer.
 */
#define TARGET_LIMIT	(8 << 10)
#define HEADERS_LIMIT	(32 << 10)	/* including the target */

/* Headers, cookies and parameters; MHD needs memory for each of them. */
#define NUMBER_LIMIT	256

typedef struct Framing
{
	int			n_host;
	int			n_length;
	int			n_encoding;
	bool		chunked;
	bool		bad_name;		/* of a header */
} Framing;

/* Servers differ in how they treat a space before the colon. */
static bool
is_header_name(const char *name)
{
	for (; *name; name++)
	{
		if (*name <= ' ' || *name >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", *name))
			return false;
	}
	return true;
}

static enum MHD_Result
look_at_header(void *cls, enum MHD_ValueKind kind, const char *key,
			   const char *value)
{
	Framing    *f = cls;

	(void) kind;
	if (!is_header_name(key))
		f->bad_name = true;
	else if (strcasecmp(key, "Host") == 0)
		f->n_host++;
	else if (strcasecmp(key, "Content-Length") == 0)
		f->n_length++;
	else if (strcasecmp(key, "Transfer-Encoding") == 0)
	{
		f->n_encoding++;
		f->chunked = value != NULL && strcasecmp(value, "chunked") == 0;
	}
	return MHD_YES;
}

bool
framing_is_clear(struct MHD_Connection *connection)
{
	Framing		f = {0};

	MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_header, &f);
	if (f.bad_name || f.n_host > 1 || f.n_length > 1 || f.n_encoding > 1)
		return false;
	return f.n_encoding == 0 || (f.chunked && f.n_length == 0);
}

int
framing_excess(struct MHD_Connection *connection, const char *target)
{
	if (strlen(target) > TARGET_LIMIT)
		return MHD_HTTP_URI_TOO_LONG;
	if (MHD_get_connection_info(connection,
								MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size > HEADERS_LIMIT ||
		MHD_get_connection_values(connection, MHD_HEADER_KIND | MHD_COOKIE_KIND |
								  MHD_GET_ARGUMENT_KIND, NULL, NULL) > NUMBER_LIMIT)
		return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
	return 0;
}
