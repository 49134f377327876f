/*-------------------------------------------------------------------------
 *
 * janitor_requests.h
 *	  Requests to janitors, and their reports.
 *
 * Processes request a visit to a database; the launcher takes these requests
 * and starts one janitor at a time; the janitor reports its findings.
 *
 * Lock rules: the shared lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_JANITOR_REQUESTS_H
#define DS_JANITOR_REQUESTS_H

#include "base/limits.h"
#include "datatype/timestamp.h"

/* Requests for more databases than this become a visit to all. */
#define DS_MAX_VISITS	64

/* What a janitor found in a database. */
typedef enum DsFinding
{
	DS_FOUND_NOTHING,			/* no extension */
	DS_FOUND_OTHER_VERSION,		/* tables that this library does not know */
	DS_FOUND_AWAY,				/* instances whose home is elsewhere */
	DS_FOUND_HOME
} DsFinding;

typedef struct DsJanitorReport
{
	Oid			database;
	bool		done;			/* the other fields are valid */
	DsFinding	finding;
	char		version[DS_MAX_VERSION];	/* of the extension */
	bool		sought_ownerless;
	bool		left_nothing;	/* everything was found, so no further search
								 * is needed */
	int			n_transactions; /* the janitor's own ones */
} DsJanitorReport;

extern Size ds_janitor_size(void);
extern void ds_janitor_startup(void);

/* --- with the shared lock held --- */

/*
 * Requests a visit to the database (InvalidOid: to all of them), no later than
 * that time.  DT_NOBEGIN means immediately.
 */
extern void ds_janitor_request_visit(Oid database, TimestampTz at);

/* Is a janitor working in the database?  *pid: its process. */
extern bool ds_janitor_is_in(Oid database, pid_t *pid);

/* --- for the launcher; these take the lock themselves --- */

/*
 * Takes the due requests: returns their number, the databases, and whether to
 * visit all.  *next: when the next one becomes due.
 */
extern int	ds_janitor_take_requests(TimestampTz now,
									 Oid databases[DS_MAX_VISITS],
									 bool *all, TimestampTz *next);

/* Assigns the database to the next janitor. */
extern void ds_janitor_order(Oid database, bool seek_ownerless);

/* The findings of the last janitor, which has exited. */
extern DsJanitorReport ds_janitor_take_report(void);

/* --- for the janitor; these take the lock themselves --- */

/* False: the assignment was withdrawn. */
extern bool ds_janitor_enter(Oid database);
extern void ds_janitor_leave(bool left_nothing, int n_transactions);

extern void ds_janitor_report(DsFinding finding, const char *version);

/*
 * Must it search for instances whose owner was dropped?  And: it has done so.
 */
extern bool ds_janitor_seeks_ownerless(void);
extern void ds_janitor_sought_ownerless(void);

#endif
