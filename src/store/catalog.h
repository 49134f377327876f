/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  Finds the extension's objects in this database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CATALOG_H
#define DS_CATALOG_H

#include "store/status.h"

#define DS_EXTENSION_NAME	"durable_singleton"

/*
 * The tables that are also read and written without a statement
 * (table_read.c).
 */
typedef enum DsTable
{
	DS_INSTANCE,
	DS_HISTORY,
	DS_TASK,
	DS_INBOX,
	DS_EXECUTION
} DsTable;

#define DS_NUM_TABLES	(DS_EXECUTION + 1)

typedef struct DsCatalog
{
	Oid			extension;
	Oid			schema;			/* of functions, views and types */
	Oid			owner;			/* of the tables */

	/*
	 * InvalidOid if the version of the extension lacks the table.  Such a
	 * catalog is read again each time, so that ALTER EXTENSION UPDATE is
	 * noticed.
	 */
	Oid			table[DS_NUM_TABLES];
	Oid			status_type;	/* df_runtime_status */
	Oid			status_array_type;
	Oid			status_value[DS_NUM_STATUS];
	Oid			result_type;	/* df_status */
	uint32		generation;		/* changes with the rest; without padding */
} DsCatalog;

extern void ds_catalog_init(void);

/*
 * The catalog of this database.  If the extension is not installed, returns
 * NULL with missing_ok, and raises an error otherwise.  Needs a transaction.
 */
extern const DsCatalog *ds_catalog(bool missing_ok);

/*
 * Convert a status to its value of the enum and back.  Unknown values raise an
 * error.
 */
extern DsStatus ds_catalog_status(Oid value);
extern Oid	ds_catalog_status_oid(DsStatus status);

#endif
