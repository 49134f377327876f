/*-------------------------------------------------------------------------
 *
 * run_limits.h
 *	  How far a runner goes with one piece of work, and how far it came.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_RUN_LIMITS_H
#define DS_RUN_LIMITS_H

/* How far a runner goes with one piece of work. */
typedef struct DsRunLimits
{
	bool		any_home;		/* also instances of another home */
	int			steps_left;		/* steps until the runner stops, -1: no end */
	bool		(*leave) (void);	/* true: stop after the step, NULL: never */
	bool		(*yield) (void);	/* true: others wait, NULL: never */
} DsRunLimits;

typedef enum DsRunResult
{
	DS_RUN_NOT_READY,			/* it waits, has ended, or somebody runs it */
	DS_RUN_PROGRESS,			/* it went on, and waits or has ended now */
	DS_RUN_UNFINISHED,			/* it went on and is ready for more: a hint
								 * says so */
	DS_RUN_TROUBLE				/* our own write failed: later again */
} DsRunResult;

#endif
