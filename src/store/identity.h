/*-------------------------------------------------------------------------
 *
 * identity.h
 *	  The identity used to access the extension's tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_IDENTITY_H
#define DS_IDENTITY_H

/* The caller's identity, saved while the process acts as the tables' owner. */
typedef struct DsIdentity
{
	Oid			user;
	int			sec_context;
	int			guc_level;
} DsIdentity;

/*
 * Become the owner of the tables with a fixed search_path, and revert.  After
 * an error in between, the abort of the (sub)transaction restores the
 * identity. No user code may run in between.
 */
extern void ds_identity_enter(DsIdentity *saved);
extern void ds_identity_leave(const DsIdentity *saved);

#endif
