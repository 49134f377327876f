/*-------------------------------------------------------------------------
 *
 * identity.c
 *	  The identity under which the extension's tables are reached.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "store/catalog.h"
#include "store/identity.h"

void
ds_identity_enter(DsIdentity *saved)
{
	GetUserIdAndSecContext(&saved->user, &saved->sec_context);
	SetUserIdAndSecContext(ds_catalog(false)->owner,
						   saved->sec_context | SECURITY_LOCAL_USERID_CHANGE);

	/*
	 * The statements are prepared once and kept; a search_path that differed
	 * from call to call would have them planned again each time.
	 */
#if PG_VERSION_NUM >= 170000
	saved->guc_level = NewGUCNestLevel();
	RestrictSearchPath();
#else
	{
		OverrideSearchPath path = {.schemas = NIL,.addCatalog = true,.addTemp = false};

		PushOverrideSearchPath(&path);
	}
#endif
}

void
ds_identity_leave(const DsIdentity *saved)
{
#if PG_VERSION_NUM >= 170000
	AtEOXact_GUC(false, saved->guc_level);
#else
	PopOverrideSearchPath();
#endif
	SetUserIdAndSecContext(saved->user, saved->sec_context);
}
