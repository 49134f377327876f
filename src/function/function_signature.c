/*-------------------------------------------------------------------------
 *
 * function_signature.c
 *	  The arguments of a function, and whether an input fits them.
 *
 * Signatures are cached for the session.  Any change of a function or a type
 * empties the cache at its next use, because the callback may come at any
 * time, even while a signature is in use.  So the cache never has more entries
 * than there are functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "base/errors.h"
#include "function/function_signature.h"

bool		ds_signature_any_fresh_worker = false;

static HTAB *cache = NULL;
static bool cache_is_stale = false;

static void open_cache(void);
static void empty_cache(void);
static void note_change(Datum arg, int cache_id, uint32 hash_value);
static DsSignature *build(Oid function);
static char *setting_of(HeapTuple tuple, const char *name);
static bool wants_fresh_worker(HeapTuple tuple);
static void build_arguments(DsSignature *s, HeapTuple tuple);
static List *default_values(HeapTuple tuple);
static int	isolation_of(HeapTuple tuple);
static const char *why_unsuitable(const DsSignature *s, HeapTuple tuple);
static bool is_result_type(Oid type);
static int	detail_arguments(const DsSignature *s);
static int	find_argument(const DsSignature *s, const JsonbValue *key);

DsSignature *
ds_signature_get(Oid function)
{
	DsSignature *s;

	if (cache == NULL)
		open_cache();
	if (cache_is_stale)
		empty_cache();
	s = hash_search(cache, &function, HASH_FIND, NULL);
	return s != NULL ? s : build(function);
}

DsMatch
ds_signature_match(const DsSignature *s, const Jsonb *input)
{
	DsMatch		m = {.fit = DS_FITS,.null_arg = -1};

	Assert(!s->whole_input);
	if (input != NULL)
	{
		JsonbIterator *it;
		JsonbValue	key;
		JsonbValue	value;

		if (!JB_ROOT_IS_OBJECT(input))
		{
			m.fit = DS_NOT_AN_OBJECT;
			return m;
		}
		it = JsonbIteratorInit(unconstify(JsonbContainer *, &input->root));
		(void) JsonbIteratorNext(&it, &key, true);
		while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
		{
			int			arg = find_argument(s, &key);

			(void) JsonbIteratorNext(&it, &value, true);
			if (arg < 0)
			{
				m.fit = DS_UNKNOWN_KEY;
				m.key = pnstrdup(key.val.string.val, key.val.string.len);
				return m;
			}
			m.given[arg] = true;
			m.n_given++;
			if (value.type == jbvNull && m.null_arg < 0)
				m.null_arg = arg;
		}
	}
	for (int i = 0; i < s->n_args; i++)
	{
		if (m.given[i])
			continue;
		if (s->args[i].default_value == NULL)
		{
			m.fit = DS_MISSING_KEY;
			m.missing_arg = i;
			return m;
		}
		m.n_defaults++;
	}
	return m;
}

void
ds_signature_mismatch(const DsSignature *s, const DsMatch *m, const char *name)
{
	const char *missing = NameStr(s->args[m->missing_arg].name);

	switch (m->fit)
	{
		case DS_FITS:
			break;
		case DS_NOT_AN_OBJECT:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("the input of function %s must be an object", name),
					 detail_arguments(s),
					 errhint("Each argument gets the value of the key with its name.")));
		case DS_UNKNOWN_KEY:
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("function %s has no argument \"%s\"", name, m->key),
					 detail_arguments(s),
					 errhint("The keys of the input must be names of input arguments, in the same case.")));
		case DS_MISSING_KEY:
			if (missing[0] == '\0')
				ereport(ERROR,
						(errcode(ERRCODE_UNDEFINED_FUNCTION),
						 errmsg("argument %d of function %s has no name",
								m->missing_arg + 1, name),
						 detail_arguments(s),
						 errhint("Name the argument; it gets the value of the key with this name.")));
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("the input has no key \"%s\" for the argument of function %s",
							missing, name),
					 detail_arguments(s),
					 errhint("Only arguments with a default may be omitted.")));
	}
	elog(ERROR, "unexpected fit %d", (int) m->fit);
}

static int
detail_arguments(const DsSignature *s)
{
	if (s->n_args == 0)
		return errdetail("The function has no input arguments.");
	return errdetail("The arguments of the function are %s.",
					 ds_signature_text(s->function));
}

void
ds_signature_null(const char *argument, const char *name)
{
	if (argument == NULL)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("function %s is STRICT and its input is null", name),
				 errhint("It would never be called: pass an input, or declare it CALLED ON NULL INPUT.")));
	ereport(ERROR,
			(errcode(DS_ERRCODE_BAD_ARGUMENT),
			 errmsg("function %s is STRICT and its argument \"%s\" is null",
					name, argument),
			 errhint("It would never be called: pass a value, or declare it CALLED ON NULL INPUT.")));
}

char *
ds_signature_text(Oid function)
{
	Datum		arguments = DirectFunctionCall1(pg_get_function_arguments,
												ObjectIdGetDatum(function));

	return psprintf("(%s)", TextDatumGetCString(arguments));
}

TupleDesc
ds_signature_row(DsSignature *s)
{
	if (s->row_typmod < 0)
	{
		TupleDesc	row = CreateTemplateTupleDesc(s->n_args);

		for (int i = 0; i < s->n_args; i++)
			TupleDescInitEntry(row, i + 1, NameStr(s->args[i].name),
							   s->args[i].type, -1, 0);
		s->row_typmod = BlessTupleDesc(row)->tdtypmod;
	}
	return lookup_rowtype_tupdesc(RECORDOID, s->row_typmod);
}

/* --- the cache --- */

static void
open_cache(void)
{
	HASHCTL		ctl = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(DsSignature),
		.hcxt = CacheMemoryContext,
	};

	cache = hash_create("durable_singleton functions", 64, &ctl,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterSyscacheCallback(PROCOID, note_change, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, note_change, (Datum) 0);
}

static void
empty_cache(void)
{
	HASH_SEQ_STATUS entries;
	DsSignature *s;

	hash_seq_init(&entries, cache);
	while ((s = hash_seq_search(&entries)) != NULL)
	{
		MemoryContext cxt = s->cxt;

		hash_search(cache, &s->function, HASH_REMOVE, NULL);
		MemoryContextDelete(cxt);
	}
	cache_is_stale = false;
}

static void
note_change(Datum arg, int cache_id, uint32 hash_value)
{
	cache_is_stale = true;
}

/*
 * No user code runs here, not even to plan the defaults, because it was not
 * decided yet whether the function may run at all.
 */
static DsSignature *
build(Oid function)
{
	MemoryContext caller = CurrentMemoryContext;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;
	DsSignature built = {.function = function,.row_typmod = -1};
	DsSignature *s;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	built.cxt = AllocSetContextCreate(caller, "durable_singleton function",
									  ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(built.cxt);
	built.kind = proc->prokind;
	built.strict = proc->proisstrict;
	built.variadic = OidIsValid(proc->provariadic);
	built.returns_set = proc->proretset;
	built.temporary = isAnyTempNamespace(proc->pronamespace);
	built.result_type = proc->prorettype;
	built.fresh_worker = wants_fresh_worker(tuple);
	ds_signature_any_fresh_worker |= built.fresh_worker;
	build_arguments(&built, tuple);
	built.whole_input = built.n_args == 1 && built.args[0].type == JSONBOID;
	built.isolation = isolation_of(tuple);
	built.unsuitable = why_unsuitable(&built, tuple);
	MemoryContextSwitchTo(caller);
	ReleaseSysCache(tuple);

	s = hash_search(cache, &function, HASH_ENTER, NULL);
	*s = built;
	MemoryContextSetParent(s->cxt, CacheMemoryContext);
	return s;
}

/* The value of a setting from ALTER FUNCTION ... SET, or NULL. */
static char *
setting_of(HeapTuple tuple, const char *name)
{
	bool		isnull;
	Datum		config = SysCacheGetAttr(PROCOID, tuple,
										 Anum_pg_proc_proconfig, &isnull);
	Size		length = strlen(name);
	Datum	   *entries;
	int			n;

	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(config), TEXTOID, -1, false,
					  TYPALIGN_INT, &entries, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *entry = TextDatumGetCString(entries[i]);

		if (strncmp(entry, name, length) == 0 && entry[length] == '=')
			return entry + length + 1;
	}
	return NULL;
}

static bool
wants_fresh_worker(HeapTuple tuple)
{
	const char *value = setting_of(tuple, "durable_singleton.fresh_worker");
	bool		wanted;

	return value != NULL && parse_bool(value, &wanted) && wanted;
}

static void
build_arguments(DsSignature *s, HeapTuple tuple)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	List	   *defaults = default_values(tuple);
	int			first_default = proc->pronargs - list_length(defaults);
	Oid		   *types;
	char	  **names;
	char	   *modes;
	int			n_all = get_func_arg_info(tuple, &types, &names, &modes);

	s->args = palloc0(sizeof(DsArgument) * Max(proc->pronargs, 1));
	for (int i = 0; i < n_all; i++)
	{
		DsArgument *arg = &s->args[s->n_args];

		if (modes != NULL && modes[i] != PROARGMODE_IN &&
			modes[i] != PROARGMODE_INOUT && modes[i] != PROARGMODE_VARIADIC)
			continue;
		Assert(s->n_args < proc->pronargs);
		arg->type = types[i];
		if (names != NULL)
			namestrcpy(&arg->name, names[i]);
		if (s->n_args >= first_default)
			arg->default_value = list_nth(defaults, s->n_args - first_default);
		s->n_args++;
	}
	Assert(s->n_args == proc->pronargs);
}

/* The defaults, which belong to the last input arguments. */
static List *
default_values(HeapTuple tuple)
{
	bool		isnull;
	Datum		value = SysCacheGetAttr(PROCOID, tuple,
										Anum_pg_proc_proargdefaults, &isnull);

	if (isnull)
		return NIL;
	return castNode(List, stringToNode(TextDatumGetCString(value)));
}

/* The level from ALTER FUNCTION ... SET, or -1. */
static int
isolation_of(HeapTuple tuple)
{
	static const struct
	{
		const char *name;
		int			level;
	}			levels[] = {
		{"serializable", XACT_SERIALIZABLE},
		{"repeatable read", XACT_REPEATABLE_READ},
		{"read committed", XACT_READ_COMMITTED},
		{"read uncommitted", XACT_READ_UNCOMMITTED},
	};
	const char *value = setting_of(tuple, "default_transaction_isolation");

	for (int i = 0; value != NULL && i < lengthof(levels); i++)
	{
		if (pg_strcasecmp(value, levels[i].name) == 0)
			return levels[i].level;
	}
	return -1;
}

static const char *
why_unsuitable(const DsSignature *s, HeapTuple tuple)
{
	if (s->kind == PROKIND_AGGREGATE)
		return gettext_noop("It is an aggregate function.");
	if (s->kind == PROKIND_WINDOW)
		return gettext_noop("It is a window function.");
	for (int i = 0; i < s->n_args; i++)
	{
		if (IsPolymorphicType(s->args[i].type))
			return gettext_noop("It has a polymorphic argument.");
		if (get_typtype(s->args[i].type) == TYPTYPE_PSEUDO)
			return gettext_noop("It has an argument of a pseudo-type.");
	}
	if (!is_result_type(s->result_type))
		return gettext_noop("It returns a pseudo-type.");
	if (s->returns_set && s->result_type == RECORDOID &&
		heap_attisnull(tuple, Anum_pg_proc_proallargtypes, NULL))
		return gettext_noop("It returns a set of records whose columns are not known.");
	return NULL;
}

static bool
is_result_type(Oid type)
{
	return type == VOIDOID || type == RECORDOID ||
		get_typtype(type) != TYPTYPE_PSEUDO;
}

/* -1 if no argument has that name. */
static int
find_argument(const DsSignature *s, const JsonbValue *key)
{
	for (int i = 0; i < s->n_args; i++)
	{
		const char *name = NameStr(s->args[i].name);

		if (name[0] != '\0' && strlen(name) == key->val.string.len &&
			memcmp(name, key->val.string.val, key->val.string.len) == 0)
			return i;
	}
	return -1;
}
