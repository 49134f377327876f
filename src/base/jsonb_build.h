/*-------------------------------------------------------------------------
 *
 * jsonb_build.h
 *	  Builds small jsonb values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_JSONB_BUILD_H
#define DS_JSONB_BUILD_H

#include "utils/jsonb.h"

extern Jsonb *ds_jsonb_from_string(const char *s);
extern Jsonb *ds_jsonb_from_int(int i);

/* A string unquoted, anything else as jsonb text; NULL returns NULL. */
extern char *ds_jsonb_to_text(const Jsonb *value);

/* 0 if it is not a number. */
extern int	ds_jsonb_to_int(const Jsonb *value);

/*
 * Add to an object under construction; a NULL jsonb becomes null.  Keys and
 * values are not copied: they must exist until the object is finished.
 */
extern void ds_jsonb_push_string(JsonbParseState **state, const char *key,
								 const char *value);
extern void ds_jsonb_push_value(JsonbParseState **state, const char *key,
								Jsonb *value);
extern void ds_jsonb_push_int(JsonbParseState **state, const char *key, int value);

/* The same for an array. */
extern void ds_jsonb_push_element(JsonbParseState **state, Jsonb *value);

#endif
