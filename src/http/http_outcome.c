/*-------------------------------------------------------------------------
 *
 * http_outcome.c
 *	  The outcome of a transaction whose client lost its connection during
 *	  COMMIT.
 *
 * pg_xact_status() alone is not sufficient after a crash: if a transaction has
 * lost all its WAL in the crash, its id is assigned again, and the outcome of
 * a different transaction would be reported.  So a transaction is named by its
 * id and the incarnation of the server in which it ran.  A transaction of an
 * earlier incarnation has no effect if its id was still to be assigned when
 * the current incarnation began.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/xid8.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "shmem/incarnation.h"
#include "shmem/shared.h"

PG_FUNCTION_INFO_V1(ds_http_transaction);
PG_FUNCTION_INFO_V1(ds_http_fate);

static bool is_lost(uint64 incarnation, uint64 xid);

/* http_transaction(): null if the transaction has written nothing */
PGDLLEXPORT Datum
ds_http_transaction(PG_FUNCTION_ARGS)
{
	FullTransactionId xid = GetTopFullTransactionIdIfAny();

	ds_shared_require();
	if (!FullTransactionIdIsValid(xid))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf(UINT64_FORMAT "/" UINT64_FORMAT,
											  ds_incarnation(),
											  U64FromFullTransactionId(xid))));
}

/* http_fate(transaction): the result of pg_xact_status() */
PGDLLEXPORT Datum
ds_http_fate(PG_FUNCTION_ARGS)
{
	char	   *name;
	char	   *slash;
	uint64		incarnation;
	uint64		xid;
	Datum		status;

	LOCAL_FCINFO(call, 1);

	ds_shared_require();
	ds_arg_require(fcinfo, 0, "transaction");
	name = ds_arg_text(fcinfo, 0);
	slash = strchr(name, '/');
	if (slash == NULL)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("\"%s\" is not the name of a transaction", name),
				 errhint("Pass what http_transaction() has returned.")));
	incarnation = strtoull(name, NULL, 10);
	xid = strtoull(slash + 1, NULL, 10);

	if (incarnation != ds_incarnation() && ds_incarnation_first_xid() == 0)
		PG_RETURN_TEXT_P(cstring_to_text("in progress"));
	if (is_lost(incarnation, xid))
		PG_RETURN_TEXT_P(cstring_to_text("aborted"));
	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = FullTransactionIdGetDatum(FullTransactionIdFromU64(xid));
	call->args[0].isnull = false;
	status = pg_xact_status(call);
	/* if another transaction has committed under the id, it shows by now */
	if (is_lost(incarnation, xid))
		PG_RETURN_TEXT_P(cstring_to_text("aborted"));
	/* null: the transaction is too old */
	if (call->isnull)
		PG_RETURN_NULL();
	return status;
}

/* Did an earlier incarnation assign the id, and lose it? */
static bool
is_lost(uint64 incarnation, uint64 xid)
{
	return incarnation != ds_incarnation() && xid >= ds_incarnation_first_xid();
}
