/*-------------------------------------------------------------------------
 *
 * session_state.c
 *	  Session state that a step can leave behind, apart from settings and
 *	  locks.
 *
 * For PostgreSQL itself this is the state reset by DISCARD ALL, and the seed
 * of random().  dblink keeps connections until they are closed by name; most
 * workers have never loaded it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <link.h>

#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "common/pg_prng.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "commit/transaction.h"
#include "function/session_state.h"
#include "function/trust.h"

#define DBLINK	"dblink" DLSUFFIX

/* The libraries loaded by the process. */
typedef struct Libraries
{
	unsigned long long n_loaded;	/* so far */
	unsigned long long n_seen;	/* at the last check */
	char	   *dblink;			/* its file; NULL if not loaded */
} Libraries;

static Libraries libraries;

static void forget_seed(void);
static const char *loaded_dblink(void);
static int	look_at_library(struct dl_phdr_info *info, size_t size, void *arg);
static void close_connections(const char *file);
static ArrayType *connection_names(const char *file);
static void disconnect(PGFunction function, text * name);

void
ds_session_state_forget(void)
{
	const char *dblink = loaded_dblink();

	ResetSequenceCaches();
	forget_seed();
	if (dblink != NULL)
	{
		/* it reads the catalogs */
		ds_transaction_begin();
		close_connections(dblink);
		ds_transaction_commit();
	}
}

static void
forget_seed(void)
{
	double		seed = 2 * pg_prng_double(&pg_global_prng_state) - 1;

	(void) DirectFunctionCall1(setseed, Float8GetDatum(seed));
}

/* --- dblink --- */

/* The list is searched only if a library was loaded since the last check. */
static const char *
loaded_dblink(void)
{
	if (libraries.dblink == NULL && ds_trust_take_new_function())
		(void) dl_iterate_phdr(look_at_library, &libraries);
	libraries.n_seen = libraries.n_loaded;
	return libraries.dblink;
}

static int
look_at_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	Libraries  *l = arg;
	const char *slash;

	l->n_loaded = info->dlpi_adds;
	if (l->dblink != NULL || l->n_loaded == l->n_seen)
		return 1;
	slash = strrchr(info->dlpi_name, '/');
	if (slash != NULL && strcmp(slash + 1, DBLINK) == 0)
	{
		l->dblink = MemoryContextStrdup(TopMemoryContext, info->dlpi_name);
		return 1;
	}
	return 0;
}

static void
close_connections(const char *file)
{
	PGFunction	function = load_external_function(file, "dblink_disconnect",
												  true, NULL);
	ArrayType  *names = connection_names(file);

	if (names != NULL)
	{
		Datum	   *elements;
		int			n;

		deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements,
						  NULL, &n);
		for (int i = 0; i < n; i++)
			disconnect(function, DatumGetTextPP(elements[i]));
	}
	/* there is also one without a name */
	disconnect(function, NULL);
}

static ArrayType *
connection_names(const char *file)
{
	LOCAL_FCINFO(fcinfo, 0);
	PGFunction	function = load_external_function(file, "dblink_get_connections",
												  true, NULL);
	Datum		names;

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	names = function(fcinfo);
	return fcinfo->isnull ? NULL : DatumGetArrayTypeP(names);
}

/* An error means that there is no such connection, as intended. */
static void
disconnect(PGFunction function, text * name)
{
	MemoryContext caller = CurrentMemoryContext;

	LOCAL_FCINFO(fcinfo, 1);

	InitFunctionCallInfoData(*fcinfo, NULL, name == NULL ? 0 : 1, InvalidOid,
							 NULL, NULL);
	fcinfo->args[0].value = PointerGetDatum(name);
	fcinfo->args[0].isnull = false;
	PG_TRY();
	{
		(void) function(fcinfo);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		if (geterrcode() != ERRCODE_CONNECTION_DOES_NOT_EXIST)
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
}
