/*-------------------------------------------------------------------------
 *
 * home.h
 *	  Is this database the one that its instances belong to?
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_HOME_H
#define DS_HOME_H

/* Short stamp of this cluster and database, put on every instance. */
extern int	ds_home_stamp(void);

/*
 * False: the tables came here by a restore, a copy or a subscription, and
 * the workers must leave them alone.  Needs a transaction and the extension.
 */
extern bool ds_home_is_here(void);

/*
 * The same, for the janitor: a copy that brought no active instance along (of
 * a template with the extension in it, say) becomes a home of its own.  A
 * restored one waits for df_adopt_database().
 */
extern bool ds_home_settle(void);

/* All instances here belong to this database from now on. */
extern void ds_home_adopt(void);

#endif
