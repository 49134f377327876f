/*
 * target.h
 *	  The target of a request, and its path, segment by segment.
 *
 * libmicrohttpd would decode a path before it is divided into segments, so that
 * an encoded slash could not be told from a real one.
 *
 * A decoded text may contain any byte, including NUL, so it has a length.
 * Only decoded texts are allocated here.  No input is refused: a path that makes
 * no sense has no route.
 */
#ifndef GW_TARGET_H
#define GW_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/* A part of the target, as received. */
typedef struct Slice
{
	const char *start;
	size_t		length;
} Slice;

typedef struct Target
{
	const char *text;			/* from the first slash to the end */
	Slice		path;			/* without the query */
} Target;

/* A decoded text; data is NULL if it is absent.  A NUL follows its end. */
typedef struct Text
{
	char	   *data;
	size_t		length;
} Text;

/*
 * Divides a target.  In absolute form ("http://host/path"), scheme and host are
 * skipped.  Returns false if it is neither that nor a path.
 */
extern bool target_parse(const char *text, Target *target);

/*
 * Checks that a target has no control character and no space.  Other bytes are
 * allowed: curl sends them unchanged.
 */
extern bool target_is_clean(const char *text);

/*
 * The next segment of the rest of a path; false at its end.  Slashes at both
 * ends of the path should be trimmed first.
 */
extern bool target_next_segment(Slice *rest, Slice *segment);
extern Slice target_trim_slashes(Slice path);

/* The path behind a prefix that is followed by a slash or the end. */
extern bool target_skip_prefix(Slice *path, const char *prefix);

extern bool slice_is(Slice slice, const char *word);	/* in any case */

/* Decodes %XX, once.  A % without two hexadecimal digits stays as it is. */
extern Text target_decode(Slice slice);

/* The whole URL, in ASCII; the caller frees it. */
extern char *target_url(const Target *target, const char *origin);

#endif
