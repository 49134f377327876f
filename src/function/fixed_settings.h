/*-------------------------------------------------------------------------
 *
 * fixed_settings.h
 *	  Results are written the same way whatever the session's settings are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_FIXED_SETTINGS_H
#define DS_FIXED_SETTINGS_H

/*
 * To be called around to_jsonb() of a value of the type.  The first returns
 * what the second needs.  After an error the settings go back with those of
 * the user's code (ds_user_code_end()).
 */
extern int	ds_fixed_settings_begin(Oid type);
extern void ds_fixed_settings_end(int guc_level);

#endif
