/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  The extension's objects in this database, and the identity under which
 *	  its tables are reached.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CATALOG_H
#define DS_CATALOG_H

#include "store/instance.h"

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

/* The caller's identity while it is exchanged for that of the tables' owner. */
typedef struct DsIdentity
{
	Oid			user;
	int			sec_context;
	int			guc_level;
} DsIdentity;

extern void ds_catalog_init(void);

/*
 * The catalog of this database; NULL if the extension is not installed in it
 * and missing_ok, else error.  Needs a transaction.
 */
extern const DsCatalog *ds_catalog(bool missing_ok);

/* Unknown values raise an error. */
extern DsStatus ds_status_from_oid(Oid value);
extern Oid	ds_status_to_oid(DsStatus status);
extern const char *ds_status_name(DsStatus status);

/*
 * Become the owner of the tables with a fixed search_path, and back.  An
 * error in between is put right by the abort of the (sub)transaction.  No
 * user code may run in between.
 */
extern void ds_identity_enter(DsIdentity *saved);
extern void ds_identity_leave(const DsIdentity *saved);

#endif
