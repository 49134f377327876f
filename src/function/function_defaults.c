/*-------------------------------------------------------------------------
 *
 * function_defaults.c
 *	  Values for arguments with a DEFAULT that are missing in the input.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/jsonb_build.h"
#include "function/fixed_settings.h"
#include "function/function_defaults.h"

static bool take_kept(const Jsonb *kept, Form_pg_attribute argument,
					  Datum *value, bool *isnull);
static Jsonb *keep(const Jsonb *kept, List *expressions, TupleDesc row,
				   const Datum *values, const bool *nulls, const bool *is_new);

List *
ds_defaults_expressions(const DsSignature *signature, const DsMatch *match)
{
	List	   *expressions = NIL;

	for (int i = 0; i < signature->n_args && match->n_defaults > 0; i++)
		expressions = lappend(expressions, match->given[i] ? NULL :
							  copyObject(signature->args[i].default_value));
	return expressions;
}

/* The values may point into the executor's memory, which is not freed. */
void
ds_defaults_fill(List *expressions, TupleDesc row, DsDefaults *defaults,
				 Datum *values, bool *nulls)
{
	EState	   *estate = NULL;
	ExprContext *econtext = NULL;
	bool		is_new[FUNC_MAX_ARGS] = {false};
	int			i = -1;
	ListCell   *cell;

	foreach(cell, expressions)
	{
		i++;
		if (lfirst(cell) == NULL ||
			take_kept(defaults->kept, TupleDescAttr(row, i), &values[i], &nulls[i]))
			continue;
		if (estate == NULL)
		{
			estate = CreateExecutorState();
			econtext = CreateExprContext(estate);
		}
		values[i] = ExecEvalExpr(ExecPrepareExpr(lfirst(cell), estate),
								 econtext, &nulls[i]);
		is_new[i] = true;
	}
	if (estate != NULL)
		defaults->evaluated = keep(defaults->kept, expressions, row, values,
								   nulls, is_new);
}

static bool
take_kept(const Jsonb *kept, Form_pg_attribute argument, Datum *value,
		  bool *isnull)
{
	JsonbValue	text;
	Oid			input;
	Oid			io_param;

	if (kept == NULL ||
		getKeyJsonValueFromContainer(unconstify(JsonbContainer *, &kept->root),
									 NameStr(argument->attname),
									 strlen(NameStr(argument->attname)),
									 &text) == NULL)
		return false;
	*isnull = text.type != jbvString;

	getTypeInputInfo(argument->atttypid, &input, &io_param);
	*value = OidInputFunctionCall(input, *isnull ? NULL :
								  pnstrdup(text.val.string.val,
										   text.val.string.len),
								  io_param, -1);
	return true;
}

/* Merges the values kept before and the new ones. */
static Jsonb *
keep(const Jsonb *kept, List *expressions, TupleDesc row,
	 const Datum *values, const bool *nulls, const bool *is_new)
{
	JsonbParseState *state = NULL;
	int			guc_level = ds_fixed_settings_begin_text();
	Jsonb	   *result;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (kept != NULL)
		ds_jsonb_push_fields(&state, kept);
	for (int i = 0; i < list_length(expressions); i++)
	{
		Form_pg_attribute argument = TupleDescAttr(row, i);
		Oid			output;
		bool		is_varlena;

		CHECK_FOR_INTERRUPTS();
		if (!is_new[i])
			continue;
		if (nulls[i])
		{
			ds_jsonb_push_value(&state, NameStr(argument->attname), NULL);
			continue;
		}
		getTypeOutputInfo(argument->atttypid, &output, &is_varlena);
		ds_jsonb_push_string(&state, NameStr(argument->attname),
							 OidOutputFunctionCall(output, values[i]));
	}
	result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	ds_fixed_settings_end(guc_level);
	return result;
}
