/*-------------------------------------------------------------------------
 *
 * http_json.h
 *	  JSON in the form of the HTTP management API of Durable Functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_HTTP_JSON_H
#define DS_HTTP_JSON_H

#include "client/client_status.h"
#include "lib/stringinfo.h"

/*
 * The parts of links.  base: scheme and host of the gateway, with or without
 * the path of the webhook.  NULL means the default for task_hub and
 * connection, and no key for code.
 */
typedef struct DsLinkBase
{
	const char *base;
	const char *task_hub;
	const char *connection;
	const char *code;
} DsLinkBase;

/* The id of an instance and the links that manage it. */
extern void ds_http_append_links(StringInfo out, const char *instance_id,
								 const DsLinkBase *link, bool with_rewind);

/* The link to the status of an instance. */
extern void ds_http_append_status_link(StringInfo out, const char *instance_id,
									   const DsLinkBase *link);

/* The status object, with the history if the report has it. */
extern void ds_http_append_status(StringInfo out, const DsReport *report);

/* The error object. */
extern void ds_http_append_failure(StringInfo out, const char *message,
								   const char *exception_message,
								   const char *exception_type);

#endif
