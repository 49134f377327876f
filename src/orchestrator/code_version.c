/*-------------------------------------------------------------------------
 *
 * code_version.c
 *	  Detects whether the code of a function has changed.
 *
 * The fingerprint is the beginning of a SHA-256 of the body as given to CREATE
 * FUNCTION.  The tree of an SQL-standard body contains OIDs, which a restore
 * changes, so its text is used, deparsed independently of the session's
 * settings.  Renaming an object that it mentions changes this text, too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "commands/proclang.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "orchestrator/code_version.h"

/*
 * The last fingerprints, each valid for one version of the pg_proc row.  If
 * two functions share a position, their fingerprints are only computed more
 * often.
 */
#define CACHE_SIZE	64

typedef struct Known
{
	Oid			function;
	TransactionId xmin;
	ItemPointerData tid;
	int64		fingerprint;
} Known;

static Known cache[CACHE_SIZE];

static int64 compute(Oid function, HeapTuple tuple);
static void append_attribute(StringInfo what, HeapTuple tuple,
							 AttrNumber attribute);
static void append_part(StringInfo what, const char *part);
static char *sql_body(Oid function);
static int64 hash(StringInfo what);

int64
ds_code_version_of(Oid function)
{
	Known	   *known = &cache[function % CACHE_SIZE];
	HeapTuple	tuple;
	TransactionId xmin;

	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function),
				 errhint("It was just dropped; create it again.")));
	xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	if (known->function != function || known->xmin != xmin ||
		!ItemPointerEquals(&known->tid, &tuple->t_self))
	{
		int64		fingerprint = compute(function, tuple);

		known->function = function;
		known->xmin = xmin;
		known->tid = tuple->t_self;
		known->fingerprint = fingerprint;
	}
	ReleaseSysCache(tuple);
	return known->fingerprint;
}

static int64
compute(Oid function, HeapTuple tuple)
{
	StringInfoData what;
	char	   *language;
	bool		has_no_tree;
	int64		fingerprint;

	initStringInfo(&what);
	language = get_language_name(((Form_pg_proc) GETSTRUCT(tuple))->prolang,
								 false);
	append_part(&what, language);
	append_attribute(&what, tuple, Anum_pg_proc_prosrc);
	append_attribute(&what, tuple, Anum_pg_proc_probin);
	(void) SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody,
						   &has_no_tree);
	append_part(&what, has_no_tree ? NULL : sql_body(function));
	fingerprint = hash(&what);
	pfree(what.data);
	return fingerprint;
}

static void
append_attribute(StringInfo what, HeapTuple tuple, AttrNumber attribute)
{
	bool		isnull;
	Datum		value = SysCacheGetAttr(PROCOID, tuple, attribute, &isnull);
	char	   *part = isnull ? NULL : TextDatumGetCString(value);

	append_part(what, part);
	if (part != NULL)
		pfree(part);
}

/* Includes the length, so that no two lists of parts look the same. */
static void
append_part(StringInfo what, const char *part)
{
	if (part == NULL)
		appendStringInfoString(what, "-;");
	else
		appendStringInfo(what, "%zu:%s;", strlen(part), part);
}

static char *
sql_body(Oid function)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"quote_all_identifiers", "off"},
		{"standard_conforming_strings", "on"},
		{"DateStyle", "ISO, MDY"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"},
		{"extra_float_digits", "1"},
		{"bytea_output", "hex"},
	};
	int			guc_level = NewGUCNestLevel();
	Datum		body;

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
	body = DirectFunctionCall1(pg_get_function_sqlbody,
							   ObjectIdGetDatum(function));
	AtEOXact_GUC(false, guc_level);
	return TextDatumGetCString(body);
}

static int64
hash(StringInfo what)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	uint64		result = 0;

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (uint8 *) what->data, what->len) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute a SHA-256 hash");
	pg_cryptohash_free(context);
	for (int i = 0; i < sizeof(result); i++)
		result = result << 8 | digest[i];
	return result == 0 ? 1 : (int64) result;
}
