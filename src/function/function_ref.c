/*-------------------------------------------------------------------------
 *
 * function_ref.c
 *	  Finds and checks the functions for orchestrators and activities.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "base/errors.h"
#include "function/function_ref.h"
#include "function/function_signature.h"

/* The search for the functions of one name that fit one input. */
typedef struct Search
{
	const char *name;
	const Jsonb *input;
	FuncCandidateList candidates;
	Oid			best;			/* fits with the fewest defaults */
	int			best_defaults;
	bool		tie;			/* another one fits equally well */
	bool		any_suitable;
	Oid			unsuitable;		/* fits, but may not be called */
} Search;

static Oid	find_function(const char *name, const Jsonb *input);
static List *parse_name(const char *name);
static Oid	find(List *names, const char *name, const Jsonb *input);
static Oid	find_whole_input(const Search *search);
static void find_by_keys(Search *search);
pg_noreturn static void error_none_fits(const Search *search);
pg_noreturn static void error_several_fit(const Search *search);
static bool takes_some_input(Oid function);
static bool is_callable(Oid function);
static void append_signature(StringInfo list, Oid function);
static void check_form(const DsSignature *signature, const char *name,
					   DsFunctionUse use);
static void check_strict(const DsSignature *signature, const char *name,
						 const Jsonb *input);
static bool may_execute(Oid function, Oid role);

/* Uses the current search_path. */
static Oid
find_function(const char *name, const Jsonb *input)
{
	return find(parse_name(name), name, input);
}

Oid
ds_function_find_with(const char *search_path, const char *name,
					  const Jsonb *input)
{
	int			guc_level;
	Oid			function;

	if (strcmp(search_path, namespace_search_path) == 0)
		return find_function(name, input);
	guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", search_path, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	function = find_function(name, input);
	AtEOXact_GUC(false, guc_level);
	return function;
}

Oid
ds_function_find_in(const char *schema, const char *name, const Jsonb *input)
{
	List	   *names = parse_name(name);

	return find(list_make2(makeString(pstrdup(schema)), llast(names)), name,
				input);
}

void
ds_function_check(Oid function, const char *name, DsFunctionUse use, Oid role,
				  const Jsonb *input)
{
	const DsSignature *signature = ds_signature_get(function);

	if (signature == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s does not exist", name),
				 errhint("It was just dropped; create it again.")));
	check_form(signature, name, use);
	check_strict(signature, name, input);

	if (!may_execute(function, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function %s", name),
				 errhint("Grant EXECUTE on it to role \"%s\".",
						 GetUserNameFromId(role, false))));
}

char *
ds_function_schema(Oid function)
{
	return get_namespace_name(get_func_namespace(function));
}

void
ds_function_name_parts(const char *name, char **schema, char **bare)
{
	List	   *names = parse_name(name);

	*schema = list_length(names) > 1 ? strVal(linitial(names)) : NULL;
	*bare = strVal(llast(names));
}

char *
ds_function_only_schema(const char *name)
{
	Search		search = {.name = name};
	Oid			schema = InvalidOid;

	search.candidates = FuncnameGetCandidates(parse_name(name), -1, NIL, false,
											  false, false, true);
	for (FuncCandidateList c = search.candidates; c != NULL; c = c->next)
	{
		Oid			other = get_func_namespace(c->oid);

		if (!takes_some_input(c->oid))
			continue;
		if (OidIsValid(schema) && other != schema)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("several schemas have a function %s", name),
					 errhint("Write schema.name.")));
		schema = other;
	}
	if (!OidIsValid(schema))
	{
		const DsSignature *first = search.candidates == NULL ? NULL :
		ds_signature_get(search.candidates->oid);

		if (first != NULL)
			check_form(first, name, DS_USE_ORCHESTRATOR);
		error_none_fits(&search);
	}
	return get_namespace_name(schema);
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
				 errhint("Write name or schema.name, without arguments, with double quotes where SQL requires them.")));
	foreach(cell, parts)
		names = lappend(names, makeString(lfirst(cell)));
	return names;
}

static Oid
find(List *names, const char *name, const Jsonb *input)
{
	Search		search = {.name = name,.input = input};
	Oid			function;

	search.candidates = FuncnameGetCandidates(names, -1, NIL, false, false,
											  false, true);
	function = find_whole_input(&search);
	if (OidIsValid(function))
		return function;

	find_by_keys(&search);
	if (search.tie)
		error_several_fit(&search);
	if (OidIsValid(search.best))
		return search.best;
	/* "may not be called" is a better answer than "does not fit" */
	if (OidIsValid(search.unsuitable))
		return search.unsuitable;
	if (search.candidates != NULL && !search.any_suitable)
		return search.candidates->oid;
	error_none_fits(&search);
}

static Oid
find_whole_input(const Search *search)
{
	for (FuncCandidateList c = search->candidates; c != NULL; c = c->next)
	{
		if (c->nargs == 1 && c->args[0] == JSONBOID)
		{
			const DsSignature *signature = ds_signature_get(c->oid);

			if (signature != NULL && signature->unsuitable == NULL)
				return c->oid;
		}
	}
	return InvalidOid;
}

static void
find_by_keys(Search *search)
{
	search->best_defaults = INT_MAX;
	for (FuncCandidateList c = search->candidates; c != NULL; c = c->next)
	{
		const DsSignature *signature = ds_signature_get(c->oid);
		DsMatch		match;

		if (signature == NULL)
			continue;
		if (signature->unsuitable == NULL)
			search->any_suitable = true;
		if (signature->whole_input)
			continue;
		match = ds_signature_match(signature, search->input);
		if (match.fit != DS_FITS)
			continue;
		if (signature->unsuitable != NULL)
			search->unsuitable = c->oid;
		else if (match.n_defaults < search->best_defaults)
		{
			search->best = c->oid;
			search->best_defaults = match.n_defaults;
			search->tie = false;
		}
		else if (match.n_defaults == search->best_defaults)
			search->tie = true;
	}
}

static void
error_none_fits(const Search *search)
{
	StringInfoData list;
	Oid			only = InvalidOid;
	int			n_callable = 0;

	if (search->candidates == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s does not exist", search->name),
				 errhint("Write the name without arguments. It may need its schema.")));

	for (FuncCandidateList c = search->candidates; c != NULL; c = c->next)
	{
		if (is_callable(c->oid))
		{
			only = c->oid;
			n_callable++;
		}
	}
	if (search->candidates->next == NULL)
		only = search->candidates->oid;
	if (n_callable <= 1 && OidIsValid(only))
	{
		const DsSignature *signature = ds_signature_get(only);

		if (signature != NULL)
		{
			DsMatch		match = ds_signature_match(signature, search->input);

			ds_signature_mismatch(signature, &match, search->name);
		}
	}

	initStringInfo(&list);
	for (FuncCandidateList c = search->candidates; c != NULL; c = c->next)
	{
		if (n_callable == 0 || is_callable(c->oid))
			append_signature(&list, c->oid);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("no function %s fits the input", search->name),
			 errdetail("The functions with this name have the arguments %s.",
					   list.data),
			 errhint("The keys of the input must be the names of the arguments; only arguments with a default may be omitted.")));
}

static bool
takes_some_input(Oid function)
{
	const DsSignature *signature = ds_signature_get(function);

	return signature != NULL && signature->unsuitable == NULL &&
		(signature->whole_input || is_callable(function));
}

/*
 * Checks that some input fits: pg_catalog has many functions with unnamed
 * arguments, which no input fits.
 */
static bool
is_callable(Oid function)
{
	const DsSignature *signature = ds_signature_get(function);

	if (signature == NULL || signature->unsuitable != NULL)
		return false;
	for (int i = 0; i < signature->n_args; i++)
	{
		if (NameStr(signature->args[i].name)[0] == '\0' &&
			signature->args[i].default_value == NULL)
			return false;
	}
	return true;
}

static void
error_several_fit(const Search *search)
{
	StringInfoData list;

	initStringInfo(&list);
	for (FuncCandidateList c = search->candidates; c != NULL; c = c->next)
	{
		const DsSignature *signature = ds_signature_get(c->oid);
		DsMatch		match;

		if (signature == NULL || signature->whole_input ||
			signature->unsuitable != NULL)
			continue;
		match = ds_signature_match(signature, search->input);
		if (match.fit == DS_FITS && match.n_defaults == search->best_defaults)
			append_signature(&list, c->oid);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("several functions %s fit the input", search->name),
			 errdetail("They have the arguments %s.", list.data),
			 errhint("Give the functions different argument names, or name one with its schema.")));
}

static void
append_signature(StringInfo list, Oid function)
{
	appendStringInfo(list, "%s%s", list->len > 0 ? ", " : "",
					 ds_signature_text(function));
}

static void
check_form(const DsSignature *signature, const char *name, DsFunctionUse use)
{
	if (signature->unsuitable != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s cannot be an orchestrator or activity",
						name),
				 errdetail_internal("%s", _(signature->unsuitable)),
				 errhint("Orchestrators and activities are functions and procedures whose arguments and results are of ordinary types.")));
	if (signature->returns_set && use == DS_USE_ORCHESTRATOR)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s cannot be an orchestrator", name),
				 errdetail("It returns a set."),
				 errhint("Call it as an activity; its result is then an array.")));
	if (signature->temporary)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("temporary function %s cannot be an orchestrator or activity",
						name),
				 errhint("It exists only in this session; create it in another schema.")));
}

/* A default that is null is detected only when the function is called. */
static void
check_strict(const DsSignature *signature, const char *name,
			 const Jsonb *input)
{
	DsMatch		match;

	if (!signature->strict)
		return;
	if (signature->whole_input)
	{
		if (input == NULL)
			ds_signature_null(NULL, name);
		return;
	}
	match = ds_signature_match(signature, input);
	if (match.fit == DS_FITS && match.null_arg >= 0)
		ds_signature_null(NameStr(signature->args[match.null_arg].name), name);
}

static bool
may_execute(Oid function, Oid role)
{
	return ds_compat_may_execute(function, role);
}
