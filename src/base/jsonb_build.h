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
 * Equal values that were written in the same way have the same hash; 1 and 1.0
 * do not.  Never 0; NULL has one, too.
 */
extern uint64 ds_jsonb_hash(const Jsonb *value);

/* The same of a value as a table has it. */
extern uint64 ds_jsonb_hash_datum(Datum value, bool isnull);

/*
 * Add to an object under construction; a NULL jsonb becomes null.  Keys and
 * values are not copied: they must exist until the object is finished.
 */
extern void ds_jsonb_push_string(JsonbParseState **state, const char *key,
								 const char *value);
extern void ds_jsonb_push_value(JsonbParseState **state, const char *key,
								Jsonb *value);
extern void ds_jsonb_push_int(JsonbParseState **state, const char *key, int value);

/* Adds all fields of another object. */
extern void ds_jsonb_push_fields(JsonbParseState **state, const Jsonb *object);

/* The same for an array. */
extern void ds_jsonb_push_element(JsonbParseState **state, Jsonb *value);

#endif
