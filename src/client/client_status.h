/*-------------------------------------------------------------------------
 *
 * client_status.h
 *	  The status of an instance as clients see it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CLIENT_STATUS_H
#define DS_CLIENT_STATUS_H

#include "funcapi.h"
#include "store/instance.h"

/* What there is to tell of an instance. */
typedef struct DsReport
{
	DsInstance *inst;
	Jsonb	   *history;		/* NULL if it was not asked for */
	bool		show_input;
} DsReport;

/*
 * For the functions whose arguments are instance_id, show_history,
 * show_history_output and show_input.  False: there is no such instance, or
 * the caller may not see it, or, with exposed_only, its function is not
 * exposed over HTTP.
 */
extern bool ds_status_report(FunctionCallInfo fcinfo, bool exposed_only,
							 DsReport *report);

/* Before an end is told of: what is reported as ended stays ended. */
extern void ds_status_make_durable(const DsInstance *inst);

/*
 * Running is shown while even the first step executes, of which nothing is
 * committed yet.
 */
extern DsStatus ds_status_shown(const DsInstance *inst);

/*
 * Adds the row of type df_status to the result of a set-returning function.
 * Before an end is reported its commit is made durable.
 */
extern void ds_status_put(ReturnSetInfo *result, const DsInstance *inst,
						  Jsonb *history, bool show_input);

/* The same, without history, as an object. */
extern Jsonb *ds_status_to_jsonb(const DsInstance *inst);

#endif
