/*-------------------------------------------------------------------------
 *
 * isolation.c
 *	  Sets the isolation level of a transaction that runs user code.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "utils/snapmgr.h"

#include "function/function_signature.h"
#include "function/isolation.h"
#include "store/table.h"

static ExecutorStart_hook_type prev_executor_start = NULL;

/* User code was called, and has not run a query yet. */
static bool is_fresh = false;

static void executor_start(QueryDesc *query, int flags);

void
ds_isolation_init(void)
{
	prev_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
}

static void
executor_start(QueryDesc *query, int flags)
{
	is_fresh = false;
	if (prev_executor_start != NULL)
		prev_executor_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

void
ds_isolation_set(Oid function)
{
	const DsSignature *signature = ds_signature_get(function);

	Assert(!FirstSnapshotSet);
	XactIsoLevel = signature != NULL && signature->isolation >= 0 ?
		signature->isolation : DefaultXactIsoLevel;
}

bool
ds_isolation_is_strict(void)
{
	return DefaultXactIsoLevel > XACT_READ_COMMITTED;
}

void
ds_isolation_set_default(void)
{
	Assert(!FirstSnapshotSet);
	XactIsoLevel = DefaultXactIsoLevel;
}

void
ds_isolation_begin(void)
{
	is_fresh = true;
}

void
ds_isolation_end(int level)
{
	is_fresh = false;
	XactIsoLevel = level;
	ds_table_follow_latest(true);
}

void
ds_isolation_error(void)
{
	is_fresh = false;
}

/*
 * A transaction that already has the snapshot of its level cannot get another
 * one.  A function in SQL keeps its snapshot from one statement to the next;
 * only code that runs statements through SPI takes a new one for each.
 */
bool
ds_isolation_may_change(const Node *statement, CommandDest dest)
{
	const VariableSetStmt *set = (const VariableSetStmt *) statement;
	bool		first = is_fresh;

	if (!first)
		return false;
	if (!IsA(statement, VariableSetStmt))
	{
		is_fresh = false;
		return false;
	}
	return dest == DestSPI && !IsolationUsesXactSnapshot() &&
		!IsSubTransaction() &&
		((set->kind == VAR_SET_MULTI && strcmp(set->name, "TRANSACTION") == 0) ||
		 (set->kind == VAR_SET_VALUE &&
		  strcmp(set->name, "transaction_isolation") == 0));
}
