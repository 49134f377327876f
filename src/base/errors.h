/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  SQLSTATEs of the extension's own errors.
 *
 * Classes up to H belong to the SQL standard; the digits match the HTTP
 * statuses that Durable Functions returns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_ERRORS_H
#define DS_ERRORS_H

#define DS_ERRCODE_BAD_ARGUMENT		MAKE_SQLSTATE('S', 'D', '4', '0', '0')
#define DS_ERRCODE_NO_INSTANCE		MAKE_SQLSTATE('S', 'D', '4', '0', '4')
#define DS_ERRCODE_TASK_CANCELED	MAKE_SQLSTATE('S', 'D', '4', '0', '8')
#define DS_ERRCODE_CONFLICT			MAKE_SQLSTATE('S', 'D', '4', '0', '9')
#define DS_ERRCODE_ENDED			MAKE_SQLSTATE('S', 'D', '4', '1', '0')
#define DS_ERRCODE_RULE_BROKEN		MAKE_SQLSTATE('S', 'D', '4', '2', '2')
#define DS_ERRCODE_TASK_ASSERTION	MAKE_SQLSTATE('S', 'D', '5', '0', '0')

#endif
