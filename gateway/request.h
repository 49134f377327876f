/*
 * request.h
 *	  One request, from its first line to the log.
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

/* A client's connection, as long as it is there. */
typedef struct Client Client;
struct Client
{
	int			fd;
	char		peer[64];
	enum
	{
		READING,				/* until a whole request is there */
		WORKING,
		SENDING
	}			state;
	int64_t		since;			/* of the state */
	Request    *request;		/* under way; or NULL */
	LIST_ENTRY(Client) others;
};

extern void request_init(const Options *options);

/* MHD calls these, in this order; the second one several times. */
extern Request *request_new(const char *target);
extern enum MHD_Result request_handle(Request *request,
									  struct MHD_Connection *connection,
									  Client *client, const char *method,
									  const char *data, size_t *data_length);
extern void request_end(Request *request);

/* How many are under way. */
extern int	request_count(void);

/* From now on connections are closed after their answers. */
extern void request_drain(void);

/*
 * Answers those that still wait for the database, whose outcome is not known;
 * how many there were.
 */
extern int	request_give_up(void);

/* True if connections were resumed since it was last asked. */
extern bool request_resumed(void);

#endif
