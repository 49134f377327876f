/*-------------------------------------------------------------------------
 *
 * hint_queue.c
 *	  Queues of hints, from one pool shared by all groups.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "shmem/hint_queue.h"
#include "shmem/slot.h"

/* Shared memory is fixed; without room for a hint, the tables are searched. */
#define MAX_HINTS	8192

typedef struct Pool
{
	dlist_head	free;
	DsHint		hints[MAX_HINTS];
} Pool;

static Pool *pool = NULL;

Size
ds_hint_queue_size(void)
{
	return sizeof(Pool);
}

void
ds_hint_queue_startup(void)
{
	bool		found;

	pool = ShmemInitStruct("durable_singleton hints", ds_hint_queue_size(),
						   &found);
	if (found)
		return;
	dlist_init(&pool->free);
	for (int i = 0; i < MAX_HINTS; i++)
		dlist_push_tail(&pool->free, &pool->hints[i].node);
}

void
ds_hint_queue_init(DsHintQueue *queue)
{
	dlist_init(&queue->hints);
	queue->n = 0;
}

bool
ds_hint_queue_push(DsHintQueue *queue, const DsWork *work, bool first)
{
	DsHint	   *hint;

	if (dlist_is_empty(&pool->free))
		return false;
	hint = dlist_container(DsHint, node, dlist_pop_head_node(&pool->free));
	hint->cached_by = ds_slot_index(ds_my_slot);
	hint->n_skipped = 0;
	hint->since = work->due != DS_NO_TIME ? work->due : GetCurrentTimestamp();
	hint->work = *work;
	hint->work.due = DS_NO_TIME;
	if (first)
		dlist_push_head(&queue->hints, &hint->node);
	else
		dlist_push_tail(&queue->hints, &hint->node);
	queue->n++;
	return true;
}

DsWork
ds_hint_queue_take(DsHintQueue *queue, DsHint *hint)
{
	dlist_delete(&hint->node);
	queue->n--;
	dlist_push_head(&pool->free, &hint->node);
	return hint->work;
}

void
ds_hint_queue_clear(DsHintQueue *queue)
{
	while (queue->n > 0)
		(void) ds_hint_queue_take(queue, ds_hint_queue_first(queue));
}
