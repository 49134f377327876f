/*-------------------------------------------------------------------------
 *
 * op.h
 *	  Durable operations as their rows in history leave them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_OP_H
#define DS_OP_H

#include "instance.h"

/* The next row of the operation, in order of the attempts. */
extern void ds_op_add_row(DsOp *op, const DsRow *row);

#endif
