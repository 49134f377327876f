/*-------------------------------------------------------------------------
 *
 * operation.h
 *	  Assembles durable operations from their rows in history.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_OPERATION_H
#define DS_OPERATION_H

#include "store/instance.h"

/* Adds the next row of the operation, in the order of attempts. */
extern void ds_operation_add_row(DsOp *op, const DsRow *row);

/* After a rewind, code that was fixed may pass another input. */
extern void ds_operation_forget_input(DsOp *op);

#endif
