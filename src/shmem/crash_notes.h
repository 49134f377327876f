/*-------------------------------------------------------------------------
 *
 * crash_notes.h
 *	  Notes about the current work of each runner, which survive a crash.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CRASH_NOTES_H
#define DS_CRASH_NOTES_H

#include "base/limits.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"


/* Written only by the runner; slot number n uses note number n. */
typedef struct DsCrashNote
{
	bool		claimed;		/* the other fields are valid */
	int			seq;			/* of a task, or 0: the instance itself, */
	pg_uuid_t	task_execution; /* and the execution of the task */
	Oid			database;
	Oid			role;
	pg_uuid_t	execution_id;	/* of the step; zero: none has begun */
	TimestampTz crash_time;		/* when it was detected; DS_NO_TIME: the
								 * runner lives */
	char		instance_id[DS_MAX_ID_LENGTH + 1];
	char		function_name[DS_MAX_ID_LENGTH + 1];
} DsCrashNote;

/* NULL if there is no shared memory either. */
extern DsCrashNote *ds_crash_notes;

/*
 * Called in the postmaster, when shared memory is set up: makes room for n
 * notes. The first ones are those of runners that have crashed; returns their
 * number.
 */
extern int	ds_crash_notes_startup(int n);

/*
 * Signal handlers for SIGQUIT, in a worker and in a session in CALL df_run:
 * the server ends immediately because another process has crashed, or on
 * request.
 */
extern void ds_crash_notes_worker_handler(SIGNAL_ARGS);
extern void ds_crash_notes_session_handler(SIGNAL_ARGS);

/* The note that they clear, or NULL. */
extern DsCrashNote *ds_my_crash_note;

#endif
