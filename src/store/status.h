/*-------------------------------------------------------------------------
 *
 * status.h
 *	  The statuses of instances.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_STATUS_H
#define DS_STATUS_H

/* In the order of the enum df_runtime_status. */
typedef enum DsStatus
{
	DS_PENDING,
	DS_RUNNING,
	DS_SUSPENDED,
	DS_COMPLETED,
	DS_FAILED,
	DS_TERMINATED,
	DS_CONTINUED_AS_NEW,
	DS_CANCELED
} DsStatus;

#define DS_NUM_STATUS	(DS_CANCELED + 1)

static inline bool
ds_status_is_active(DsStatus status)
{
	return status <= DS_SUSPENDED;
}

extern const char *ds_status_name(DsStatus status);

#endif
