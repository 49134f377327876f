/*-------------------------------------------------------------------------
 *
 * fixed_settings.h
 *	  Makes the textual form of results independent of the session's settings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FIXED_SETTINGS_H
#define DS_FIXED_SETTINGS_H

/*
 * Call these around to_jsonb() of a value of the type.  The first one returns
 * the argument of the second.  After an error, the settings are restored
 * together with those of the user's code (ds_user_code_end()).
 */
extern int	ds_fixed_settings_begin(Oid type);

/*
 * The same around output functions of types.  As with pg_dump, the text is
 * read again in the same way, regardless of the settings at that time.
 */
extern int	ds_fixed_settings_begin_text(void);

extern void ds_fixed_settings_end(int guc_level);

#endif
