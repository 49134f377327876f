/*
 * Functions that end the server process in which they are called, in the ways
 * in which real ones do.
 */
#include "postgres.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(poison_raise);
PG_FUNCTION_INFO_V1(poison_exit);
PG_FUNCTION_INFO_V1(poison_fatal);

/* poison_raise(signal int): as a wild pointer, an assertion, the OOM killer */
Datum
poison_raise(PG_FUNCTION_ARGS)
{
	kill(getpid(), PG_GETARG_INT32(0));
	PG_RETURN_VOID();
}

/* poison_exit(status int): as a library that takes itself for the program */
Datum
poison_exit(PG_FUNCTION_ARGS)
{
	exit(PG_GETARG_INT32(0));
}

/* poison_fatal(): ends the session in order */
Datum
poison_fatal(PG_FUNCTION_ARGS)
{
	ereport(FATAL,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("the poison works")));
	PG_RETURN_VOID();
}
