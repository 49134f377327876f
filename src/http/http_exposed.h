/*-------------------------------------------------------------------------
 *
 * http_exposed.h
 *	  Which functions may be started over HTTP.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_HTTP_EXPOSED_H
#define DS_HTTP_EXPOSED_H

/*
 * Is the function on the list?  "name" is as a start gave it: name or
 * schema.name; the schema that counts is the one the function was found in.
 */
extern bool ds_is_exposed(const char *schema, const char *name);

#endif
