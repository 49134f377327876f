/*-------------------------------------------------------------------------
 *
 * access.h
 *	  Which role may see and steer which instances, and which are open to HTTP.
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

/* What the current user may see of instances owned by "owner". */
extern DsAccess ds_access_of(Oid owner);

/* 42501 unless the current user has the privileges of the owner. */
extern void ds_access_check_owner(const DsInstance *inst);

/*
 * 42704 if the role of the owner was dropped: nothing can run as this role any
 * more.
 */
extern void ds_access_check_has_owner(const DsInstance *inst);

/*
 * SD400 if the current process executes a step of the instance: it would undo
 * itself together with its step, and be run again forever.
 */
extern void ds_access_check_not_own_step(const DsInstance *inst);

/* SD400 if the current process executes a step of the instance. */
extern void ds_access_check_not_waiting_for_itself(const DsInstance *inst);

/*
 * Checks whether the function is exposed over HTTP.  "name" is as given in the
 * start: name or schema.name; "schema" is the one in which the function was
 * found.
 */
extern bool ds_access_is_exposed(const char *schema, const char *name);

/* Errors for the caller of a function: SD404 and SD410. */
pg_noreturn extern void ds_access_no_instance_error(const char *instance_id);
pg_noreturn extern void ds_access_ended_error(const DsInstance *inst);

#endif
