/*-------------------------------------------------------------------------
 *
 * table_form.c
 *	  Compares the form of a table with the one that the code expects.
 *
 * The columns must be those of the install script, otherwise the table is
 * refused. Additions of a superuser, such as triggers, are obeyed: the rows
 * are then written by statements (table_statement.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "rewrite/prs2lock.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "store/query.h"
#include "store/table_parts.h"
#include "store/version.h"

#define NULLABLE(name, type)	{#name, type, false}
#define NOT_NULL(name, type)	{#name, type, true}
#define COMMA					,
#define COLUMNS(list)			list(NULLABLE, NOT_NULL, COMMA)

/* The trigger of all tables of the extension, and its function. */
#define OUR_TRIGGER		"refuse_strangers"

#define MAX_CHECKS		2

typedef struct Column
{
	const char *name;
	char		type;			/* letter as in statements.h */
	bool		not_null;
} Column;

/* The form that the code expects of a table. */
typedef struct TableForm
{
	RegProcedure key_equal[DS_KEY_COLUMNS]; /* for the first columns of the
											 * primary key */
	int			n_columns;
	const Column *columns;
	const char *checks[MAX_CHECKS]; /* the CHECK constraints */
} TableForm;

static const Column instance_columns[] = {COLUMNS(DS_INSTANCE_COLUMNS)};
static const Column history_columns[] = {COLUMNS(DS_HISTORY_COLUMNS)};
static const Column task_columns[] = {COLUMNS(DS_TASK_COLUMNS)};
static const Column inbox_columns[] = {COLUMNS(DS_INBOX_COLUMNS)};
static const Column execution_columns[] = {COLUMNS(DS_EXECUTION_COLUMNS)};

static const TableForm forms[DS_NUM_TABLES] = {
	[DS_INSTANCE] = {{F_TEXTEQ}, lengthof(instance_columns), instance_columns},
	[DS_HISTORY] = {
		{F_UUID_EQ, F_INT4EQ}, lengthof(history_columns), history_columns,
		{"history_kind_check", "history_outcome_check"}
	},
	[DS_TASK] = {
		{F_UUID_EQ, F_INT4EQ}, lengthof(task_columns), task_columns,
		{"task_kind_check"}
	},
	[DS_INBOX] = {
		{F_UUID_EQ, F_INT8EQ}, lengthof(inbox_columns), inbox_columns,
		{"inbox_kind_check"}
	},
	[DS_EXECUTION] = {{F_TEXTEQ}, lengthof(execution_columns), execution_columns},
};

/* Tables that have this form, and have not changed since the check. */
static Oid	known[DS_NUM_TABLES];

static void forget_known(Datum arg, Oid relid);
static bool has_form(TupleDesc desc, const TableForm *form);
pg_noreturn static void refuse_tables(void);
static int	commands_of_trigger(const Trigger * trigger, Relation rel);
static bool is_ours(const char *check, const TableForm *form);

int
ds_table_n_columns(DsTable table)
{
	return forms[table].n_columns;
}

RegProcedure
ds_table_key_equal(DsTable table, int i)
{
	return forms[table].key_equal[i];
}

Relation
ds_table_open(DsTable table, LOCKMODE mode)
{
	static bool registered = false;
	const DsCatalog *catalog = ds_catalog(false);
	Relation	rel;

	if (!OidIsValid(catalog->table[table]))
		refuse_tables();
	rel = try_relation_open(catalog->table[table], mode);

	/*
	 * after a wait for DROP EXTENSION: raises an error, or finds the new one
	 */
	if (rel == NULL)
	{
		catalog = ds_catalog(false);
		rel = table_open(catalog->table[table], mode);
	}
	if (known[table] != RelationGetRelid(rel))
	{
		if (!registered)
			CacheRegisterRelcacheCallback(forget_known, (Datum) 0);
		registered = true;
		if (!has_form(RelationGetDescr(rel), &forms[table]))
			refuse_tables();
		known[table] = RelationGetRelid(rel);
	}
	return rel;
}

static void
forget_known(Datum arg, Oid relid)
{
	for (int t = 0; t < DS_NUM_TABLES; t++)
	{
		if (relid == InvalidOid || relid == known[t])
			known[t] = InvalidOid;
	}
}

bool
ds_table_all_fit(void)
{
	const DsCatalog *catalog = ds_catalog(false);

	for (int i = 0; i < DS_NUM_TABLES; i++)
	{
		Relation	rel;
		bool		fits;

		if (!OidIsValid(catalog->table[i]))
			return false;
		rel = table_open(catalog->table[i], AccessShareLock);
		fits = has_form(RelationGetDescr(rel), &forms[i]);
		table_close(rel, AccessShareLock);
		if (!fits)
			return false;
	}
	return true;
}

static bool
has_form(TupleDesc desc, const TableForm *form)
{
	if (desc->natts < form->n_columns)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		/* an added column that was dropped remains in the catalog */
		if (i >= form->n_columns && column->attisdropped)
			continue;
		if (i >= form->n_columns)
			return false;
		if (strcmp(NameStr(column->attname), form->columns[i].name) != 0 ||
			column->atttypid != ds_query_type(form->columns[i].type))
			return false;
	}
	return true;
}

/* A library must not touch tables of another version, or altered ones. */
static void
refuse_tables(void)
{
	char		version[DS_MAX_VERSION];

	ds_version_extension(version);
	if (strcmp(version, ds_version_library()) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the tables of extension \"%s\" have been altered",
						DS_EXTENSION_NAME),
				 errdetail("The names, types and number of their columns must be those of the extension's script."),
				 errhint("Undo the ALTER TABLE.")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("tables of extension \"%s\" do not match the version of its library",
					DS_EXTENSION_NAME),
			 errdetail("The extension has version %s in this database, the library has version %s.",
					   version, ds_version_library()),
			 ds_version_errhint(version)));
}

int
ds_table_obeyed_commands(DsTable table, Relation rel)
{
	const TableForm *form = &forms[table];
	TupleDesc	desc = RelationGetDescr(rel);
	TriggerDesc *triggers;
	int			commands = 0;

	if (rel->rd_rel->relispartition ||
		(rel->rd_rel->relrowsecurity && rel->rd_rel->relforcerowsecurity))
		return DS_ALL_COMMANDS;
	for (int i = 0; rel->rd_rules != NULL && i < rel->rd_rules->numLocks; i++)
		commands |= DS_COMMAND(rel->rd_rules->rules[i]->event);
	for (int i = 0; i < form->n_columns; i++)
	{
		if (TupleDescAttr(desc, i)->attnotnull && !form->columns[i].not_null)
			commands |= DS_COMMAND(CMD_INSERT) | DS_COMMAND(CMD_UPDATE);
	}
	for (int i = 0; desc->constr != NULL && i < desc->constr->num_check; i++)
	{
		if (!is_ours(desc->constr->check[i].ccname, form))
			commands |= DS_COMMAND(CMD_INSERT) | DS_COMMAND(CMD_UPDATE);
	}
	/* reading the catalog may rebuild the relation's entry */
	triggers = CopyTriggerDesc(rel->trigdesc);
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		commands |= commands_of_trigger(&triggers->triggers[i], rel);
	FreeTriggerDesc(triggers);
	return commands;
}

/*
 * A foreign key that refers to the table has a trigger that checks updates of
 * the key.  No update here changes a key.
 */
static int
commands_of_trigger(const Trigger * trigger, Relation rel)
{
	int			commands = 0;

	if (!TRIGGER_FOR_ROW(trigger->tgtype) &&
		strcmp(trigger->tgname, OUR_TRIGGER) == 0 &&
		get_func_namespace(trigger->tgfoid) == RelationGetNamespace(rel) &&
		strcmp(get_func_name(trigger->tgfoid), OUR_TRIGGER) == 0)
		return 0;
	if (TRIGGER_FOR_INSERT(trigger->tgtype))
		commands |= DS_COMMAND(CMD_INSERT);
	if (TRIGGER_FOR_UPDATE(trigger->tgtype) &&
		RI_FKey_trigger_type(trigger->tgfoid) != RI_TRIGGER_PK)
		commands |= DS_COMMAND(CMD_UPDATE);
	if (TRIGGER_FOR_DELETE(trigger->tgtype))
		commands |= DS_COMMAND(CMD_DELETE);
	return commands;
}

static bool
is_ours(const char *check, const TableForm *form)
{
	for (int i = 0; i < MAX_CHECKS; i++)
	{
		if (form->checks[i] != NULL && strcmp(check, form->checks[i]) == 0)
			return true;
	}
	return false;
}
