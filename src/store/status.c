/*-------------------------------------------------------------------------
 *
 * status.c
 *	  The statuses of instances.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/status.h"

static const char *const status_names[DS_NUM_STATUS] = {
	"Pending", "Running", "Suspended", "Completed", "Failed", "Terminated",
	"ContinuedAsNew", "Canceled"
};

const char *
ds_status_name(DsStatus status)
{
	return status_names[status];
}
