/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  All differences between the versions of PostgreSQL, and nothing else.
 *
 * If a newer version only has another name for a function, older ones get that
 * name here.  If the arguments differ, ds_compat_NAME() replaces the function
 * NAME().
 *
 * These are macros, so that this header includes no header of the server: a
 * file that uses one of them includes the declaration of the function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COMPAT_H
#define DS_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "durable_singleton needs PostgreSQL 15 or newer"
#endif

/* Windows, and a server built to test for it: processes inherit no memory. */
#ifdef EXEC_BACKEND
#error "durable_singleton needs a server whose processes are forked: build PostgreSQL without EXEC_BACKEND"
#endif

/*
 * PostgreSQL 16: one function checks the privileges on objects of all classes;
 * an update reports whether only summarizing indexes need a new entry;
 * counters of a database have other names.
 */
#if PG_VERSION_NUM >= 160000
#define ds_compat_may_execute(function, role) \
	(object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) == ACLCHECK_OK)
#define ds_compat_owns_database(database, role) \
	object_ownercheck(DatabaseRelationId, database, role)
#define ds_compat_owns_extension(extension, role) \
	object_ownercheck(ExtensionRelationId, extension, role)
#define DS_COMPAT_UPDATE_INDEXES TU_UpdateIndexes
#define ds_compat_only_summarizing(indexes) ((indexes) == TU_Summarizing)
#define ds_compat_ExecInsertIndexTuples(result, slot, estate, update, no_error, conflict, only_summarizing) \
	ExecInsertIndexTuples(result, slot, estate, update, no_error, conflict, NIL, only_summarizing)
#define ds_compat_n_transactions(entry) ((entry)->xact_commit + (entry)->xact_rollback)
#else
#define ds_compat_may_execute(function, role) \
	(pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK)
#define ds_compat_owns_database(database, role) \
	pg_database_ownercheck(database, role)
#define ds_compat_owns_extension(extension, role) \
	pg_extension_ownercheck(extension, role)
#define DS_COMPAT_UPDATE_INDEXES bool
#define ds_compat_only_summarizing(indexes) false
#define ds_compat_ExecInsertIndexTuples(result, slot, estate, update, no_error, conflict, only_summarizing) \
	ExecInsertIndexTuples(result, slot, estate, update, no_error, conflict, NIL)
#define ds_compat_n_transactions(entry) ((entry)->n_xact_commit + (entry)->n_xact_rollback)
#endif

/*
 * PostgreSQL 17: the search_path is restricted by a setting; a process has its
 * local transaction id in "vxid"; indexes clean up after inserts; a background
 * worker may connect as a role without LOGIN; transaction_timeout is new; wait
 * events of extensions have names.
 *
 * ds_compat_restrict_search_path() returns what the restoring one is given.
 */
#if PG_VERSION_NUM >= 170000
#define ds_compat_restrict_search_path(level) \
	do { \
		(level) = NewGUCNestLevel(); \
		RestrictSearchPath(); \
	} while (0)
#define ds_compat_restore_search_path(level) AtEOXact_GUC(false, level)
#define ds_compat_lxid(proc) ((proc)->vxid.lxid)
#define ds_compat_index_insert_cleanup(index, info) index_insert_cleanup(index, info)
#define DS_COMPAT_WORKER_NEEDS_LOGIN false
#define ds_compat_WaitEventExtensionNew(name) WaitEventExtensionNew(name)
#define DS_COMPAT_HAS_TRANSACTION_TIMEOUT true
#else
#define ds_compat_restrict_search_path(level) \
	do { \
		OverrideSearchPath path_ = {.schemas = NIL,.addCatalog = true,.addTemp = false}; \
		(level) = 0; \
		PushOverrideSearchPath(&path_); \
	} while (0)
#define ds_compat_restore_search_path(level) PopOverrideSearchPath()
#define ds_compat_lxid(proc) ((proc)->lxid)
#define ds_compat_index_insert_cleanup(index, info) ((void) 0)
#define TransamVariables ShmemVariableCache
#define BGWORKER_BYPASS_ROLELOGINCHECK 0
#define DS_COMPAT_WORKER_NEEDS_LOGIN true
#define ds_compat_WaitEventExtensionNew(name) ((void) (name), PG_WAIT_EXTENSION)
#define DS_COMPAT_HAS_TRANSACTION_TIMEOUT false
#endif

/*
 * PostgreSQL 18: functions that do not return are marked before the
 * declaration; a primary key may be deferrable; an index scan may be
 * instrumented; a check for conflicts may exclude the row itself.
 */
#if PG_VERSION_NUM >= 180000
#define ds_compat_RelationGetPrimaryKeyIndex(rel) \
	RelationGetPrimaryKeyIndex(rel, false)
#define ds_compat_index_beginscan(table, index, snapshot, n_keys) \
	index_beginscan(table, index, snapshot, NULL, n_keys, 0)
#define ds_compat_ExecCheckIndexConstraints(result, slot, estate, conflict, itself) \
	ExecCheckIndexConstraints(result, slot, estate, conflict, itself, NIL)
#else
#define ds_compat_RelationGetPrimaryKeyIndex(rel) \
	RelationGetPrimaryKeyIndex(rel)
#define ds_compat_index_beginscan(table, index, snapshot, n_keys) \
	index_beginscan(table, index, snapshot, n_keys, 0)
#define ds_compat_ExecCheckIndexConstraints(result, slot, estate, conflict, itself) \
	ExecCheckIndexConstraints(result, slot, estate, conflict, NIL)
#define pg_noreturn __attribute__((noreturn))
#endif

#endif
