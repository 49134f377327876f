/*-------------------------------------------------------------------------
 *
 * limits.h
 *	  Limits of names, and of repeated cancels.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_LIMITS_H
#define DS_LIMITS_H

/* The longest instance id, function name and event name, in bytes. */
#define DS_MAX_ID_LENGTH	256

/*
 * The longest version string of the extension that is shown, including its
 * NUL.
 */
#define DS_MAX_VERSION		32

/*
 * A step that continues after a cancel is canceled again, up to this number of
 * times; then its worker is terminated.
 */
#define DS_MAX_CANCELS		3
#define DS_CANCEL_AGAIN_MS	1000

#endif
