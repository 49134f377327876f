/*-------------------------------------------------------------------------
 *
 * function_call.c
 *	  Calls a function of any signature: jsonb in, jsonb out.
 *
 * The values of the input are converted by jsonb_populate_record() into a row
 * of the function's input arguments, and results by to_jsonb(), under settings
 * that do not depend on the role (fixed_settings.c).  Creating the arguments
 * may already run user code, which may change functions; so the cached
 * signature is not used after that point.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "utils/fmgroids.h"
#include "utils/typcache.h"

#include "base/errors.h"
#include "base/jsonb_build.h"
#include "base/settings.h"
#include "function/fixed_settings.h"
#include "function/function_call.h"
#include "function/function_signature.h"
#include "function/trust.h"

/* A call.  Everything is allocated in its scratch memory. */
typedef struct Call
{
	Oid			function;
	const char *name;
	char		kind;
	bool		returns_set;
	Oid			result_type;
	FuncExpr   *expr;			/* its arguments are Consts */
} Call;

static Call begin_call(Oid function, const char *name, Jsonb *input,
					   DsDefaults *defaults);
static List *make_arguments(DsSignature *signature, const char *name,
							Jsonb *input, DsDefaults *defaults, bool strict);
static void convert_input(TupleDesc row, Jsonb *input, const char *name,
						  Datum *values, bool *nulls);
static List *make_consts(TupleDesc row, const Datum *values,
						 const bool *nulls);
static Oid	common_collation(List *arguments);
static Datum call_plain(const Call *call, bool *isnull);
static Datum call_procedure(FunctionCallInfo fcinfo);
static Jsonb *call_set(const Call *call);
static void push_row(JsonbParseState **state, const Jsonb *row,
					 const char *name, Size *size);
static FmgrInfo *converter(Oid function, Oid argument_type);
static FmgrInfo *result_converter(const Call *call);
static Jsonb *value_to_jsonb(const Call *call, Datum value,
							 FmgrInfo *to_jsonb);
static void argument_context(void *name);

Jsonb *
ds_function_call(Oid function, const char *name, Jsonb *input,
				 DsDefaults *defaults, MemoryContext scratch)
{
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	Call		call = begin_call(function, name, input, defaults);
	Jsonb	   *result = NULL;

	InvokeFunctionExecuteHook(function);
	if (call.returns_set)
		result = call_set(&call);
	else
	{
		bool		isnull;
		Datum		value = call_plain(&call, &isnull);

		if (!isnull && call.result_type != VOIDOID)
			result = value_to_jsonb(&call, value, result_converter(&call));
	}
	MemoryContextSwitchTo(caller);
	return result == NULL ? NULL : DatumGetJsonbPCopy(JsonbPGetDatum(result));
}

static Call
begin_call(Oid function, const char *name, Jsonb *input, DsDefaults *defaults)
{
	DsSignature *signature = ds_signature_get(function);
	Call		call = {.function = function,.name = name};
	bool		variadic;
	bool		strict;
	List	   *arguments;

	if (signature == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s does not exist", name),
				 errhint("It was just dropped; create it again.")));
	call.kind = signature->kind;
	call.returns_set = signature->returns_set;
	call.result_type = signature->result_type;
	variadic = signature->variadic;
	strict = signature->strict;
	if (!signature->whole_input)
		arguments = make_arguments(signature, name, input, defaults, strict);
	else if (input == NULL && strict)
		ds_signature_null(NULL, name);
	else
		arguments = list_make1(makeConst(JSONBOID, -1, InvalidOid, -1,
										 JsonbPGetDatum(input),
										 input == NULL, false));
	call.expr = makeFuncExpr(function, call.result_type, arguments,
							 InvalidOid, common_collation(arguments),
							 COERCE_EXPLICIT_CALL);
	call.expr->funcretset = call.returns_set;
	call.expr->funcvariadic = variadic;
	return call;
}

/* --- arguments --- */

static List *
make_arguments(DsSignature *signature, const char *name, Jsonb *input,
			   DsDefaults *defaults, bool strict)
{
	DsMatch		match = ds_signature_match(signature, input);
	List	   *expressions;
	TupleDesc	row;
	Datum	   *values;
	bool	   *nulls;
	List	   *arguments;

	if (match.fit != DS_FITS)
		ds_signature_mismatch(signature, &match, name);
	if (signature->n_args == 0)
		return NIL;
	expressions = ds_defaults_expressions(signature, &match);
	row = ds_signature_row(signature);
	values = palloc0(sizeof(Datum) * row->natts);
	nulls = palloc(sizeof(bool) * row->natts);
	memset(nulls, true, sizeof(bool) * row->natts);

	/* user code may run from here on */
	if (match.n_given > 0)
		convert_input(row, input, name, values, nulls);
	if (expressions != NIL)
		ds_defaults_fill(expressions, row, defaults, values, nulls);
	for (int i = 0; strict && i < row->natts; i++)
	{
		if (nulls[i])
			ds_signature_null(NameStr(TupleDescAttr(row, i)->attname), name);
	}
	arguments = make_consts(row, values, nulls);
	ReleaseTupleDesc(row);
	return arguments;
}

static void
convert_input(TupleDesc row, Jsonb *input, const char *name, Datum *values,
			  bool *nulls)
{
	FmgrInfo   *populate = converter(F_JSONB_POPULATE_RECORD, RECORDOID);
	ErrorContextCallback context;
	HeapTuple	base = heap_form_tuple(row, values, nulls);
	HeapTupleData converted;

	context.callback = argument_context;
	context.arg = unconstify(char *, name);
	context.previous = error_context_stack;
	error_context_stack = &context;
	converted.t_data =
		DatumGetHeapTupleHeader(FunctionCall2(populate,
											  HeapTupleGetDatum(base),
											  JsonbPGetDatum(input)));
	error_context_stack = context.previous;

	converted.t_len = HeapTupleHeaderGetDatumLength(converted.t_data);
	ItemPointerSetInvalid(&converted.t_self);
	converted.t_tableOid = InvalidOid;
	heap_deform_tuple(&converted, row, values, nulls);
}

static void
argument_context(void *name)
{
	errcontext("input of function %s", (const char *) name);
}

static List *
make_consts(TupleDesc row, const Datum *values, const bool *nulls)
{
	List	   *consts = NIL;

	for (int i = 0; i < row->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(row, i);

		consts = lappend(consts, makeConst(att->atttypid, -1,
										   att->attcollation, att->attlen,
										   values[i], nulls[i],
										   att->attbyval));
	}
	return consts;
}

/*
 * As for a call in SQL: a collation other than the default takes precedence.
 */
static Oid
common_collation(List *arguments)
{
	Oid			collation = InvalidOid;
	ListCell   *cell;

	foreach(cell, arguments)
	{
		Oid			own = lfirst_node(Const, cell)->constcollid;

		if (OidIsValid(own) &&
			(!OidIsValid(collation) || collation == DEFAULT_COLLATION_OID))
			collation = own;
	}
	return collation;
}

/* --- the call --- */

static Datum
call_plain(const Call *call, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	FmgrInfo	flinfo;
	PgStat_FunctionCallUsage usage;
	Datum		result;
	int			i = 0;
	ListCell   *cell;

	fmgr_info_cxt(call->function, &flinfo, CurrentMemoryContext);
	fmgr_info_set_expr((Node *) call->expr, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, list_length(call->expr->args),
							 call->expr->inputcollid, NULL, NULL);
	foreach(cell, call->expr->args)
	{
		Const	   *argument = lfirst_node(Const, cell);

		fcinfo->args[i].value = argument->constvalue;
		fcinfo->args[i].isnull = argument->constisnull;
		i++;
	}

	pgstat_init_function_usage(fcinfo, &usage);
	result = call->kind == PROKIND_PROCEDURE ? call_procedure(fcinfo) :
		FunctionCallInvoke(fcinfo);
	pgstat_end_function_usage(&usage, true);
	*isnull = fcinfo->isnull;
	return result;
}

/*
 * A procedure must not end the transaction, because its effects and its entry
 * in the history must commit together.
 */
static Datum
call_procedure(FunctionCallInfo fcinfo)
{
	MemoryContext caller = CurrentMemoryContext;
	CallContext *context = makeNode(CallContext);
	volatile Datum result = (Datum) 0;

	context->atomic = true;
	fcinfo->context = (Node *) context;
	PG_TRY();
	{
		result = FunctionCallInvoke(fcinfo);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (geterrcode() != ERRCODE_INVALID_TRANSACTION_TERMINATION)
			PG_RE_THROW();
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		if (error->hint == NULL)
			error->hint = pstrdup(_("Leave out COMMIT and ROLLBACK: the effects of an activity are committed when it returns."));
		ReThrowError(error);
	}
	PG_END_TRY();
	return result;
}

/* Returns the rows as an array. */
static Jsonb *
call_set(const Call *call)
{
	MemoryContext scratch = CurrentMemoryContext;
	EState	   *estate = CreateExecutorState();
	ExprContext *econtext = CreateExprContext(estate);
	SetExprState *set = ExecInitFunctionResultSet((Expr *) call->expr,
												  econtext, NULL);
	FmgrInfo   *to_jsonb = result_converter(call);
	JsonbParseState *state = NULL;
	Size		size = 0;
	ExprDoneCond done;
	Jsonb	   *result;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	do
	{
		Datum		value;
		bool		isnull;
		Jsonb	   *row = NULL;

		CHECK_FOR_INTERRUPTS();
		ResetExprContext(econtext);
		MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
		value = ExecMakeFunctionResultSet(set, econtext, scratch, &isnull,
										  &done);
		if (done == ExprEndResult)
			break;
		if (!isnull && call->result_type != VOIDOID)
			row = value_to_jsonb(call, value, to_jsonb);
		MemoryContextSwitchTo(scratch);
		push_row(&state, row, call->name, &size);
	} while (done == ExprMultipleResult);
	MemoryContextSwitchTo(scratch);
	result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	FreeExecutorState(estate);
	return result;
}

/*
 * An endless set must not exhaust memory before the size of the result is
 * checked.  In the array, a small value takes a third of its own size.
 */
static void
push_row(JsonbParseState **state, const Jsonb *row, const char *name,
		 Size *size)
{
	Jsonb	   *copy = NULL;

	if (row != NULL)
	{
		copy = DatumGetJsonbPCopy(JsonbPGetDatum(row));
		*size += VARSIZE(copy);
	}
	*size += sizeof(JEntry);
	if (*size / 4 > (Size) ds_max_payload_size * 1024)
		ereport(ERROR,
				(errcode(DS_ERRCODE_BAD_ARGUMENT),
				 errmsg("the set that function %s returns is larger than the limit of %d kB",
						name, ds_max_payload_size),
				 errhint("Keep the data in a table and return its key, or raise durable_singleton.max_payload_size.")));
	ds_jsonb_push_element(state, copy);
}

/* Prepares a function that examines the type of its first argument. */
static FmgrInfo *
converter(Oid function, Oid argument_type)
{
	FmgrInfo   *flinfo = palloc(sizeof(FmgrInfo));
	Param	   *argument = makeNode(Param);

	argument->paramkind = PARAM_EXTERN;
	argument->paramtype = argument_type;
	argument->paramtypmod = -1;
	fmgr_info_cxt(function, flinfo, CurrentMemoryContext);
	fmgr_info_set_expr((Node *) makeFuncExpr(function, JSONBOID,
											 list_make1(argument), InvalidOid,
											 InvalidOid, COERCE_EXPLICIT_CALL),
					   flinfo);
	return flinfo;
}

/* NULL if the result is already jsonb. */
static FmgrInfo *
result_converter(const Call *call)
{
	return call->result_type == JSONBOID ? NULL :
		converter(F_TO_JSONB, call->result_type);
}

static Jsonb *
value_to_jsonb(const Call *call, Datum value, FmgrInfo *to_jsonb)
{
	volatile Datum result = value;
	int			guc_level;

	if (to_jsonb == NULL)
		return DatumGetJsonbP(value);
	guc_level = ds_fixed_settings_begin(call->result_type);
	if (!ds_trust_type_has_code(call->result_type))
	{
		result = FunctionCall1(to_jsonb, value);
		ds_fixed_settings_end(guc_level);
		return DatumGetJsonbP(result);
	}
	ds_trust_begin_conversion(call->function);
	PG_TRY();
	{
		result = FunctionCall1(to_jsonb, value);
	}
	PG_FINALLY();
	{
		ds_trust_end_conversion();
	}
	PG_END_TRY();
	ds_fixed_settings_end(guc_level);
	return DatumGetJsonbP(result);
}
