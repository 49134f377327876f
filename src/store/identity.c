/*-------------------------------------------------------------------------
 *
 * identity.c
 *	  The identity used to access the extension's tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "base/compat.h"
#include "store/catalog.h"
#include "store/identity.h"

void
ds_identity_enter(DsIdentity *saved)
{
	GetUserIdAndSecContext(&saved->user, &saved->sec_context);
	SetUserIdAndSecContext(ds_catalog(false)->owner,
						   saved->sec_context | SECURITY_LOCAL_USERID_CHANGE);

	/*
	 * The statements are prepared once and kept; a search_path that differs
	 * from call to call would have them planned again each time.
	 */
	ds_compat_restrict_search_path(saved->guc_level);
}

void
ds_identity_leave(const DsIdentity *saved)
{
	ds_compat_restore_search_path(saved->guc_level);
	SetUserIdAndSecContext(saved->user, saved->sec_context);
}
