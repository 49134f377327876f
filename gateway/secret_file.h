/*
 * secret_file.h
 *	  Reading a file that nobody else may read.
 */
#ifndef GW_SECRET_FILE_H
#define GW_SECRET_FILE_H

#include <stdbool.h>

/*
 * The whole file, to be freed by the caller.  NULL, and the reason in the log,
 * if it cannot be read, or, with "secret", if its group or others may read or
 * write it, or it belongs to neither this user nor root.
 */
extern char *file_read(const char *path, bool secret);

#endif
