/*-------------------------------------------------------------------------
 *
 * home.h
 *	  Is this database the home of its instances?
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_HOME_H
#define DS_HOME_H

/* A short stamp of this cluster and database, stored in every instance. */
extern int	ds_home_stamp(void);

/*
 * Returns false if the tables came here by a restore, a copy or a
 * subscription: then workers must not touch them.  Needs a transaction and the
 * extension.
 */
extern bool ds_home_is_here(void);

/*
 * The same, for the janitor: a copy without active instances, for example of a
 * template database with the extension, becomes its own home.  A restored
 * database waits for df_adopt_database().
 */
extern bool ds_home_settle(void);

/* Makes this database the home of all its instances. */
extern void ds_home_adopt(void);

#endif
