/*-------------------------------------------------------------------------
 *
 * start.h
 *	  Starts an instance under an id.
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

/* The statuses of the current execution that allow a new one. */
typedef struct DsReuse
{
	int			n;
	DsStatus	statuses[DS_NUM_STATUS];
} DsReuse;

extern const DsReuse ds_start_any_ended;

/* Argument n, an array of ended statuses; otherwise SD400. */
extern DsReuse ds_start_arg_statuses(FunctionCallInfo fcinfo, int n,
									 const char *what);

/*
 * Sets everything that does not depend on the current row: "start" has the
 * name, the id, the input and, if there is one, the parent.  The function is
 * looked up with this search_path, and the instance is not ready before
 * start_at (0: immediately).  Raises the errors of df_start_singleton.
 */
extern void ds_start_prepare(DsStart *start, const char *search_path,
							 TimestampTz start_at);

/*
 * The same for a function that was already found in start->function_schema,
 * for its owner regardless of the caller: code and input are the owner's.
 */
extern void ds_start_prepare_again(DsStart *start, Oid owner);

/*
 * Makes one attempt to start over the execution that was read, whose status
 * allows it.  Returns false if it is gone, or has changed since.
 */
extern bool ds_start_over(DsStart *start, DsInstance *present);

/* SD409: the id is taken. */
pg_noreturn extern void ds_start_exists_error(const DsInstance *inst);

/*
 * Returns true if the instance was started, false if the id is taken and
 * on_conflict says to skip.
 */
extern bool ds_start(DsStart *start, DsOnConflict on_conflict,
					 DsReuse reuse);

/*
 * The same for a start over HTTP, which skips a taken id: an id of another
 * role, or of a function that is not exposed, counts as taken in every status.
 */
extern bool ds_start_exposed(DsStart *start);

#endif
