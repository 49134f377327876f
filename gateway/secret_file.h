/*
 * secret_file.h
 *	  Reads a file that other users must not be able to read.
 */
#ifndef GW_SECRET_FILE_H
#define GW_SECRET_FILE_H

#include <stdbool.h>

/*
 * Returns the whole file; the caller frees it.  If it cannot be read, logs the
 * reason and returns NULL.  So it does, with "secret", if its group or others
 * have access to it, or if it belongs to neither this user nor root.
 */
extern char *file_read(const char *path, bool secret);

#endif
