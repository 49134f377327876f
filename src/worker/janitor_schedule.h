/*-------------------------------------------------------------------------
 *
 * janitor_schedule.h
 *	  Decides which databases a janitor visits, and when.  Part of the
 *	  launcher.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_JANITOR_SCHEDULE_H
#define DS_JANITOR_SCHEDULE_H

#include "datatype/timestamp.h"

extern void ds_janitor_schedule_init(void);

/* Takes the findings of the last janitor, if it has finished. */
extern void ds_janitor_schedule_reap(void);

/* Starts the next janitor, if it is time; returns when to check again. */
extern TimestampTz ds_janitor_schedule_send(void);

/* The database exists, and workers may connect to it. */
extern bool ds_janitor_schedule_is_open(Oid database);

#endif
