/*-------------------------------------------------------------------------
 *
 * limits.h
 *	  How long a name may be.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_LIMITS_H
#define DS_LIMITS_H

/* The longest instance id, function name and event name, in bytes. */
#define DS_MAX_ID_LENGTH	256

/* The longest version of the extension that is shown, with its end. */
#define DS_MAX_VERSION		32

#endif
