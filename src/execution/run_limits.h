/*-------------------------------------------------------------------------
 *
 * run_limits.h
 *	  Limits of a runner for one unit of work, and its result.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RUN_LIMITS_H
#define DS_RUN_LIMITS_H

/* The limits of a runner for one unit of work. */
typedef struct DsRunLimits
{
	bool		any_home;		/* also instances of another home */
	int			steps_left;		/* until the runner stops; -1: no limit */
	bool		(*leave) (void);	/* true: stop after the step; NULL: never */
	bool		(*yield) (void);	/* true: other work is waiting; NULL:
									 * never */
} DsRunLimits;

typedef enum DsRunResult
{
	DS_RUN_NOT_READY,			/* it waits, has ended, or another runner has
								 * it */
	DS_RUN_PROGRESS,			/* it continued, and now waits or has ended */
	DS_RUN_UNFINISHED,			/* it continued and is still ready: a hint was
								 * sent */
	DS_RUN_TROUBLE				/* a write of the runner failed: retry later */
} DsRunResult;

#endif
