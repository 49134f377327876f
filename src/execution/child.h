/*-------------------------------------------------------------------------
 *
 * child.h
 *	  Starts the child instances of an orchestrator.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CHILD_H
#define DS_CHILD_H

#include "store/instance.h"

/*
 * Starts the child requested by the operation, in the current transaction, or
 * lets a failed one continue after its parent was rewound.  False: it cannot
 * be started, or has already ended; "end" is the row that says so.
 */
extern bool ds_child_begin(const DsInstance *parent, const DsOp *op, DsRow *end);

#endif
