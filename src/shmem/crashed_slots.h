/*-------------------------------------------------------------------------
 *
 * crashed_slots.h
 *	  The slots of runners that have crashed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CRASHED_SLOTS_H
#define DS_CRASHED_SLOTS_H

#include "datatype/timestamp.h"
#include "store/work.h"

/* The work of a crashed runner. */
typedef struct DsCrash
{
	int			slot;
	uint32		generation;
	Oid			role;
	DsWork		work;
	pg_uuid_t	execution_id;	/* of the step; zero: none had begun */
	TimestampTz crash_time;		/* different for any two crashes of the same
								 * work */
	bool		left;			/* it ended itself instead of crashing */
	char		function_name[DS_MAX_ID_LENGTH + 1];
} DsCrash;

/* The crashes in the database; returns their number, in palloc'd memory. */
extern int	ds_crashed_slots_find(Oid database, DsCrash **crashes);
extern void ds_crashed_slots_counted(Oid database, const DsCrash *crash);

/* The crashes in this database will never be counted. */
extern void ds_crashed_slots_forget(Oid database);

/*
 * The server has just crashed.  If a step crashes right after its instance's
 * last commit, this commit may be lost; if a parent has just started the
 * instance, the instance itself is lost, and nothing is left to count.  So for
 * a while after a crash, everything that a step builds on is flushed before it
 * begins.
 */
extern bool ds_crashed_slots_is_cautious(void);

extern Size ds_crashed_slots_size(void);

/* Restores the slots of runners that have crashed. */
extern void ds_crashed_slots_startup(void);

#endif
