/*-------------------------------------------------------------------------
 *
 * http_outcome.c
 *	  What became of a transaction whose client was cut off in its COMMIT.
 *
 * pg_xact_status() alone does not know after a crash: a transaction that lost
 * all its WAL with it has left its id to be assigned once more, and that of
 * somebody else's who commits would be told.  So a transaction is named by
 * its id and the incarnation of the server that it ran in.  One of an earlier
 * incarnation whose id was still to be assigned at the begin of this one has
 * come to nothing.
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

/* http_fate(transaction): as pg_xact_status() */
PGDLLEXPORT Datum
ds_http_fate(PG_FUNCTION_ARGS)
{
	char	   *name;
	char	   *slash;
	uint64		incarnation;
	uint64		xid;
	uint64		first;
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

	if (incarnation != ds_incarnation())
	{
		first = ds_incarnation_first_xid();
		if (first == 0)
			PG_RETURN_TEXT_P(cstring_to_text("in progress"));
		if (xid >= first)
			PG_RETURN_TEXT_P(cstring_to_text("aborted"));
	}
	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = FullTransactionIdGetDatum(FullTransactionIdFromU64(xid));
	call->args[0].isnull = false;
	status = pg_xact_status(call);
	/* null: too long ago */
	if (call->isnull)
		PG_RETURN_NULL();
	return status;
}
