/*-------------------------------------------------------------------------
 *
 * client_status.h
 *	  The status of an instance as shown to clients.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CLIENT_STATUS_H
#define DS_CLIENT_STATUS_H

#include "funcapi.h"
#include "store/instance.h"

/* The parts of a status report. */
typedef struct DsReport
{
	DsInstance *inst;
	Jsonb	   *history;		/* NULL if not requested */
	bool		show_input;
} DsReport;

/*
 * For functions with the arguments instance_id, show_history,
 * show_history_output and show_input.  Returns false if the instance does not
 * exist, or the caller may not see it, or, with exposed_only, its function is
 * not exposed over HTTP.
 */
extern bool ds_status_report(FunctionCallInfo fcinfo, bool exposed_only,
							 DsReport *report);

/* Call this before reporting an end, so that a reported end is never lost. */
extern void ds_status_make_durable(const DsInstance *inst);

/*
 * Shows Running also while the first step executes, of which nothing is
 * committed yet.
 */
extern DsStatus ds_status_shown(const DsInstance *inst);

/*
 * Adds a row of type df_status to the result of a set-returning function.
 * Before it reports an end, it makes the commit of the end durable.
 */
extern void ds_status_put(ReturnSetInfo *result, const DsInstance *inst,
						  Jsonb *history, bool show_input);

/* The same as an object, without history. */
extern Jsonb *ds_status_to_jsonb(const DsInstance *inst);

#endif
