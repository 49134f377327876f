/*
 * call.h
 *	  From a request to the statement that answers it.
 */
#ifndef GW_CALL_H
#define GW_CALL_H

#include <microhttpd.h>

#include "job.h"
#include "route.h"

/* What of a request the database needs to know. */
typedef struct Call
{
	struct MHD_Connection *connection;	/* for its query */
	const Route *route;
	const char *origin;
	const char *code;			/* what stands for the key in links; or NULL */
	const char *content_type;
	const char *continuation_token;
	Body	   *body;			/* the job takes it over */
} Call;

extern Job *call_make_job(const Call *call);

/* The answer that belongs to an error that we found ourselves. */
extern Job *call_make_refusal(const char *sqlstate, const char *message);

#endif
