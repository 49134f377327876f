/*-------------------------------------------------------------------------
 *
 * identity.h
 *	  The identity under which the extension's tables are reached.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_IDENTITY_H
#define DS_IDENTITY_H

/* The caller's identity while it is exchanged for that of the tables' owner. */
typedef struct DsIdentity
{
	Oid			user;
	int			sec_context;
	int			guc_level;
} DsIdentity;

/*
 * Become the owner of the tables with a fixed search_path, and back.  An
 * error in between is put right by the abort of the (sub)transaction.  No
 * user code may run in between.
 */
extern void ds_identity_enter(DsIdentity *saved);
extern void ds_identity_leave(const DsIdentity *saved);

#endif
