/*-------------------------------------------------------------------------
 *
 * jsonb_build.h
 *	  Building small jsonb values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_JSONB_BUILD_H
#define DS_JSONB_BUILD_H

#include "utils/jsonb.h"

extern Jsonb *ds_string_to_jsonb(const char *s);

/*
 * Into an object that is being built; a NULL jsonb becomes null.  Keys and
 * values are not copied: they must stay until the object is finished.
 */
extern void ds_push_string(JsonbParseState **state, const char *key,
						   const char *value);
extern void ds_push_jsonb(JsonbParseState **state, const char *key,
						  Jsonb *value);

#endif
