/*-------------------------------------------------------------------------
 *
 * access.h
 *	  Who may see and steer whose instances, and what is seen over HTTP.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_ACCESS_H
#define DS_ACCESS_H

#include "base/compat.h"
#include "store/instance.h"

typedef enum DsAccess
{
	DS_ACCESS_NONE = 0,
	DS_ACCESS_NO_PAYLOAD = 1,
	DS_ACCESS_FULL = 2
} DsAccess;

/* What the current user may see of the instances of "owner". */
extern DsAccess ds_access_of(Oid owner);

/* 42501 unless the current user has the privileges of the owner. */
extern void ds_access_check_owner(const DsInstance *inst);

/*
 * SD400 if this very process executes a step of the instance: it would undo
 * itself together with its step, and be run again for ever.
 */
extern void ds_access_check_not_own_step(const DsInstance *inst);

/* SD400 if this very process executes a step of the instance. */
extern void ds_access_check_not_waiting_for_itself(const DsInstance *inst);

/*
 * Is the function on the list of those exposed over HTTP?  "name" is as a
 * start gave it: name or schema.name; the schema that counts is the one the
 * function was found in.
 */
extern bool ds_access_is_exposed(const char *schema, const char *name);

/* Errors for a caller: SD404 and SD410. */
pg_noreturn extern void ds_access_no_instance_error(const char *instance_id);
pg_noreturn extern void ds_access_ended_error(const DsInstance *inst);

#endif
