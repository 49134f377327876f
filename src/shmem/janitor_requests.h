/*-------------------------------------------------------------------------
 *
 * janitor_requests.h
 *	  What janitors are asked for, and what they answer.
 *
 * Processes ask for a visit to a database; the launcher takes these requests
 * and sends one janitor at a time; the janitor reports what it has found.
 *
 * Lock rules: the shared lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_JANITOR_REQUESTS_H
#define DS_JANITOR_REQUESTS_H

#include "base/limits.h"
#include "datatype/timestamp.h"

/* Databases that are asked for; for more of them, all are visited. */
#define DS_MAX_VISITS	64

/* What a janitor found in a database. */
typedef enum DsFinding
{
	DS_FOUND_NOTHING,			/* no extension */
	DS_FOUND_OTHER_VERSION,		/* tables that this library does not know */
	DS_FOUND_AWAY,				/* instances that are at home elsewhere */
	DS_FOUND_HOME
} DsFinding;

typedef struct DsJanitorReport
{
	Oid			database;
	bool		done;			/* the rest is valid */
	DsFinding	finding;
	char		version[DS_MAX_VERSION];	/* of the extension */
	bool		sought_ownerless;
	bool		left_nothing;	/* it has found all there was, and need not
								 * look at the clock */
	int			n_transactions; /* its own ones */
} DsJanitorReport;

extern Size ds_janitor_size(void);
extern void ds_janitor_startup(void);

/* --- with the shared lock held --- */

/*
 * Asks for a visit to the database (InvalidOid: to all of them), no later than
 * at that time.  DT_NOBEGIN means immediately.
 */
extern void ds_janitor_request_visit(Oid database, TimestampTz at);

/* Is a janitor at work in the database?  *pid: its process. */
extern bool ds_janitor_is_in(Oid database, pid_t *pid);

/* --- for the launcher; these take the lock themselves --- */

/*
 * Removes the requests that are due: their number, the databases, and whether
 * all are to be visited.  *next: when the next one falls due.
 */
extern int	ds_janitor_take_requests(TimestampTz now,
									 Oid databases[DS_MAX_VISITS],
									 bool *all, TimestampTz *next);

/* The next janitor is for that database. */
extern void ds_janitor_order(Oid database, bool seek_ownerless);

/* What the last one has found; it is over. */
extern DsJanitorReport ds_janitor_take_report(void);

/* --- for the janitor; these take the lock themselves --- */

/* False: the order was withdrawn. */
extern bool ds_janitor_enter(Oid database);
extern void ds_janitor_leave(bool left_nothing, int n_transactions);

extern void ds_janitor_report(DsFinding finding, const char *version);

/* Is it to look for instances whose owner was dropped?  Then it has. */
extern bool ds_janitor_seeks_ownerless(void);
extern void ds_janitor_sought_ownerless(void);

#endif
