/*
 * log.h
 *	  What goes to the standard error output: a line a request, and messages.
 */
#ifndef GW_LOG_H
#define GW_LOG_H

extern void log_message(const char *format,...) __attribute__((format(printf, 1, 2)));

/*
 * peer, method and the path of the request's target, without its query, where
 * keys are; what would not print is escaped.
 */
extern void log_request(const char *peer, const char *method, const char *target,
						int status, double milliseconds);

/* Lines are held back until then, to be written at once. */
extern void log_flush(void);

#endif
