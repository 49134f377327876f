/*
 * request.h
 *	  A request, from its first line to the log.
 */
#ifndef GW_REQUEST_H
#define GW_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "options.h"

typedef struct Request Request;

/* A client's connection, while it exists. */
typedef struct Client Client;
struct Client
{
	int			fd;
	char		peer[64];
	enum
	{
		READING,				/* until a request is complete */
		WORKING,
		SENDING
	}			state;
	int64_t		since;			/* when the state began */
	Request    *request;		/* in progress; or NULL */
	LIST_ENTRY(Client) others;
};

extern void request_init(const Options *options);

/* Called by MHD, in this order; the second one several times. */
extern Request *request_new(const char *target);
extern enum MHD_Result request_handle(Request *request,
									  struct MHD_Connection *connection,
									  Client *client, const char *method,
									  const char *data, size_t *data_length);
extern void request_end(Request *request);

/* The number of requests in progress. */
extern int	request_count(void);

/* From now on, close each connection after its answer. */
extern void request_drain(void);

/*
 * Answers the requests that still wait for the database, that their outcome is
 * not known.  Returns their number.
 */
extern int	request_give_up(void);

/* True if connections were resumed since the last call. */
extern bool request_resumed(void);

#endif
