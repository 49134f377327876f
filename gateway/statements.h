/*
 * statements.h
 *	  The statements of the gateway: a function call for each route.
 */
#ifndef GW_STATEMENTS_H
#define GW_STATEMENTS_H

#include <stdbool.h>

typedef struct Statement
{
	const char *name;			/* of the prepared statement; for http_error() */
	const char *formats;		/* of the parameters: b binary, t text */
	bool		writes;			/* its transaction's outcome must be known */
	bool		heavy;			/* may take long */
	const char *sql;
} Statement;

extern const Statement statement_start;
extern const Statement statement_start_singleton;
extern const Statement statement_status;
extern const Statement statement_list;
extern const Statement statement_purge;
extern const Statement statement_purge_by;
extern const Statement statement_raise_event;
extern const Statement statement_control;
extern const Statement statement_rewind;
extern const Statement statement_restart;
extern const Statement statement_error;
extern const Statement statement_fate;
extern const Statement statement_wait;
extern const Statement statement_call_off;

/* The statements that a connection prepares; NULL ends the list. */
extern const Statement *const all_statements[];

/* The first commands of a session. */
extern const char *const session_settings;

#endif
