/*-------------------------------------------------------------------------
 *
 * database_idle.c
 *	  Has anything happened in a database?  Part of the launcher.
 *
 * A hint can only have been lost by a transaction.  PostgreSQL counts them for
 * each database, so one in which none has ended since its last visit needs no
 * other.  A backend may be late in telling of its transactions: for ten
 * seconds, or as long as it is in the next one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pgstat.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "worker/database_idle.h"

#define TELLING_TAKES_MS	15000

static bool is_in_transaction(Oid database);

int64
ds_database_idle_n_ended(Oid database)
{
	PgStat_StatDBEntry *entry;
	int64		n = 0;

	pgstat_clear_snapshot();
	entry = pgstat_fetch_stat_dbentry(database);
	if (entry != NULL)
		n = ds_compat_n_transactions(entry);
	pgstat_clear_snapshot();
	return n;
}

void
ds_database_idle_begin(DsDatabaseIdle *s, int64 n_ended)
{
	s->known = true;
	s->n_ended = n_ended;
}

bool
ds_database_idle_check(DsDatabaseIdle *s, Oid database)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!s->known || ds_database_idle_n_ended(database) != s->n_ended)
	{
		s->changed = now;
		return false;
	}
	return TimestampDifferenceExceeds(s->changed, now, TELLING_TAKES_MS) &&
		!is_in_transaction(database);
}

static bool
is_in_transaction(Oid database)
{
	bool		found = false;

	LWLockAcquire(ProcArrayLock, LW_SHARED);
	for (int i = 0; i < ProcGlobal->allProcCount && !found; i++)
	{
		PGPROC	   *proc = &ProcGlobal->allProcs[i];

		found = proc->databaseId == database &&
			LocalTransactionIdIsValid(ds_compat_lxid(proc));
	}
	LWLockRelease(ProcArrayLock);
	return found;
}
