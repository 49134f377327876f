/*-------------------------------------------------------------------------
 *
 * statements.h
 *	  The SQL on the extension's tables, by name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STATEMENTS_H
#define DS_STATEMENTS_H

typedef enum DsStatementId
{
#define STATEMENT(name, types, read_only, by_key, limit_lock_wait, sql) \
	DS_SQL_##name,
#include "store/statement_list.h"
#undef STATEMENT
	DS_NUM_STATEMENTS
} DsStatementId;

/*
 * types: a letter a parameter
 *	t text, u uuid, o regrole, O oid, s df_runtime_status,
 *	S df_runtime_status[], z timestamptz, j jsonb, i int4, I int4[], l int8,
 *	c "char", b boolean, p tid, 0 to 4 a row of the DsTable of that number
 */
typedef struct DsStatement
{
	const char *types;
	bool		read_only;
	bool		by_key;			/* uses only an index */
	bool		limit_lock_wait;	/* waits for a row lock for a limited time */
	const char *sql;
} DsStatement;

extern const DsStatement ds_statements[DS_NUM_STATEMENTS];

#endif
