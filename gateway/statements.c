/*
 * statements.c
 *	  The statements of the gateway: a function call for each route.
 *
 * The functions are those of extension/http.sql.  The name of a function to be
 * started is looked up with the search_path of the gateway's role.
 */
#include "statements.h"

#include <stddef.h>

#define FUNCTION	"durable_singleton.http_"

/*
 * A write also returns its transaction, on whose outcome the answer depends.
 */
#define READ	"SELECT r.* FROM " FUNCTION
#define WRITE	"SELECT r.*, " FUNCTION "transaction() FROM " FUNCTION

const Statement statement_start = {
	"start", "bbbtbbb", true, false,
	WRITE "start(pg_catalog.current_setting('search_path'),"
	" $1, $2, $3, $4, $5, $6, $7) r"
};

const Statement statement_start_singleton = {
	"start_singleton", "bbbtbbb", true, false,
	WRITE "start_singleton(pg_catalog.current_setting('search_path'),"
	" $1, $2, $3, $4, $5, $6, $7) r"
};

const Statement statement_status = {
	"status", "btttt", false, false,
	READ "status($1, $2, $3, $4, $5) r"
};

const Statement statement_list = {
	"list", "bbbbttb", false, true,
	READ "list($1, $2, $3, $4, $5, $6, $7) r"
};

const Statement statement_purge = {
	"purge", "b", true, true,
	WRITE "purge($1) r"
};

const Statement statement_purge_by = {
	"purge_by", "bbb", true, true,
	WRITE "purge_by($1, $2, $3) r"
};

const Statement statement_raise_event = {
	"raise_event", "bbbb", true, false,
	WRITE "raise_event($1, $2, $3, $4) r"
};

const Statement statement_control = {
	"control", "btb", true, false,
	WRITE "control($1, $2, $3) r"
};

const Statement statement_rewind = {
	"rewind", "bb", true, false,
	WRITE "rewind($1, $2) r"
};

const Statement statement_restart = {
	"restart", "bttbbb", true, false,
	WRITE "restart($1, $2, $3, $4, $5, $6) r"
};

const Statement statement_error = {
	"error", "tbtbb", false, false,
	READ "error($1, $2, $3, $4, $5) r"
};

const Statement statement_fate = {
	"fate", "t", false, false,
	"SELECT " FUNCTION "fate($1)"
};

const Statement statement_wait = {
	"wait", "tt", false, false,
	"SELECT * FROM " FUNCTION "wait(pg_catalog.string_to_array($1, E'\n'), $2)"
};

const Statement statement_call_off = {
	"call_off", "t", false, false,
	"SELECT " FUNCTION "call_off($1)"
};

const Statement *const all_statements[] = {
	&statement_start, &statement_start_singleton, &statement_status,
	&statement_list, &statement_purge, &statement_purge_by,
	&statement_raise_event, &statement_control, &statement_rewind,
	&statement_restart, &statement_error, &statement_fate, &statement_wait,
	&statement_call_off, NULL
};

/*
 * No request waits forever for an open transaction of another session, because
 * a blocked connection is not available for other requests.  And if the
 * gateway's machine disappears between a statement and its commit, the locks
 * are not held for hours.
 */
const char *const session_settings =
"SET client_encoding = 'UTF8';"
" SET statement_timeout = '60s';"
" SET lock_timeout = '5s';"
" SET idle_in_transaction_session_timeout = '30s';"
" SET tcp_keepalives_idle = 20;"
" SET tcp_keepalives_interval = 5;"
" SET tcp_keepalives_count = 3";
