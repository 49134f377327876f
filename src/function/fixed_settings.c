/*-------------------------------------------------------------------------
 *
 * fixed_settings.c
 *	  Makes the textual form of results independent of the session's settings.
 *
 * A result is stored in the history as jsonb and read again later, perhaps by
 * another role.  to_jsonb() writes dates and times in ISO 8601, but intervals
 * follow IntervalStyle: "-1 2:00:00" of sql_standard is read as another
 * interval under the default style.  Floats lose digits if extra_float_digits
 * is below 1, and a regclass has no schema if search_path finds the table.
 * pg_dump and postgres_fdw fix the same settings for the same reason.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "function/fixed_settings.h"

/* No GUC level was started, because the settings are right already. */
#define NO_LEVEL 0

static bool depends_on_search_path(Oid type);
static void set(const char *name, const char *value);

int
ds_fixed_settings_begin(Oid type)
{
	bool		interval_style = IntervalStyle != INTSTYLE_POSTGRES;
	bool		float_digits = extra_float_digits < 1;
	bool		search_path = depends_on_search_path(type);
	int			guc_level;

	if (!interval_style && !float_digits && !search_path)
		return NO_LEVEL;
	guc_level = NewGUCNestLevel();
	if (interval_style)
		set("IntervalStyle", "postgres");
	if (float_digits)
		set("extra_float_digits", "1");
	if (search_path)
		set("search_path", "pg_catalog");
	return guc_level;
}

int
ds_fixed_settings_begin_text(void)
{
	int			guc_level = NewGUCNestLevel();

	set("datestyle", "ISO");
	set("intervalstyle", "postgres");
	set("extra_float_digits", "3");
	set("search_path", "pg_catalog");
	return guc_level;
}

void
ds_fixed_settings_end(int guc_level)
{
	if (guc_level != NO_LEVEL)
		AtEOXact_GUC(true, guc_level);
}

/*
 * Only built-in types count.  The conversion of another type, or of a row, may
 * run a cast function that needs the search_path of its role.
 */
static bool
depends_on_search_path(Oid type)
{
	Oid			element = type;

	if (type < FirstNormalObjectId && type_is_array(type))
		element = get_element_type(type);
	switch (element)
	{
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGCOLLATIONOID:
		case REGTYPEOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
			return true;
		default:
			return false;
	}
}

static void
set(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}
