/*-------------------------------------------------------------------------
 *
 * trust.c
 *	  Decides whose code may run as a role.
 *
 * A function that is called by name is checked before the call.  The
 * conversion of its arguments and its result can run more code: CHECK
 * constraints of domains, and casts to json.
 *
 * The casts of a result are known only during the conversion: between a look
 * at the catalog and the conversion, a row type can change and a cast can be
 * created.  Therefore the function manager calls a hook when it looks up a
 * function during a conversion.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "function/function_signature.h"
#include "function/trust.h"
#include "shmem/slot_attach.h"

/*
 * A session keeps some privileges of a superuser, above all SET SESSION
 * AUTHORIZATION, when its role loses SUPERUSER.
 */
static bool connected_as_superuser = false;

/* Set while a result of a function of this owner is converted. */
static bool converting = false;
static Oid	function_owner;
static int	depth;				/* of nested calls of hooked functions */

/*
 * Functions that were called before, indexed by the last bits of their OIDs.
 */
#define N_SEEN	256
static Oid	seen[N_SEEN];
static bool new_function = false;

static needs_fmgr_hook_type previous_needs_hook = NULL;
static fmgr_hook_type previous_hook = NULL;

static void check_owner(Oid function, const char *name, Oid role);
static void check_argument_types(Oid function, const char *name, Oid role);
static void check_type(Oid type, const char *name, Oid role);
static void check_row_type(Oid type, const char *name, Oid role);
static void check_domain(Oid domain, const char *name, Oid role);
static Oid	owner_of_type(Oid type);
static void note(Oid function);
static bool needs_hook(Oid function);
static void hook(FmgrHookEventType event, FmgrInfo *flinfo, Datum *arg);
static bool check_cast(Oid function);
static Oid	owner_of_function(Oid function, bool *in_c);

void
ds_trust_init(void)
{
	previous_needs_hook = needs_fmgr_hook;
	needs_fmgr_hook = needs_hook;
	previous_hook = fmgr_hook;
	fmgr_hook = hook;
}

void
ds_trust_begin(void)
{
	connected_as_superuser =
		strcmp(GetConfigOption("is_superuser", false, false), "on") == 0;
}

void
ds_trust_check(Oid function, const char *name, Oid role)
{
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
	{
		ds_slot_excuse();
		ereport(FATAL,
				(errcode(ERRCODE_ADMIN_SHUTDOWN),
				 errmsg("terminating connection because its role, with OID %u, was dropped",
						role)));
	}
	if (connected_as_superuser && !superuser_arg(role))
	{
		ds_slot_excuse();
		ereport(FATAL,
				(errcode(ERRCODE_ADMIN_SHUTDOWN),
				 errmsg("terminating connection because role \"%s\" is no longer a superuser",
						GetUserNameFromId(GetAuthenticatedUserId(), true))));
	}
	ds_trust_check_function(function, name, role);
}

void
ds_trust_check_function(Oid function, const char *name, Oid role)
{
	if (!superuser_arg(role))
		return;
	check_owner(function, name, role);
	check_argument_types(function, name, role);
}

static void
check_owner(Oid function, const char *name, Oid role)
{
	bool		in_c;
	Oid			owner = owner_of_function(function, &in_c);

	if (OidIsValid(owner) && !superuser_arg(owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("function %s may not run as superuser \"%s\"", name,
						GetUserNameFromId(role, false)),
				 errdetail("It belongs to role \"%s\", which is not a superuser.",
						   GetUserNameFromId(owner, false)),
				 errhint("Start the instance as another role, or make a superuser the owner of the function.")));
}

/* --- arguments --- */

static void
check_argument_types(Oid function, const char *name, Oid role)
{
	const DsSignature *signature = ds_signature_get(function);
	int			n = signature == NULL ? 0 : signature->n_args;
	Oid		   *types = palloc(sizeof(Oid) * Max(n, 1));

	/* a lock below may empty the cache */
	for (int i = 0; i < n; i++)
		types[i] = signature->args[i].type;
	for (int i = 0; i < n; i++)
		check_type(types[i], name, role);
	pfree(types);
}

static void
check_type(Oid type, const char *name, Oid role)
{
	if (!OidIsValid(type) || !ds_trust_type_has_code(type))
		return;
	check_stack_depth();
	switch (get_typtype(type))
	{
		case TYPTYPE_DOMAIN:
			check_domain(type, name, role);
			break;
		case TYPTYPE_COMPOSITE:
			check_row_type(type, name, role);
			break;
		case TYPTYPE_RANGE:
			check_type(get_range_subtype(type), name, role);
			break;
		case TYPTYPE_MULTIRANGE:
			check_type(get_multirange_range(type), name, role);
			break;
		default:
			check_type(get_element_type(type), name, role);
			break;
	}
}

/*
 * The lock prevents columns of other types until the end of the transaction.
 */
static void
check_row_type(Oid type, const char *name, Oid role)
{
	Oid			relation = get_typ_typrelid(type);
	TupleDesc	row;

	if (OidIsValid(relation))
		LockRelationOid(relation, AccessShareLock);
	row = lookup_rowtype_tupdesc_copy(type, -1);
	for (int i = 0; i < row->natts; i++)
	{
		if (!TupleDescAttr(row, i)->attisdropped)
			check_type(TupleDescAttr(row, i)->atttypid, name, role);
	}
	FreeTupleDesc(row);
}

/* The owner of a domain may add a CHECK constraint at any time. */
static void
check_domain(Oid domain, const char *name, Oid role)
{
	Oid			owner = owner_of_type(domain);
	HeapTuple	tuple;
	Oid			base;

	if (!superuser_arg(owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("function %s may not run as superuser \"%s\"", name,
						GetUserNameFromId(role, false)),
				 errdetail("Its input has domain %s of role \"%s\", which is not a superuser but could run any code in a CHECK constraint.",
						   format_type_be(domain),
						   GetUserNameFromId(owner, false)),
				 errhint("Declare the argument with the base type of the domain, or make a superuser the owner of the domain.")));
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", domain);
	base = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
	ReleaseSysCache(tuple);
	check_type(base, name, role);
}

static Oid
owner_of_type(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* --- results --- */

bool
ds_trust_type_has_code(Oid type)
{
	return type >= FirstNormalObjectId || type == RECORDOID;
}

void
ds_trust_begin_conversion(Oid function)
{
	bool		in_c;

	function_owner = owner_of_function(function, &in_c);
	depth = 0;
	converting = true;
}

bool
ds_trust_take_new_function(void)
{
	bool		result = new_function;

	new_function = false;
	return result;
}

static void
note(Oid function)
{
	Oid		   *place = &seen[function % N_SEEN];

	if (*place != function)
		new_function = true;
	*place = function;
}

void
ds_trust_end_conversion(void)
{
	converting = false;
}

/*
 * The function manager is about to look up a function in order to call it. A
 * function that passes the check may itself call any function: hook() is
 * notified when it begins and ends.
 */
static bool
needs_hook(Oid function)
{
	note(function);
	if (converting && depth == 0 && check_cast(function))
		return true;
	return previous_needs_hook != NULL && previous_needs_hook(function);
}

/*
 * Also called for functions with SET and SECURITY DEFINER, without a request.
 */
static void
hook(FmgrHookEventType event, FmgrInfo *flinfo, Datum *arg)
{
	if (event == FHET_START)
		note(flinfo->fn_oid);
	if (converting)
	{
		if (event != FHET_START)
			depth--;
		else if (depth++ == 0)
			(void) check_cast(flinfo->fn_oid);
	}
	if (previous_hook != NULL)
		previous_hook(event, flinfo, arg);
}

/*
 * Returns false for functions in C, such as the output functions of types:
 * only superusers can create those.
 */
static bool
check_cast(Oid function)
{
	Oid			role = GetAuthenticatedUserId();
	bool		in_c;
	Oid			owner = owner_of_function(function, &in_c);

	if (in_c)
		return false;
	if (superuser_arg(owner) || owner == role)
		return true;
	if (!superuser_arg(role) &&
		(owner == function_owner || has_privs_of_role(owner, role)))
		return true;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("cast function %s may not run as role \"%s\"",
					format_procedure(function), GetUserNameFromId(role, false)),
			 errdetail("It converts a part of the result to json, and belongs to role \"%s\".",
					   GetUserNameFromId(owner, false)),
			 errhint("Convert such values in the function itself, for instance to text.")));
}

/* InvalidOid if the function no longer exists. */
static Oid
owner_of_function(Oid function, bool *in_c)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner = InvalidOid;

	*in_c = false;
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);

		owner = proc->proowner;
		*in_c = proc->prolang == INTERNALlanguageId ||
			proc->prolang == ClanguageId;
		ReleaseSysCache(tuple);
	}
	return owner;
}
