/*-------------------------------------------------------------------------
 *
 * start.h
 *	  Starting an instance under an id.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_START_H
#define DS_START_H

#include "base/compat.h"
#include "fmgr.h"
#include "store/store.h"

typedef enum DsOnConflict
{
	DS_ON_CONFLICT_SKIP,
	DS_ON_CONFLICT_ERROR,
	DS_ON_CONFLICT_TERMINATE
} DsOnConflict;

/* Which statuses of the present execution allow a new one. */
typedef struct DsReuse
{
	int			n;
	DsStatus	statuses[DS_NUM_STATUS];
} DsReuse;

extern const DsReuse ds_start_any_ended;

/* Argument n, an array of statuses that have ended; else SD400. */
extern DsReuse ds_start_arg_statuses(FunctionCallInfo fcinfo, int n,
									 const char *what);

/*
 * Fills in all that does not depend on the present row: "start" has the name,
 * the id, the input and, if any, the parent.  The function is looked up with
 * that search_path, and the instance is not ready before start_at (0: at
 * once).  Errors as for df_start_singleton.
 */
extern void ds_start_prepare(DsStart *start, const char *search_path,
							 TimestampTz start_at);

/*
 * The same for a function that was found in start->function_schema before,
 * for its owner, whoever calls: it is that role's code and input.
 */
extern void ds_start_prepare_again(DsStart *start, Oid owner);

/*
 * One attempt to start over the execution that was seen, whose status allows
 * it; false if it is not there any more, or has changed since.
 */
extern bool ds_start_over(DsStart *start, DsInstance *present);

/* SD409: the id is taken. */
pg_noreturn extern void ds_start_exists_error(const DsInstance *inst);

/*
 * True: started.  False: the id is taken, and on_conflict says to skip.  With
 * start->exposed_only an id of another role's, or of a function that is not
 * exposed over HTTP, counts as taken in every status.
 */
extern bool ds_start(DsStart *start, DsOnConflict on_conflict,
					 DsReuse reuse);

#endif
