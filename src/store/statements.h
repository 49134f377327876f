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
	DS_SQL_PRUNE_ARCHIVE,
	DS_SQL_TERMINATE,
	DS_SQL_SUSPEND,
	DS_SQL_RESUME,
	DS_SQL_REWIND,
	DS_SQL_LOCK_ACTIVE,
	DS_SQL_TRY_LOCK_INSTANCE,
	DS_SQL_LOAD_ENDS,
	DS_SQL_MARK_REWOUND,
	DS_SQL_INSERT_NOTE,
	DS_SQL_DELETE_HISTORY,
	DS_SQL_STORY,
	DS_SQL_DELETE_TASKS,
	DS_SQL_IS_STIRRED,
	DS_SQL_SEND,
	DS_SQL_SEND_TERMINATE,
	DS_SQL_DROP_MESSAGES,
	DS_SQL_DROP_EVENTS,
	DS_SQL_DROP_ORPHANED_MESSAGES,
	DS_SQL_FIND_READY,
	DS_SQL_FIND_READY_TASKS,
	DS_SQL_FIND_WITH_MESSAGE,
	DS_SQL_FIND_AWAITING,
	DS_SQL_NEXT_WAKE,
	DS_SQL_OWNERS_WITH_WORK,
	DS_SQL_OWNERS_WITH_TASKS,
	DS_SQL_OWNERS_WITH_MESSAGE,
	DS_SQL_OWNERS_AWAITING,
	DS_SQL_OWNERLESS,
	DS_SQL_DELETE_OWNERLESS_TASKS,
	DS_SQL_FIND_PURGEABLE,
	DS_SQL_FIND_EXPIRED,
	DS_SQL_FIND_ENDED_CHILDREN,
	DS_SQL_LOCK_ENDED,
	DS_SQL_LOCK_TASKS,
	DS_SQL_DELETE_INSTANCE,
	DS_SQL_LOAD_HOME,
	DS_SQL_COUNT_HOMES,
	DS_SQL_DELETE_HOME,
	DS_SQL_INSERT_HOME,
	DS_SQL_MOVE_HOME,
	DS_SQL_MOVE_TASKS_HOME,
	DS_SQL_MOVE_MESSAGE_IDS,
	DS_SQL_ANY_FOREIGN,
	DS_SQL_COUNT_ACTIVE,
	DS_SQL_COUNT_CRASH,
	DS_SQL_FORGET_CRASHES,
	DS_SQL_IS_EXPOSED,
	DS_SQL_EXPOSE,
	DS_SQL_HIDE,
	DS_SQL_COUNT_EXPOSED,
	DS_NUM_STATEMENTS
} DsStatementId;

/*
 * types: a letter a parameter
 *	t text, u uuid, o regrole, O oid, s df_runtime_status,
 *	S df_runtime_status[], z timestamptz, j jsonb, i int4, I int4[], l int8,
 *	L int8[], c "char", b boolean
 */
typedef struct DsStatement
{
	DsStatementId id;
	const char *types;
	bool		read_only;
	bool		by_key;			/* uses only an index */
	bool		limit_lock_wait;	/* waits for a row lock for a limited time */
	const char *sql;
} DsStatement;

extern const DsStatement ds_statements[DS_NUM_STATEMENTS];

#endif
