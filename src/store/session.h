/*-------------------------------------------------------------------------
 *
 * session.h
 *	  A period of access to the tables as their owner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SESSION_H
#define DS_SESSION_H

#include "store/identity.h"

/* See ds_query_open(). */
typedef struct DsSession
{
	DsIdentity	identity;
	MemoryContext caller;		/* for results */
	bool		pushed_snapshot;
} DsSession;

#endif
