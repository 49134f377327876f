/*-------------------------------------------------------------------------
 *
 * child.h
 *	  Starting the child instances of an orchestrator.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CHILD_H
#define DS_CHILD_H

#include "store/instance.h"

/*
 * Starts the child that the operation asks for, in the present transaction,
 * or lets a failed one go on after its parent was rewound.  False: it cannot
 * be started, or has ended already; "end" is the row that says so.
 */
extern bool ds_child_begin(const DsInstance *parent, const DsOp *op, DsRow *end);

#endif
