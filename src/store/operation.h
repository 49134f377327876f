/*-------------------------------------------------------------------------
 *
 * operation.h
 *	  Durable operations as their rows in history leave them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_OPERATION_H
#define DS_OPERATION_H

#include "store/instance.h"

/* The next row of the operation, in order of the attempts. */
extern void ds_operation_add_row(DsOp *op, const DsRow *row);

#endif
