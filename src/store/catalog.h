/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  The extension's objects in this database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CATALOG_H
#define DS_CATALOG_H

#include "store/status.h"

#define DS_EXTENSION_NAME	"durable_singleton"

/* The tables that are also read and written without a statement (table_read.c). */
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
	Oid			schema;			/* where functions, views and types are */
	Oid			owner;			/* of the tables */

	/*
	 * InvalidOid: the extension is of a version without it.  Such a catalog
	 * is read anew each time, so that ALTER EXTENSION UPDATE is noticed.
	 */
	Oid			table[DS_NUM_TABLES];
	Oid			status_type;	/* df_runtime_status */
	Oid			status_array_type;
	Oid			status_value[DS_NUM_STATUS];
	Oid			result_type;	/* df_status */
	uint32		generation;		/* changes whenever the rest did; as wide as
								 * the rest, so that there is no padding */
} DsCatalog;

extern void ds_catalog_init(void);

/*
 * The catalog of this database; NULL if the extension is not installed in it
 * and missing_ok, else error.  Needs a transaction.
 */
extern const DsCatalog *ds_catalog(bool missing_ok);

/* A status and its value of the enum.  Unknown values raise an error. */
extern DsStatus ds_catalog_status(Oid value);
extern Oid	ds_catalog_status_oid(DsStatus status);

#endif
