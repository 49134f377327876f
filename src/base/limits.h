/*-------------------------------------------------------------------------
 *
 * limits.h
 *	  How long a name may be, and how often a step is canceled.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_LIMITS_H
#define DS_LIMITS_H

/* The longest instance id, function name and event name, in bytes. */
#define DS_MAX_ID_LENGTH	256

/* The longest version of the extension that is shown, with its end. */
#define DS_MAX_VERSION		32

/*
 * A step that goes on after a cancel is canceled again, so often in all; then
 * its worker is ended.
 */
#define DS_MAX_CANCELS		3
#define DS_CANCEL_AGAIN_MS	1000

#endif
