/*-------------------------------------------------------------------------
 *
 * function_ref.c
 *	  Which functions may be orchestrators and activities.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "errors.h"
#include "function_ref.h"

static List *parse_name(const char *name);
static Oid	lookup(List *names);
static void check_form(const Form_pg_proc proc, const char *name,
					   bool null_input);
static bool may_execute(Oid function, Oid role);

Oid
ds_function_lookup(const char *name)
{
	return lookup(parse_name(name));
}

Oid
ds_function_lookup_with(const char *search_path, const char *name)
{
	int			guc_level;
	Oid			function;

	if (strcmp(search_path, namespace_search_path) == 0)
		return ds_function_lookup(name);
	guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", search_path, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	function = ds_function_lookup(name);
	AtEOXact_GUC(false, guc_level);
	return function;
}

Oid
ds_function_lookup_in(const char *schema, const char *name)
{
	List	   *names = parse_name(name);

	return lookup(list_make2(makeString(pstrdup(schema)), llast(names)));
}

void
ds_function_check(Oid function, const char *name, Oid role, bool null_input)
{
	HeapTuple	tuple;

	tuple = OidIsValid(function) ?
		SearchSysCache1(PROCOID, ObjectIdGetDatum(function)) : NULL;
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s(jsonb) does not exist", name),
				 errhint("Orchestrators and activities are functions with one argument of type jsonb that return jsonb or void. The name may need its schema.")));
	check_form((Form_pg_proc) GETSTRUCT(tuple), name, null_input);
	ReleaseSysCache(tuple);

	if (!may_execute(function, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function %s", name),
				 errhint("Grant EXECUTE on it to role \"%s\".",
						 GetUserNameFromId(role, false))));
}

void
ds_function_check_trust(Oid function, const char *name, Oid role)
{
	HeapTuple	tuple;
	Oid			owner;

	if (!superuser_arg(role))
		return;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return;
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	if (!superuser_arg(owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("function %s may not run as superuser \"%s\"", name,
						GetUserNameFromId(role, false)),
				 errdetail("It belongs to role \"%s\", which is not a superuser.",
						   GetUserNameFromId(owner, false)),
				 errhint("Start the instance as another role, or make a superuser the owner of the function.")));
}

char *
ds_function_schema(Oid function)
{
	return get_namespace_name(get_func_namespace(function));
}

Jsonb *
ds_function_call(Oid function, Jsonb *input, MemoryContext scratch)
{
	MemoryContext caller = MemoryContextSwitchTo(scratch);

	LOCAL_FCINFO(fcinfo, 1);
	FmgrInfo	flinfo;
	PgStat_FunctionCallUsage usage;
	Datum		result;
	Jsonb	   *copy = NULL;

	fmgr_info_cxt(function, &flinfo, scratch);
	InitFunctionCallInfoData(*fcinfo, &flinfo, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = PointerGetDatum(input);
	fcinfo->args[0].isnull = input == NULL;
	pgstat_init_function_usage(fcinfo, &usage);
	result = FunctionCallInvoke(fcinfo);
	pgstat_end_function_usage(&usage, true);
	MemoryContextSwitchTo(caller);
	if (!fcinfo->isnull && get_func_rettype(function) == JSONBOID)
		copy = DatumGetJsonbPCopy(result);
	return copy;
}

static List *
parse_name(const char *name)
{
	List	   *parts;
	List	   *names = NIL;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) ||
		parts == NIL || list_length(parts) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid function name \"%s\"", name),
				 errhint("Write name or schema.name, without arguments, in double quotes where SQL wants them.")));
	foreach(cell, parts)
		names = lappend(names, makeString(lfirst(cell)));
	return names;
}

static Oid
lookup(List *names)
{
	Oid			argument = JSONBOID;

	return LookupFuncName(names, 1, &argument, true);
}

static void
check_form(const Form_pg_proc proc, const char *name, bool null_input)
{
	const char *unsuitable = NULL;

	if (proc->prokind == PROKIND_PROCEDURE)
		unsuitable = "It is a procedure.";
	else if (proc->prokind == PROKIND_AGGREGATE)
		unsuitable = "It is an aggregate function.";
	else if (proc->prokind == PROKIND_WINDOW)
		unsuitable = "It is a window function.";
	else if (proc->proretset)
		unsuitable = "It returns a set.";
	else if (proc->prorettype != JSONBOID && proc->prorettype != VOIDOID)
		unsuitable = "It returns neither jsonb nor void.";
	else if (OidIsValid(proc->provariadic))
		unsuitable = "It is variadic.";
	if (unsuitable != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s(jsonb) cannot be an orchestrator or activity",
						name),
				 errdetail_internal("%s", unsuitable),
				 errhint("Orchestrators and activities are functions with one argument of type jsonb that return jsonb or void.")));

	if (isAnyTempNamespace(proc->pronamespace))
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("temporary function %s cannot be an orchestrator or activity",
						name),
				 errhint("It ends with this session: create it in another schema.")));
	if (proc->proisstrict && null_input)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("function %s is STRICT and its input is null", name),
				 errhint("It would never be called: pass an input, or declare it CALLED ON NULL INPUT.")));
}

static bool
may_execute(Oid function, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, role,
						   ACL_EXECUTE) == ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK;
#endif
}
