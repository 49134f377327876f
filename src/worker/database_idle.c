/*-------------------------------------------------------------------------
 *
 * database_idle.c
 *	  Detects whether anything has happened in a database.  Part of the
 *	  launcher.
 *
 * A hint can only be lost by a transaction, so a database in which no
 * transaction has ended since the last visit needs no new one.  Backends may
 * report their transaction counts late: up to ten seconds, or until their next
 * transaction ends.
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
