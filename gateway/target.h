/*
 * target.h
 *	  The target of a request: its path, segment by segment, and its query.
 *
 * What is decoded may contain any byte, NUL included, so it has a length.
 * Nothing here allocates anything but the decoded texts, and no input is
 * refused: what is nonsense names nothing.
 */
#ifndef GW_TARGET_H
#define GW_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/* A part of the target, as it came. */
typedef struct Slice
{
	const char *start;
	size_t		length;
} Slice;

typedef struct Target
{
	Slice		path;			/* from the first slash on */
	Slice		query;			/* without its question mark */
} Target;

/* A decoded text; NULL if it is absent.  There is a NUL after its end. */
typedef struct Text
{
	char	   *data;
	size_t		length;
} Text;

/*
 * Takes a target apart; of one in absolute form ("http://host/path") scheme
 * and host are passed over.  False if it is neither that nor a path.
 */
extern bool target_parse(const char *text, Target *target);

/*
 * No control character and no space in it.  Other bytes are legal: curl sends
 * what it was given.
 */
extern bool target_is_clean(const char *text);

/*
 * The next segment of what is left of a path; false at its end.  Slashes at
 * both ends of the path should be trimmed first.
 */
extern bool target_next_segment(Slice *rest, Slice *segment);
extern Slice target_trim_slashes(Slice path);

/* The path behind a prefix, which a slash or the end must follow. */
extern bool target_skip_prefix(Slice *path, const char *prefix);

extern bool slice_is(Slice slice, const char *word);	/* in any case */

/* %XX is decoded, once; in a query a plus is a space. */
extern Text target_decode_segment(Slice segment);
extern Text target_decode_value(Slice value);

/*
 * The first value of this name, in any case, that is not blank; absent if
 * there is none.
 */
extern Text target_parameter(const Target *target, const char *name);

/* All of its values that are not blank, joined by commas. */
extern Text target_parameter_list(const Target *target, const char *name);

/* 1 and 0 for true and false in any case; -1 for anything else. */
extern int	target_boolean(const Target *target, const char *name);

/* A whole number; 0 for anything else. */
extern int	target_integer(const Target *target, const char *name);

/* A decimal number that is not negative; -1 for anything else. */
extern double target_seconds(const Target *target, const char *name);

/* The whole URL, in ASCII; to be freed. */
extern char *target_url(const Target *target, const char *origin);

#endif
