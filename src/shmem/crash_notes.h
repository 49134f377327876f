/*-------------------------------------------------------------------------
 *
 * crash_notes.h
 *	  What each runner is at, where it outlives a crash.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CRASH_NOTES_H
#define DS_CRASH_NOTES_H

#include "base/limits.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"


/* Written by the runner alone, that of slot number n into note number n. */
typedef struct DsCrashNote
{
	bool		claimed;		/* the rest is valid */
	int			seq;			/* of a task, or 0: the instance itself, */
	pg_uuid_t	task_execution; /* and the execution that it belongs to */
	Oid			database;
	Oid			role;
	pg_uuid_t	execution_id;	/* of the step; zero: none has begun */
	TimestampTz crash_time;		/* when it was found, 0: the runner lives */
	char		instance_id[DS_MAX_ID_LENGTH + 1];
	char		function_name[DS_MAX_ID_LENGTH + 1];
} DsCrashNote;

/* NULL where there is no shared memory either. */
extern DsCrashNote *ds_crash_notes;

/*
 * In the postmaster, when shared memory is set up: makes room for n notes, of
 * which the first ones, their number is returned, are those of runners that
 * have crashed.
 */
extern int	ds_crash_notes_startup(int n);

/*
 * Signal handlers for SIGQUIT: the server ends at once because somebody else
 * has crashed, or was told to.  In a worker, and in a session in CALL df_run.
 */
extern void ds_crash_notes_worker_handler(SIGNAL_ARGS);
extern void ds_crash_notes_session_handler(SIGNAL_ARGS);

/* Which note they take back, or NULL. */
extern DsCrashNote *ds_my_crash_note;

#endif
