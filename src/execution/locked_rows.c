/*-------------------------------------------------------------------------
 *
 * locked_rows.c
 *	  Instances whose row is locked by an open transaction of another session.
 *
 * A step that finds its row locked (after df_terminate in an idle transaction,
 * for example) is undone after a second.  Repeating it until the lock is
 * released would be a waste, so this process remembers the last few such
 * instances and tries the lock first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commit/transaction.h"
#include "execution/locked_rows.h"
#include "store/store.h"

#define MAX_CONTESTED	16

static char contested[MAX_CONTESTED][DS_MAX_ID_LENGTH + 1];

static void forget(const char *instance_id);

void
ds_locked_rows_add(const char *instance_id)
{
	static int	next = 0;

	forget(instance_id);
	strlcpy(contested[next], instance_id, sizeof(contested[next]));
	next = (next + 1) % MAX_CONTESTED;
}

bool
ds_locked_rows_has(const char *instance_id)
{
	bool		unlocked;
	int			i;

	for (i = 0; i < MAX_CONTESTED; i++)
	{
		if (strcmp(contested[i], instance_id) == 0)
			break;
	}
	if (i == MAX_CONTESTED)
		return false;

	ds_transaction_begin();
	unlocked = ds_store_is_unlocked(instance_id);
	ds_transaction_abort();
	if (unlocked)
		forget(instance_id);
	return !unlocked;
}

static void
forget(const char *instance_id)
{
	for (int i = 0; i < MAX_CONTESTED; i++)
	{
		if (strcmp(contested[i], instance_id) == 0)
			contested[i][0] = '\0';
	}
}
