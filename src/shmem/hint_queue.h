/*-------------------------------------------------------------------------
 *
 * hint_queue.h
 *	  Queues of hints, from one pool shared by all groups.
 *
 * Lock rules: the shared lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_HINT_QUEUE_H
#define DS_HINT_QUEUE_H

#include "lib/ilist.h"
#include "store/work.h"

typedef struct DsHint
{
	dlist_node	node;
	int			cached_by;		/* slot of the worker that has cached the run,
								 * or -1 */
	int			n_skipped;		/* times that a later hint was taken */
	TimestampTz since;			/* when it became ready, as far as known */
	DsWork		work;
} DsHint;

/* The oldest hint is the first. */
typedef struct DsHintQueue
{
	dlist_head	hints;
	int			n;
} DsHintQueue;

extern Size ds_hint_queue_size(void);
extern void ds_hint_queue_startup(void);

extern void ds_hint_queue_init(DsHintQueue *queue);

/* False: there is no room for it. */
extern bool ds_hint_queue_push(DsHintQueue *queue, const DsWork *work,
							   bool first);

/* Removes the hint and returns its work. */
extern DsWork ds_hint_queue_take(DsHintQueue *queue, DsHint *hint);
extern void ds_hint_queue_clear(DsHintQueue *queue);

/* The oldest hint; NULL if there is none. */
static inline DsHint *
ds_hint_queue_first(const DsHintQueue *queue)
{
	return queue->n == 0 ? NULL :
		dlist_container(DsHint, node, queue->hints.head.next);
}

#endif
