/*-------------------------------------------------------------------------
 *
 * utility_hook.c
 *	  Utility commands that concern the workers.
 *
 *	COMMIT PREPARED		 runs no commit callback for the prepared transaction,
 *						 so the database is searched for work instead; its
 *						 counts have been kept under its name
 *	DROP DATABASE, CREATE DATABASE (of its template), ALTER DATABASE RENAME
 *	and SET TABLESPACE	 do not signal background workers and would fail
 *						 while one is connected, so they are sent away
 *	DROP EXTENSION		 would wait for a step that has sent an event or
 *						 started an instance; so here, too, and once more
 *						 at commit
 *	SET TRANSACTION		 as the first statement of an activity, which was
 *						 called with a snapshot already
 *	ALTER EXTENSION		 may create tables that the library knows, or does
 *						 not know
 *	ALTER DATABASE		 may switch durable_singleton.enabled, or allow
 *						 connections again
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/wait_event.h"
#include "commit/commit_counts.h"
#include "commit/commit_hints.h"
#include "function/isolation.h"
#include "shmem/claim.h"
#include "shmem/eviction.h"
#include "shmem/hints.h"
#include "shmem/waiter.h"
#include "store/catalog.h"
#include "store/store.h"
#include "worker/utility_hook.h"

/*
 * How long to wait for the workers to exit; the command itself waits longer.
 */
#define EVICTION_MS		5000
#define EVICTION_LOOK_MS	10

static ProcessUtility_hook_type prev_process_utility = NULL;

static void process_utility(PlannedStmt *pstmt, const char *query_string,
							bool read_only_tree, ProcessUtilityContext context,
							ParamListInfo params, QueryEnvironment *query_env,
							DestReceiver *dest, QueryCompletion *qc);
static pg_noinline Oid database_to_empty(Node *statement);
static bool is_database_owner(Oid database);
static bool may_copy(Oid database);
static void empty_database(Oid database);
static void reopen_after_error(int code, Datum database);
static Node *copy_for_later(Node *statement);
static void after_command(Node *statement);
static void visit_at_commit(const char *dbname);
static void after_transaction_command(TransactionStmt *statement);
static void after_commit_prepared(void);
static bool owns_extension(void);
static bool drops_extension(DropStmt *statement);

void
ds_utility_hook_init(void)
{
	prev_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}

static void
process_utility(PlannedStmt *pstmt, const char *query_string,
				bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *query_env,
				DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *statement = pstmt->utilityStmt;
	Node	   *later = copy_for_later(statement);
	bool		drop_extension = IsA(statement, DropStmt) &&
	drops_extension((DropStmt *) statement);
	Oid			closed = drop_extension ? MyDatabaseId :
	database_to_empty(statement);
	ProcessUtility_hook_type next =
	prev_process_utility ? prev_process_utility : standard_ProcessUtility;

	if (ds_isolation_may_change(statement, dest->mydest))
	{
		/* as if no snapshot had been taken: the next one has the new level */
		FirstSnapshotSet = false;
		PG_TRY();
		{
			next(pstmt, query_string, read_only_tree, context, params,
				 query_env, dest, qc);
		}
		PG_CATCH();
		{
			FirstSnapshotSet = true;
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
	else if (!OidIsValid(closed))
		next(pstmt, query_string, read_only_tree, context, params, query_env,
			 dest, qc);
	else
	{
		PG_ENSURE_ERROR_CLEANUP(reopen_after_error, ObjectIdGetDatum(closed));
		{
			empty_database(closed);
			next(pstmt, query_string, read_only_tree, context, params,
				 query_env, dest, qc);
		}
		PG_END_ENSURE_ERROR_CLEANUP(reopen_after_error,
									ObjectIdGetDatum(closed));
		ds_eviction_reopen(closed);
		/* it was renamed, dropped, or copied */
		ds_commit_hint_visit(InvalidOid);
	}
	if (drop_extension)
		ds_commit_hint_evict();
	if (later != NULL)
		after_command(later);
}

/*
 * The database that the command needs for itself, if the user may run it at
 * all: other users must not be able to disturb the workers.
 */
static pg_noinline Oid
database_to_empty(Node *statement)
{
	Oid			database = InvalidOid;

	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			database = get_database_oid(((DropdbStmt *) statement)->dbname, true);
			break;
		case T_RenameStmt:
			if (((RenameStmt *) statement)->renameType == OBJECT_DATABASE)
				database = get_database_oid(((RenameStmt *) statement)->subname,
											true);
			break;
		case T_AlterDatabaseStmt:
			{
				AlterDatabaseStmt *alter = (AlterDatabaseStmt *) statement;
				ListCell   *cell;

				foreach(cell, alter->options)
				{
					if (strcmp(lfirst_node(DefElem, cell)->defname, "tablespace") == 0)
						database = get_database_oid(alter->dbname, true);
				}
				break;
			}
		case T_CreatedbStmt:
			{
				const char *template = "template1";
				ListCell   *cell;

				foreach(cell, ((CreatedbStmt *) statement)->options)
				{
					DefElem    *option = lfirst_node(DefElem, cell);

					if (strcmp(option->defname, "template") == 0 && option->arg)
						template = defGetString(option);
				}
				database = get_database_oid(template, true);
				return OidIsValid(database) && may_copy(database) ?
					database : InvalidOid;
			}
		default:
			return InvalidOid;
	}
	return OidIsValid(database) && is_database_owner(database) ?
		database : InvalidOid;
}

static bool
is_database_owner(Oid database)
{
	return ds_compat_owns_database(database, GetUserId());
}

static bool
may_copy(Oid database)
{
	HeapTuple	tuple;
	bool		may_create = superuser();
	bool		is_template = false;

	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));
	if (HeapTupleIsValid(tuple))
	{
		may_create |= ((Form_pg_authid) GETSTRUCT(tuple))->rolcreatedb;
		ReleaseSysCache(tuple);
	}
	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
	if (HeapTupleIsValid(tuple))
	{
		is_template = ((Form_pg_database) GETSTRUCT(tuple))->datistemplate;
		ReleaseSysCache(tuple);
	}
	return may_create && (is_template || is_database_owner(database));
}

/* Also runs if the process is terminated in the middle of the command. */
static void
reopen_after_error(int code, Datum database)
{
	ds_eviction_reopen(DatumGetObjectId(database));
	ds_hint_visit(DatumGetObjectId(database));
}

static void
empty_database(Oid database)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													   EVICTION_MS);

	ds_eviction_close(database);
	while (!ds_eviction_is_done(database) && GetCurrentTimestamp() < deadline)
	{
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 EVICTION_LOOK_MS, ds_wait_event(DS_WAIT_EVICTION));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
visit_at_commit(const char *dbname)
{
	Oid			database = get_database_oid(dbname, true);

	if (OidIsValid(database))
		ds_commit_hint_visit(database);
}

/*
 * The statement, for after_command(), or NULL if there will be nothing to do.
 * A command may free its own statement: CALL runs a plan that the ROLLBACK of
 * its procedure drops.
 */
static Node *
copy_for_later(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_TransactionStmt:
			switch (((TransactionStmt *) statement)->kind)
			{
				case TRANS_STMT_PREPARE:
				case TRANS_STMT_COMMIT_PREPARED:
				case TRANS_STMT_ROLLBACK_PREPARED:
					return copyObject(statement);
				default:
					return NULL;
			}
		case T_CreatedbStmt:
		case T_DropRoleStmt:
		case T_AlterExtensionStmt:
		case T_AlterDatabaseSetStmt:
		case T_AlterDatabaseStmt:
			return copyObject(statement);
		default:
			return NULL;
	}
}

static void
after_command(Node *statement)
{
	if (IsA(statement, TransactionStmt))
		after_transaction_command((TransactionStmt *) statement);
	else if (IsA(statement, CreatedbStmt) || IsA(statement, DropRoleStmt))
		ds_commit_hint_visit(InvalidOid);
	else if (IsA(statement, AlterExtensionStmt) &&
			 strcmp(((AlterExtensionStmt *) statement)->extname,
					DS_EXTENSION_NAME) == 0)
		ds_commit_hint_visit(MyDatabaseId);
	else if (IsA(statement, AlterDatabaseSetStmt))
		visit_at_commit(((AlterDatabaseSetStmt *) statement)->dbname);
	else if (IsA(statement, AlterDatabaseStmt))
		visit_at_commit(((AlterDatabaseStmt *) statement)->dbname);
}

static void
after_transaction_command(TransactionStmt *statement)
{
	switch (statement->kind)
	{
		case TRANS_STMT_PREPARE:
			ds_commit_counts_prepare_as(statement->gid);
			break;
		case TRANS_STMT_COMMIT_PREPARED:
			ds_commit_counts_finish_prepared(statement->gid, true);
			after_commit_prepared();
			break;
		case TRANS_STMT_ROLLBACK_PREPARED:
			ds_commit_counts_finish_prepared(statement->gid, false);
			break;
		default:
			break;
	}
}

/*
 * It may have started, signaled and ended any instance: search for work, wake
 * waiting sessions, and interrupt the steps of ended executions.  It has
 * committed, so nothing may fail here, or wait for a session with an exclusive
 * lock on the table: a step that is not interrupted is undone at its end.
 */
static void
after_commit_prepared(void)
{
	DsExecuting *steps;
	int			n;

	if (!ds_commit_hint_has_prepared() || ds_catalog(true) == NULL)
		return;

	ds_hint_rescan_database(MyDatabaseId);
	ds_waiter_wake_all(MyDatabaseId);
	n = ds_claim_executing_steps(MyDatabaseId, &steps);
	if (n == 0 ||
		!ConditionalLockRelationOid(ds_catalog(true)->table[DS_INSTANCE],
									AccessShareLock))
		return;
	HOLD_INTERRUPTS();
	for (int i = 0; i < n; i++)
	{
		DsInstance *inst = ds_store_load(steps[i].instance_id);

		if (inst == NULL || !ds_status_is_active(inst->status) ||
			memcmp(&inst->execution_id, &steps[i].execution_id,
				   sizeof(pg_uuid_t)) != 0)
			ds_claim_cancel_step(MyDatabaseId, steps[i].instance_id,
								 &steps[i].execution_id);
	}
	RESUME_INTERRUPTS();
}

static bool
owns_extension(void)
{
	const DsCatalog *catalog = ds_catalog(true);

	if (catalog == NULL)
		return false;
	return ds_compat_owns_extension(catalog->extension, GetUserId());
}

/*
 * Only an extension that the user owns: for others the command is refused
 * anyway.
 */
static bool
drops_extension(DropStmt *statement)
{
	ListCell   *cell;

	if (statement->removeType != OBJECT_EXTENSION)
		return false;
	foreach(cell, statement->objects)
	{
		if (strcmp(strVal(lfirst(cell)), DS_EXTENSION_NAME) == 0)
			return owns_extension();
	}
	return false;
}
