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

/* What a crashed runner was at. */
typedef struct DsCrash
{
	int			slot;
	uint32		generation;
	Oid			role;
	DsWork		work;
	pg_uuid_t	execution_id;	/* of the step; zero: none had begun */
	TimestampTz crash_time;		/* no two crashes of one work have the same */
	bool		left;			/* it has ended itself, and not crashed */
	char		function_name[DS_MAX_ID_LENGTH + 1];
} DsCrash;

/* Those of the database; returns how many, in palloc'd memory. */
extern int	ds_crashed_slots_find(Oid database, DsCrash **crashes);
extern void ds_crashed_slots_counted(Oid database, const DsCrash *crash);

/* Nobody will ever count those of this database. */
extern void ds_crashed_slots_forget(Oid database);

/*
 * The server has just crashed.  If a step crashes right after its instance's
 * last commit, that commit may be lost, and the instance itself with it when a
 * parent has just started it: then there is nothing to count for.  So for a
 * while after a crash all that a step builds on is flushed before it begins.
 */
extern bool ds_crashed_slots_is_cautious(void);

extern Size ds_crashed_slots_size(void);

/* Finds the slots of runners that have crashed. */
extern void ds_crashed_slots_startup(void);

#endif
