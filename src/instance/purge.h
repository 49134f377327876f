/*-------------------------------------------------------------------------
 *
 * purge.h
 *	  Removes ended instances.
 *
 *	DsPurge purge;
 *
 *	ds_purge_begin(&purge, skip_locked, DT_NOEND);
 *	ds_purge_family(&purge, instance_id);
 *	while (ds_purge_has_more(&purge))
 *		n += ds_purge_some(&purge, limit);
 *	ds_purge_end(&purge);
 *
 * A family is an ended instance with its ended children, and theirs.  The rest
 * of it is remembered across transactions, so that a large one need not be
 * purged in one.
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
	List	   *left;			/* of type Left, see purge.c */
	MemoryContext cxt;			/* of "left" */
	MemoryContext scratch;		/* for one instance */
} DsPurge;

/*
 * skip_locked: for a caller that purges many instances.  It takes locks in a
 * different order than other sessions, and must not wait for any.
 * ended_before: instances that ended later stay, even if their parent is
 * purged; DT_NOEND: no limit.
 */
extern void ds_purge_begin(DsPurge *purge, bool skip_locked,
						   TimestampTz ended_before);
extern void ds_purge_end(DsPurge *purge);

/* Continues with this family; the rest of the previous one is dropped. */
extern void ds_purge_family(DsPurge *purge, const char *instance_id);
extern bool ds_purge_has_more(const DsPurge *purge);

/*
 * Removes instances of the family, about "limit" of them.  Returns their
 * number. After an error the family must be started again.
 */
extern int64 ds_purge_some(DsPurge *purge, int64 limit);

#endif
