/*
 * call.h
 *	  Creates the job for a request: the statement and its parameters.
 */
#ifndef GW_CALL_H
#define GW_CALL_H

#include <microhttpd.h>

#include "job.h"
#include "route.h"

/* The parts of a request that the database needs. */
typedef struct Call
{
	struct MHD_Connection *connection;	/* for its query */
	const Route *route;
	const char *origin;
	const char *code;			/* mark for the key in links; or NULL */
	const char *content_type;
	const char *continuation_token;
	Body	   *body;			/* the job takes it over */
} Call;

extern Job *call_make_job(const Call *call);

/* A job that gets the answer for an error detected by the gateway. */
extern Job *call_make_refusal(const char *sqlstate, const char *message);

#endif
