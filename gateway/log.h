/*
 * log.h
 *	  The log on standard error: one line per request, and messages.
 */
#ifndef GW_LOG_H
#define GW_LOG_H

extern void log_message(const char *format,...) __attribute__((format(printf, 1, 2)));

/*
 * Logs peer, method and path of the target.  The query, which may contain a key,
 * is left out; characters that cannot be printed are escaped.
 */
extern void log_request(const char *peer, const char *method, const char *target,
						int status, double milliseconds);

/* Writes the buffered lines. */
extern void log_flush(void);

#endif
