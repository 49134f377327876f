/*-------------------------------------------------------------------------
 *
 * purge.h
 *	  Removing ended instances.
 *
 *	DsPurge purge;
 *
 *	ds_purge_begin(&purge, skip_locked, DT_NOEND);
 *	ds_purge_family(&purge, instance_id);
 *	while (ds_purge_has_more(&purge))
 *		n += ds_purge_some(&purge, limit);
 *	ds_purge_end(&purge);
 *
 * A family is an ended instance with its ended children, and theirs.  What is
 * left of it stays known from one transaction to the next, so that a large one
 * need not go in one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_PURGE_H
#define DS_PURGE_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

typedef struct DsPurge
{
	bool		skip_locked;
	TimestampTz ended_before;
	List	   *left;			/* of what purge.c calls Left */
	MemoryContext cxt;			/* of "left" */
	MemoryContext scratch;		/* of one instance */
} DsPurge;

/*
 * skip_locked: for a caller that purges many instances.  It takes locks in
 * another order than other sessions, and must not wait for any.
 * ended_before: instances that ended later stay, even if their parent is
 * purged; DT_NOEND: none stays for that reason.
 */
extern void ds_purge_begin(DsPurge *purge, bool skip_locked,
						   TimestampTz ended_before);
extern void ds_purge_end(DsPurge *purge);

/* This one next, in place of what is left of the last one. */
extern void ds_purge_family(DsPurge *purge, const char *instance_id);
extern bool ds_purge_has_more(const DsPurge *purge);

/*
 * Removes instances of the family, at most so many or a few more.  Returns
 * how many went.  After an error the family has to begin anew.
 */
extern int64 ds_purge_some(DsPurge *purge, int64 limit);

#endif
