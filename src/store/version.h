/*-------------------------------------------------------------------------
 *
 * version.h
 *	  The version of the library and that of the extension in this database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_VERSION_H
#define DS_VERSION_H

#include "base/limits.h"

/* The version of the library, from the control file that it was built with. */
extern const char *ds_version_library(void);

/*
 * The version of the extension in this database, "" if it is not installed.
 * Needs a transaction.
 */
extern void ds_version_extension(char version[DS_MAX_VERSION]);

/*
 * How an administrator makes an extension of this version and the library
 * match.  For errhint().
 */
extern int	ds_version_errhint(const char *extension_version);

#endif
